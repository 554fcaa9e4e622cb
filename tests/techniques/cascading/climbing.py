"""Models for ladders, and what they are asked."""

import random

from tests.scripted import Scripted
from tscale_graph.prices import Price

CHEAP = {"usd_per_million_tokens": {"input": 1.0, "output": 2.0}}
DEAR = {"usd_per_million_tokens": {"input": 10.0, "output": 20.0}}


def says(name, *answers, price=None, **more):
    """A model that says these numbers, one after the other, and then again."""
    texts = [one if isinstance(one, str) else f"The answer is {one}" for one in answers]
    metadata = {} if price is None else {"metadata": price}
    return Scripted(model_name=name, answers=texts, **metadata, **more)


def unsure(name="small", **more):
    """A model whose samples never agree."""
    return says(name, 3, 2, 4, **more)


def random_model(name, rng: random.Random, **more):
    """A model that draws its numbers, and fails now and then."""
    draws = random.Random(rng.random())
    return says(name, *range(rng.choice([1, 2, 9])), draws=draws, **more)


def price(dollars) -> Price:
    return Price(input=dollars, output=2 * dollars)


def answers(result):
    return [candidate.answer for candidate in result.candidates]
