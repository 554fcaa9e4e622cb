"""What a report says, as plain data: the same in JSON, in Markdown and on the page."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tscale_graph.budget import Limit

COSTS = ("tokens", "usd", "seconds", "calls")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Share(_Record):
    """A share, or a mean, with its 95 % interval.

    Attributes:
        mean: of the questions.
        low: of the interval in the long run; a bootstrap over questions.
        high: of the same.
    """

    mean: float
    low: float
    high: float


class SettingRow(_Record):
    """One setting on all its questions.

    Attributes:
        name: of the setting.
        highlighted: it is what the report is about.
        questions: that it was asked.
        runs: on all of them together.
        accuracy: share of right answers.
        tokens: of a request in the mean.
        calls: likewise.
        usd: likewise, or None where prices are not known.
        seconds: the median latency of a request.
        slowest: the latency that one of twenty requests exceeds, in seconds.
        cost_of_pass: tokens for a right answer, or None where there is none.
        cut_off: runs that their budget ended, by the limit.
        failed: runs that raised.
        frontier: costs of which no setting asks less for as much accuracy.
    """

    name: str
    highlighted: bool
    questions: int
    runs: int
    accuracy: Share
    tokens: Share
    calls: float
    usd: float | None
    seconds: float
    slowest: float
    cost_of_pass: float | None
    cut_off: dict[Limit, int]
    failed: int
    frontier: tuple[str, ...]

    def cost(self, of: str) -> float | None:
        """What a request costs, in "tokens", "usd", "seconds" or "calls"."""
        return self.tokens.mean if of == "tokens" else getattr(self, of)


class Difference(_Record):
    """A highlighted setting beside another, on the questions that both were asked.

    Attributes:
        setting: the highlighted one.
        other: the other.
        questions: that both were asked.
        difference: in accuracy, the highlighted one's less the other's.
        p_value: of no difference, after Holm over all comparisons of the setting.
        tokens_ratio: its tokens over the other's.
        shown: whether the questions show a difference.
    """

    setting: str
    other: str
    questions: int
    difference: Share
    p_value: float
    tokens_ratio: float
    shown: Literal["better", "worse", "no"]


class ClassCell(_Record):
    """One setting on the questions of one class.

    Attributes:
        task_class: the class.
        setting: the name of the setting.
        questions: of the class that it was asked.
        accuracy: share of right answers.
        tokens: of a request in the mean.
        calls: likewise.
        token_share: of all tokens that the setting spent.
        question_share: of all its questions.
        gain: accuracy beyond that of the cheapest setting on the same questions.
    """

    task_class: str
    setting: str
    questions: int
    accuracy: float
    tokens: float
    calls: float
    token_share: float
    question_share: float
    gain: float


class Summary(_Record):
    """Everything that a report says.

    Attributes:
        title: of the report.
        settings: the cheapest first.
        differences: of highlighted settings from the others.
        classes: every setting on every class.
        findings: what may be claimed, in sentences.
        notes: what limits it.
    """

    title: str
    settings: tuple[SettingRow, ...]
    differences: tuple[Difference, ...]
    classes: tuple[ClassCell, ...]
    findings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Each class once, in the order of its first question."""
        return tuple(dict.fromkeys(cell.task_class for cell in self.classes))

    @property
    def highlighted(self) -> tuple[SettingRow, ...]:
        """The settings that the report is about."""
        return tuple(row for row in self.settings if row.highlighted)


def frontier(points: dict[str, tuple[float, float]]) -> list[str]:
    """Of (cost, accuracy) by name, those that nothing beats for less, from the cheapest.

    >>> frontier({"a": (1, 0.5), "b": (2, 0.5), "c": (3, 0.7)})
    ['a', 'c']
    """
    best = float("-inf")
    found: list[str] = []
    for name, (_, accuracy) in sorted(points.items(), key=lambda one: (one[1][0], -one[1][1])):
        if accuracy > best:
            found.append(name)
            best = accuracy
    return found
