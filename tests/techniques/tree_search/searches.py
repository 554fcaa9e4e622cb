"""Searches by technique, with models and scorers of tests."""

from tests.techniques.test_hard_limits import (
    at_random,
)
from tests.verifiers.judges.readers import reader
from tscale_graph import ab_mcts, beam_search, lats

TECHNIQUES = ("ab_mcts", "beam_search", "lats")


def a_technique(name, model, scorer=at_random, **more):
    if name == "ab_mcts":
        return ab_mcts(model, scorer, batch=3, seed=1, answer="number", **more)
    if name == "beam_search":
        return beam_search(model, scorer, beams=1, width=3, answer="number", **more)
    return lats(model, value=scorer, width=3, answer="number", **more)


def numbered(prompt, number):
    """Another answer each time; as a step, only where the rest is asked for."""
    a_step = "the next step only" in prompt[-1].text
    return f"Step {number}" if a_step else f"The answer is {number}"


def judging(**more):
    return reader('{"score": 5}', **more)


def look(where: int) -> str:
    """Look somewhere."""
    return f"nothing at {where}"
