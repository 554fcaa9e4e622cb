"""Many requests under one shared budget: the state, who gets what, and the work."""
