"""Label files and recordings of a simulated model that solves equations in two steps, and slips.

It gets an operation wrong (`19 + 4 = 23`: a true equation that leads astray) or a result
(`19 - 4 = 14`), goes on from whatever it has, and is less sure of what it writes when it slips.
"""

import random
import re

from tscale_graph.recordings.files import append_question
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample

ASTRAY, MISCOUNTED, ROLLOUTS = 0.15, 0.25, 8


def label_questions(count, *, seed=0, solutions=6, family="equations", slip=1.0):
    """Questions with solutions and completions of each beginning of each."""
    rng = random.Random(f"labels/{seed}/{family}")
    for k, (a, x, b) in enumerate(drawn(count, rng)):
        samples = [written(a, x, b, (), rng, slip) for _ in range(solutions)]
        beginnings = {
            tuple(s.text.split("\n")[:n]): None for s in samples for n in range(1, lines(s))
        }
        for steps in beginnings:
            samples += [written(a, x, b, steps, rng, slip) for _ in range(ROLLOUTS)]
        yield question(f"{family}-{seed}-{k:03}", a, x, b, samples)


def recorded_questions(count, *, seed=0, samples=64, family="equations", slip=1.0):
    """Questions with whole solutions only, as `tscale record` keeps them."""
    rng = random.Random(f"samples/{seed}/{family}")
    for k, (a, x, b) in enumerate(drawn(count, rng)):
        taken = [written(a, x, b, (), rng, slip) for _ in range(samples)]
        yield question(f"{family}-{seed}-{k:03}", a, x, b, taken)


def written_to(path, questions):
    for one in questions:
        append_question(path, one)
    return path


def truth(asked, steps):
    """Whether each step, and all before it, is what a right solution has there."""
    a, b, c = map(int, re.findall(r"\d+", asked))
    right = [f"{c} - {b} = {c - b}", f"{c - b} / {a} = {(c - b) // a}"]
    right.append(f"The answer is {(c - b) // a}.")
    so_far, found = True, []
    for place, step in enumerate(steps):
        so_far = so_far and place < len(right) and step == right[place]
        found.append(so_far)
    return found


def drawn(count, rng):
    found = {}
    while len(found) < count:
        found[rng.randint(2, 12), rng.randint(2, 30), rng.randint(1, 60)] = None
    return list(found)


def question(name, a, x, b, samples):
    return RecordedQuestion(
        id=name,
        question=f"Solve {a}x + {b} = {a * x + b} for x.",
        gold=str(x),
        kind="number",
        model="simulated",
        steps="line",
        samples=tuple(samples),
    )


def written(a, x, b, given, rng, slip):
    """A sample that goes on from the given lines."""
    c, steps, sure = a * x + b, list(given), 0.0
    if not steps:
        line, doubt = _line(c, "-", b, rng, slip)
        steps, sure = [line], sure + doubt
    if len(steps) == 1:
        line, doubt = _line(_result(steps[0]), "/", a, rng, slip)
        steps, sure = [*steps, line], sure + doubt
    if len(steps) == 2:
        steps = [*steps, f"The answer is {_result(steps[1])}."]
    answer = re.findall(r"-?\d+", steps[-1])[-1]
    return RecordedSample(
        text="\n".join(steps),
        answer=answer,
        correct=answer == str(x),
        output_tokens=20,
        mean_logprob=min(0.0, -0.2 - sure + rng.gauss(0, 0.15)),
        given=len(given),
    )


def lines(sample):
    return len(sample.text.split("\n"))


def _line(left, sign, right, rng, slip):
    astray = rng.random() < ASTRAY * slip
    miscounted = rng.random() < MISCOUNTED * slip
    sign = {"-": "+", "/": "-"}[sign] if astray else sign
    value = {"-": left - right, "+": left + right, "/": left // right}[sign]
    value += rng.choice((-2, -1, 1, 2)) if miscounted else 0
    return f"{left} {sign} {right} = {value}", 0.1 * (astray + miscounted)


def _result(line):
    return int(line.rpartition("= ")[2])
