"""What a judge is asked to fill in, and how its reply is read.

Each form is a JSON object of few fields. A model that takes a JSON schema or tools is held to it;
one that does not is told in words, and what it then writes is read leniently. Nothing is made
up: a reply without the field that matters is a `ValueError` that says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

T_co = TypeVar("T_co", covariant=True)

_NUMBER = r"(-?\d{1,6}(?:\.\d{1,6})?)"
_SCORED = re.compile(
    rf"\b(?:score|rating|grade)\b\W{{0,12}}(?:(?:is|of)\b\W{{0,12}})?{_NUMBER}"
    rf"(?:\s{{0,3}}(?:/|out of)\s{{0,3}}{_NUMBER})?",
    re.IGNORECASE,
)
_FRACTION = re.compile(rf"{_NUMBER}\s{{0,3}}(?:/|out of)\s{{0,3}}{_NUMBER}", re.IGNORECASE)
_BARE = re.compile(rf"[\s*_`\[]*{_NUMBER}[\s*_`\].]*")
_CHOSEN = re.compile(
    r"\b(?:winner|better|best|verdict|choice|answer|response)\b\W{0,12}"
    r"(?:(?:is|the|answer|response)\b\W{0,12}){0,4}(\w+)",
    re.IGNORECASE,
)
_ORDER = re.compile(r"\[?\d{1,3}\]?(?:\s{0,3}[>,]\s{0,3}\[?\d{1,3}\]?)+")
_AGREED = re.compile(
    r"\b(?:same|equivalent)\b\W{0,12}(?:is\b\W{0,12})?(yes|no|true|false)\b", re.IGNORECASE
)
REASON = "why, in one or two sentences"
_YES = {"yes": True, "true": True, "no": False, "false": False}


class Form(Protocol[T_co]):
    """A question with an answer of one type."""

    @property
    def name(self) -> str:
        """What the form is called where a provider wants a name."""
        ...

    @property
    def field(self) -> str:
        """The field that carries the answer."""
        ...

    @property
    def example(self) -> str:
        """That field as JSON, for models that are told in words."""
        ...

    @property
    def reason(self) -> str:
        """What the reason is to be, which is written before that field."""
        ...

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the field."""
        ...

    def read(self, value: Any) -> T_co:
        """The answer from the field's value; a `ValueError` says what is wrong with it."""
        ...

    def read_prose(self, text: str) -> T_co:
        """The answer from a reply that is no JSON; a `ValueError` when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ScoreForm:
    """A score from 0 to `scale`, read as a number in [0, 1]."""

    scale: int
    name: str = "judgement"
    field: str = "score"
    reason: str = REASON

    @property
    def example(self) -> str:
        """A score above the middle."""
        return str(round(self.scale * 0.7))

    def schema(self) -> dict[str, Any]:
        """A whole number on the scale."""
        told = f"from 0 (worst) to {self.scale} (best)"
        return {"type": "integer", "minimum": 0, "maximum": self.scale, "description": told}

    def read(self, value: Any) -> float:
        """The score over the scale.

        >>> ScoreForm(10).read(7), ScoreForm(10).read("4/5")
        (0.7, 0.8)
        """
        if isinstance(value, str):
            return self.read_prose(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"score must be a number from 0 to {self.scale}, got {value!r}")
        if not 0 <= value <= self.scale:
            raise ValueError(f"score must be from 0 to {self.scale}, got {value}")
        return value / self.scale

    def read_prose(self, text: str) -> float:
        """The last score that the text states.

        >>> ScoreForm(10).read_prose("At first a 3/10, but no. **Score:** 8/10.")
        0.8
        """
        if bare := _BARE.fullmatch(text):
            return self.read(float(bare[1]))
        for stated in (_SCORED, _FRACTION):
            if found := list(stated.finditer(text)):
                number, out_of = float(found[-1][1]), float(found[-1][2] or self.scale)
                if out_of <= 0:
                    raise ValueError(f"score must be out of {self.scale}, got {found[-1][0]!r}")
                return self.read(number * self.scale / out_of)
        raise ValueError("there is no score in the reply")


@dataclass(frozen=True, slots=True)
class WinnerForm:
    """Which of two answers is better: 0, 1, or None for a tie."""

    name: str = "comparison"
    field: str = "winner"
    example: str = '"second"'
    reason: str = REASON

    def schema(self) -> dict[str, Any]:
        """One of three words."""
        return {"type": "string", "enum": list(_WINNERS), "description": "the better answer"}

    def read(self, value: Any) -> int | None:
        """The winner by its name.

        >>> WinnerForm().read("Second")
        1
        """
        told = value.strip().strip("[]*`'\".").casefold() if isinstance(value, str) else value
        if told not in _WINNERS:
            raise ValueError(f"winner must be first, second or tie, got {value!r}")
        return _WINNERS[told]

    def read_prose(self, text: str) -> int | None:
        """The winner that the text names last."""
        named = [found[1].casefold() for found in _CHOSEN.finditer(text)]
        known = [name for name in named if name in _WINNERS]
        if known:
            return _WINNERS[known[-1]]
        return self.read(text) if len(text) < _SHORT else _missing("winner")


_WINNERS: dict[str, int | None] = {"first": 0, "second": 1, "tie": None}
_SHORT = 20


@dataclass(frozen=True, slots=True)
class PickForm:
    """One of `count` texts, numbered from 1; read as its place from 0."""

    count: int
    name: str = "choice"
    field: str = "choice"
    example: str = "2"
    reason: str = REASON

    def schema(self) -> dict[str, Any]:
        """A number of a text."""
        told = "the number of the response"
        return {"type": "integer", "minimum": 1, "maximum": self.count, "description": told}

    def read(self, value: Any) -> int:
        """The place of the text with that number."""
        number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValueError(f"choice must be a number from 1 to {self.count}, got {value!r}")
        if not 1 <= number <= self.count:
            raise ValueError(f"choice must be from 1 to {self.count}, got {number}")
        return number - 1

    def read_prose(self, text: str) -> int:
        """The number that the text names last.

        >>> PickForm(4).read_prose("The most consistent response is Response 3.")
        2
        """
        numbers = [found[1] for found in _CHOSEN.finditer(text) if found[1].isdecimal()]
        if numbers:
            return self.read(numbers[-1])
        bare = _BARE.fullmatch(text)
        return self.read(bare[1]) if bare else _missing("choice")


@dataclass(frozen=True, slots=True)
class RankingForm:
    """The numbers of `count` texts, best first; read as places from 0, each at most once.

    A number that comes twice counts where it came first, one that names no text is passed over,
    and texts may be missing; a reply that names none of them is no ranking.
    """

    count: int
    name: str = "ranking"
    field: str = "ranking"
    reason: str = REASON

    @property
    def example(self) -> str:
        """An order that is not that of the texts."""
        return str([*range(2, self.count + 1), 1])

    def schema(self) -> dict[str, Any]:
        """A list of numbers of texts."""
        number = {"type": "integer", "minimum": 1, "maximum": self.count}
        return {"type": "array", "items": number, "description": "their numbers, best first"}

    def read(self, value: Any) -> tuple[int, ...]:
        """The places, best first.

        >>> RankingForm(3).read([3, 1, 3, 7])
        (2, 0)
        """
        if isinstance(value, str):
            return self.read_prose(value)
        if not isinstance(value, list):
            raise ValueError(f"ranking must be a list of numbers, got {value!r}")
        return self._places([str(number) for number in cast(list[Any], value)])

    def read_prose(self, text: str) -> tuple[int, ...]:
        """The places in the order that is written last, as in "[2] > [1] > [3]"."""
        orders = _ORDER.findall(text)
        return self._places(re.findall(r"\d+", orders[-1])) if orders else _missing("ranking")

    def _places(self, numbers: Sequence[str]) -> tuple[int, ...]:
        known = {str(number): number - 1 for number in range(1, self.count + 1)}
        places = tuple(dict.fromkeys(known[n.strip()] for n in numbers if n.strip() in known))
        if not places:
            raise ValueError(f"ranking must name numbers from 1 to {self.count}, got none of them")
        return places


@dataclass(frozen=True, slots=True)
class SameForm:
    """Whether two texts say the same."""

    name: str = "equivalence"
    field: str = "same"
    example: str = "true"
    reason: str = REASON

    def schema(self) -> dict[str, Any]:
        """True or false."""
        return {"type": "boolean", "description": "whether the two answers say the same"}

    def read(self, value: Any) -> bool:
        """True or false, written as a word too."""
        told = _YES.get(value.strip().casefold()) if isinstance(value, str) else value
        if not isinstance(told, bool):
            raise ValueError(f"same must be true or false, got {value!r}")
        return told

    def read_prose(self, text: str) -> bool:
        """What the text says last of "same", else the yes or no that it begins with.

        >>> SameForm().read_prose("No, the second one names another river.")
        False
        """
        if found := _AGREED.findall(text):
            return _YES[found[-1].casefold()]
        first = re.match(r"\W{0,12}(yes|no|true|false)\b", text, re.IGNORECASE)
        return _YES[first[1].casefold()] if first else _missing("same")


def _missing(field: str) -> Any:
    raise ValueError(f"there is no {field} in the reply")


def whole_schema(form: Form[Any]) -> dict[str, Any]:
    """The JSON schema of the whole form: the reason first, so that it is thought of first."""
    fields: Mapping[str, Any] = {
        "reason": {"type": "string", "description": form.reason},
        form.field: form.schema(),
    }
    return {
        "title": form.name,
        "description": f"A {form.name} with its reason.",
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def in_words(form: Form[Any]) -> str:
    """How a model without structured output is asked for the form."""
    return (
        "Reply with one JSON object and nothing else, in this form: "
        f'{{"reason": "{form.reason}", "{form.field}": {form.example}}}'
    )
