"""The text classifier that ships with the package: its tasks, its making, its figures."""
