"""Search over a tree of candidates."""
