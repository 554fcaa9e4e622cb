"""The one place that calls a model, and what it needs to know about models."""
