"""The errors of models and verifiers of a kind that a technique cannot ask."""

from __future__ import annotations


class UnsuitableModel(ValueError):
    """A technique needs a chat model, or one that thinks, and was given another."""


class UnsuitableVerifier(ValueError):
    """A technique needs a verifier of single answers, and was given one that compares them."""
