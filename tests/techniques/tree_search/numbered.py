"""A model that numbers its answers, and techniques that search over them."""

import re

from tscale_graph import ab_mcts, beam_search, lats


def numbered(prompt, number):
    """Another answer each time."""
    return f"The answer is {number % 4 + 1}"


def last_number(text):
    return int(re.findall(r"\d+", text)[-1])


def fails_on_2(wrong):
    """Scores numbers, but for 2, where it does something else."""

    def scorer(question, answer):
        number = last_number(answer)
        return wrong() if number == 2 else number / 10

    return scorer


def raises(error):
    def wrong():
        raise error

    return wrong


TECHNIQUES = {
    "ab_mcts": lambda model, scorer, **more: ab_mcts(
        model, scorer, max_nodes=8, batch=4, answer="number", seed=1, select="max", **more
    ),
    "beam_search": lambda model, scorer, **more: beam_search(
        model, scorer, beams=2, width=4, answer="number", select="max", **more
    ),
    "lats": lambda model, scorer, **more: lats(
        model, value=scorer, width=8, max_nodes=8, answer="number", reflections=0, **more
    ),
}
