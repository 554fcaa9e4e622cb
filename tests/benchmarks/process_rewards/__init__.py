"""The process reward model that ships with the package: its questions, its making, its report."""
