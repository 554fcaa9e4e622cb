"""What tuning found, as plain data: for policies, tables and reports."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tscale_graph.policy import Policy
from tscale_graph.stopping import AnswerPrior
from tscale_graph.tuning.promises import Expected
from tscale_graph.tuning.settings import Setting


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Record):
    """One setting in one class, on the questions that were measured.

    Attributes:
        setting: its name.
        accuracy: share of right answers, as measured.
        standard_error: of that, over questions; 0 for a single one.
        believed: the accuracy as drawn together with what other classes show.
        tokens: of a request in the mean.
        calls: likewise.
        usd: likewise, or None where it is not known.
        on_path: chosen for the class at some price.
    """

    setting: str
    accuracy: float
    standard_error: float
    believed: float
    tokens: float
    calls: float
    usd: float | None
    on_path: bool


class ClassChoice(_Record):
    """What was chosen for one class.

    Attributes:
        name: of the class.
        questions: that were measured.
        share: of the traffic.
        pooled_with: other classes, too small to tell alone, that got the same setting.
        setting: the chosen one.
        other: another that is taken now and then, where the class is mixed.
        chance: of the other, 0 without one.
        expected: on new questions; by cross-fitting, so it is of the way of choosing.
        table: every setting that was measured, cheapest first.
        notes: what was not believed, and what was left out.
    """

    name: str
    questions: int
    share: float
    pooled_with: tuple[str, ...]
    setting: Setting
    other: Setting | None
    chance: float
    expected: Expected
    table: tuple[Row, ...]
    notes: tuple[str, ...]


class Comparison(_Record):
    """The tuned policy beside one setting for all classes, on the same questions.

    Attributes:
        setting: its name.
        difference: in accuracy, the policy's less the setting's.
        low: of its 95 % interval.
        high: of the same.
        p_value: of no difference, after Holm over all comparisons.
        cost_ratio: the policy's mean cost over the setting's.
        shown: whether the data shows a difference: "better", "worse" or "no".
    """

    setting: str
    difference: float
    low: float
    high: float
    p_value: float
    cost_ratio: float
    shown: Literal["better", "worse", "no"]


class FrontierPoint(_Record):
    """What a limit on the mean cost buys.

    Attributes:
        limit: of the mean cost.
        expected: on new questions, by cross-fitting.
        settings: the name of each class's setting.
    """

    limit: float
    expected: Expected
    settings: dict[str, str]


class Tuned(_Record):
    """A setting for each class, and what to expect of them.

    Attributes:
        cost: what the mean cost is counted in.
        limit: of the mean cost, where one was given.
        accuracy: the wanted one, where one was given.
        price: accuracy per cost where the limit stands; 0 when nothing is left to buy.
        classes: the choices, in the order of the classes.
        expected: of a request on new questions, by cross-fitting.
        comparisons: beside every setting that all classes were measured with.
        frontier: from the cheapest limit to the dearest.
        priors: what the value of information believes of each class.
        notes: in words, what was decided and what the data does not show.
    """

    cost: Literal["tokens", "calls", "usd"]
    limit: float | None
    accuracy: float | None
    price: float
    classes: tuple[ClassChoice, ...]
    expected: Expected
    comparisons: tuple[Comparison, ...]
    frontier: tuple[FrontierPoint, ...]
    priors: dict[str, AnswerPrior]
    notes: tuple[str, ...]

    def policy(self, *, default_class: str) -> Policy:
        """The policy: each class's setting; of a mixed class, the likelier of the two.

        Args:
            default_class: of tasks that no rule knows; one of the classes.

        Raises:
            ValueError: when it is none of them.
        """
        entries = {
            choice.name: (
                choice.other if choice.other and choice.chance > 0.5 else choice.setting
            ).as_policy(self.priors.get(choice.name))
            for choice in self.classes
        }
        return Policy(classes=entries, default_class=default_class)
