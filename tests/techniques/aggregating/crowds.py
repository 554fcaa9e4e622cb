"""Models whose answers depend on what they are shown, and how their prompts are read."""

import re

from tests.techniques.searching import told

AGGREGATES = "write one better solution"
"""What only prompts that show several candidates say."""


def shown(prompt):
    """The candidates that a prompt shows, by their texts; none in the first generation."""
    return re.findall(r"^Candidate \d+:\n(.*?)(?=\n\n)", str(prompt[-1].text), re.M | re.S)


def counting(**more):
    """A model that never says the same twice."""
    return told(lambda prompt, number: f"The answer is {number}", **more)


def converging(**more):
    """A model that comes to the largest of the answers that it is shown."""

    def decide(prompt, number):
        seen = [int(text.rsplit(" ", 1)[1]) for text in shown(prompt)]
        return f"The answer is {max(seen, default=number)}"

    return told(decide, **more)


def answers(result):
    return [candidate.answer for candidate in result.candidates]
