"""Stopping rules by name, for the command line and policy files."""

from __future__ import annotations

from collections.abc import Callable

from tscale_graph.stopping.answer_prior import AnswerPrior
from tscale_graph.stopping.dirichlet import Dirichlet
from tscale_graph.stopping.finishing import FirstToFinish
from tscale_graph.stopping.scored import ExpectedImprovement
from tscale_graph.stopping.standing import StoppingRule
from tscale_graph.stopping.value import ValueOfInformation
from tscale_graph.stopping.verified import FirstPass, Sprt
from tscale_graph.stopping.voting import Beta, FirstToLeadBy, Fixed, Window

_RULES: dict[str, StoppingRule] = {
    rule.name: rule
    for rule in (
        Fixed(),
        Beta(),
        Dirichlet(),
        Window(),
        FirstPass(),
        Sprt(),
        FirstToLeadBy(),
        FirstToFinish(),
        ValueOfInformation(),
        ExpectedImprovement(),
    )
}

_WITH_VALUE: dict[str, Callable[[str], StoppingRule]] = {
    "beta": lambda value: Beta(confidence=float(value)),
    "dirichlet": lambda value: Dirichlet(confidence=float(value)),
    "window": lambda value: Window(size=int(value)),
    "sprt": lambda value: Sprt(solvable=float(value)),
    "first_to_lead_by": lambda value: FirstToLeadBy(lead=int(value)),
    "first_to_finish": lambda value: FirstToFinish(finishers=int(value)),
    "value_of_information": lambda value: _value_of_information(value),
    "expected_improvement": lambda value: ExpectedImprovement(price=float(value)),
}

NEED_VERIFIER: tuple[str, ...] = ("first_pass", "sprt", "expected_improvement")
"""The rules that go by a verifier's verdicts and scores."""

RULES: tuple[str, ...] = tuple(_RULES)
"""The names of the stopping rules."""


def stopping_rule(stop: str | StoppingRule) -> StoppingRule:
    """The rule of that name, or the rule itself.

    A name may carry the rule's main parameter: the `confidence` of beta and dirichlet, the
    `size` of window, `solvable` of sprt, the `lead` of first_to_lead_by, the
    `finishers` of first_to_finish, the `price` of value_of_information and expected_improvement.
    value_of_information takes the parameters of its prior as well, after the price or without one:
    "value_of_information:1e-6,a=0.5,b=0.7,gamma=1.2".

    Raises:
        ValueError: for an unknown name, with the names, or a value that the rule cannot take.

    >>> stopping_rule("beta:0.9")
    Beta(confidence=0.9, name='beta')
    """
    if not isinstance(stop, str):
        if not isinstance(stop, StoppingRule):
            raise ValueError(f"stop must be one of {', '.join(RULES)} or a rule, got {stop!r}")
        return stop
    name, colon, value = stop.partition(":")
    if name not in _RULES:
        raise ValueError(f"stop must be one of {', '.join(RULES)} or a rule, got {stop!r}")
    if not colon:
        return _RULES[name]
    if name not in _WITH_VALUE:
        raise ValueError(f"{name} takes no value, got {stop!r}")
    try:
        return _WITH_VALUE[name](value)
    except ValueError as error:
        raise ValueError(f"stop={stop!r}: {error}") from error


def _value_of_information(value: str) -> ValueOfInformation:
    price, *given = value.split(",")
    prior: dict[str, float] = {}
    for part in given:
        name, equals, number = part.partition("=")
        if not equals or name not in ("a", "b", "gamma") or name in prior:
            raise ValueError(f"after the price come a=, b= and gamma=, each once, got {part!r}")
        prior[name] = float(number)
    return ValueOfInformation(
        price=float(price) if price or not prior else None, prior=AnswerPrior(**prior)
    )
