"""Answers that are revised by what was said of them, one chain or several side by side."""
