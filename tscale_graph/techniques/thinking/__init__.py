"""Thinking before an answer: calls of their own, or what the provider does itself."""
