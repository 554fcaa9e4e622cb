"""Ladders of models and techniques, cheap first, and when they are climbed."""
