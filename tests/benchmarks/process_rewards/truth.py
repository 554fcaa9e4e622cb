"""Which steps of a solution are right, worked out from the question: no model, no completions.

    python -m tests.benchmarks.process_rewards.truth MODEL LABELS...

Prints how often the labels say the same, and how well a model ranks steps by what is true. What is
asked for is a sum of signed terms, or an equation. A step that takes two terms which are there, and
adds or subtracts them rightly, puts its result in their place; whatever else it does is wrong, and
so is everything after it.
"""

import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tscale_graph.recordings.files import read_recording
from tscale_graph.verifiers.process.evaluating import (
    evaluate_families,
    held_out,
    held_out_labels,
    label_accuracy,
)
from tscale_graph.verifiers.process.model import ProcessRewardModel

_STEP = re.compile(r"(-?\d+) ([-+*/]) (-?\d+) = (-?\d+)")
_ANSWER = re.compile(r"The answer is (-?\d+)\.?")
_EQUATION = re.compile(r"Solve (\d+)x \+ (\d+) = (\d+) for x\.")
_GAINS, _LOSSES = "finds|buys|gets", "loses|sells|eats"


@dataclass
class Left:
    """What is left to be worked out.

    Attributes:
        terms: numbers with their signs.
        divisor: what their sum is divided by at the end.
    """

    terms: Counter[int] = field(default_factory=Counter)
    divisor: int = 1

    @property
    def value(self) -> int | None:
        """The answer, once there is nothing left to do."""
        alone = self.divisor == 1 and sum(self.terms.values()) == 1
        return next(iter(self.terms.elements())) if alone else None

    def take(self, a: int, sign: str, b: int, stated: int) -> bool:
        """Do one step; whether it is right."""
        second = -b if sign == "-" else b
        if sign == "/":
            right = self.terms == Counter([a]) and b == self.divisor != 1 and a == b * stated
            self.terms, self.divisor = Counter([stated]), 1
            return right
        if sign == "*" or a + second != stated:
            return False
        needed = Counter([a, second])
        if any(self.terms[term] < count for term, count in needed.items()):
            return False
        self.terms = self.terms - needed + Counter()
        self.terms[stated] += 1
        return True


def left_of(question: str) -> Left:
    """What a question asks to be worked out.

    Raises:
        ValueError: for a question of another kind.
    """
    if found := _EQUATION.fullmatch(question):
        a, b, c = map(int, found.groups())
        return Left(Counter([c, -b]), a)
    if found := re.fullmatch(r"Compute ([-+\d ]+) from left to right\.", question):
        return Left(Counter(map(int, re.findall(r"-?\d+", found[1].replace(" ", "")))))
    if question.startswith("Add the numbers "):
        return Left(Counter(map(int, re.findall(r"\d+", question))))
    told = rf"has (\d+) .*? (?:{_GAINS}) (\d+) and then (?:{_LOSSES}) (\d+)\."
    if found := re.search(told, question):
        a, b, c = map(int, found.groups())
        return Left(Counter([a, b, -c]))
    raise ValueError(f"no family has the question {question!r}")


def truth(question: str, steps: Sequence[str]) -> list[bool]:
    """Whether each step, and all before it, is right."""
    left, sound, told = left_of(question), True, list[bool]()
    for step in steps:
        if equation := _STEP.fullmatch(step):
            a, sign, b, stated = equation.groups()
            sound = sound and left.take(int(a), sign, int(b), int(stated))
        elif answer := _ANSWER.fullmatch(step):
            sound = sound and left.value == int(answer[1])
        else:
            sound = False
        told.append(sound)
    return told


def report(model: ProcessRewardModel, paths: Sequence[str]) -> str:
    """A table in Markdown: of each family, how good labels and scores are by what is true."""
    recorded = [one for path in paths for one in read_recording(path, rollouts=True)]
    questions = held_out_labels(model, held_out(model, recorded)[0])
    lines = [
        "| questions | steps | labels say the same | AUC of steps (95 %) | first-error F1 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in evaluate_families(model, questions, truth=truth):
        of = [q for q in questions if one.group in ("all", q.family)]
        auc = one.auc
        ranked = f"{auc.value:.3f} ({auc.low:.3f}–{auc.high:.3f})" if auc else ""
        lines.append(
            f"| {one.group}, {one.questions} | {one.steps:,} | {label_accuracy(of, truth):.1%} | "
            f"{ranked} | {one.first_error_f1.value:.3f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(ProcessRewardModel.load(sys.argv[1]), sys.argv[2:]))
