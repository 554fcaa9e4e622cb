"""The class of a task: what every classifier returns."""

from __future__ import annotations

from dataclasses import dataclass

from tscale_graph.budget import Usage

TASK_CLASSES: dict[str, str] = {
    "simple": "one pass is enough: a fact that is known or not, small talk, rewriting, "
    "translating, summarising, or an open text",
    "samplable": "a short answer that can be compared, and nothing that checks it: a number, a "
    "choice, yes or no",
    "verifiable": "a program can check an answer from the question alone: an equation, code that "
    "tests run, a text with countable constraints",
    "combinatorial": "a search over partial answers that can be extended and taken back: puzzles, "
    "plans, schedules, routes",
    "sequential": "many steps of which each needs the one before: traces, states that change, long "
    "sums, conversions, proofs",
}
"""The classes that the built-in classifiers know, with what makes a task one of them."""

_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Classification:
    """The class of a task.

    Attributes:
        task_class: its name.
        confidence: in [0, 1].
        reason: what told it, in a few words.
        usage: what finding it out has cost.
    """

    task_class: str
    confidence: float
    reason: str
    usage: Usage = _NOTHING

    def or_default(self, default: str, *, at_least: float) -> Classification:
        """This, or the default class where the confidence is less than `at_least`.

        >>> Classification("verifiable", 0.3, "a guess").or_default("simple", at_least=0.5).reason
        'verifiable at 0.30 only: a guess'
        """
        if self.confidence >= at_least:
            return self
        reason = f"{self.task_class} at {self.confidence:.2f} only: {self.reason}"
        return Classification(default, self.confidence, reason, self.usage)
