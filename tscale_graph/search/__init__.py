"""Search over reasoning steps."""
