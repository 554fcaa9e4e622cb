"""The search loop that the tree-search techniques share."""
