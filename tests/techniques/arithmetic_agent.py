"""An agent with a calculator, scripted, and a search over its turns."""

from tests.techniques.searching import acts, ask
from tscale_graph import Verdict, lats

QUESTION = "What is (2 + 3) * 4?"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


TOOLS = [add, multiply]


def is_20(question, answer):
    right = answer.endswith("20")
    return Verdict(score=float(right), passed=right, feedback="" if right else "not 20")


def results(prompt):
    """What tools have brought so far."""
    return [message.text for message in prompt if message.type == "tool"]


def knows_how(prompt):
    """Adds, multiplies, and answers."""
    match results(prompt):
        case []:
            return acts("add", a=2, b=3)
        case [one]:
            return acts("multiply", a=int(one), b=4)
        case [*_, last]:
            return f"The answer is {last}"


def solve(model, value=is_20, *, budget=None, question=QUESTION, **arguments):
    return ask(lats(model, value=value, **arguments), budget, question=question)


def is_wrong(question, answer):
    return False
