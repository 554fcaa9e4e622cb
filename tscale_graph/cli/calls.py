"""Compositions of techniques as written at a terminal: names, parentheses, lists and options."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_BEGINS = re.compile(r"\s*[\w-]+\s*(\(|$)")
_KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=")
_QUOTED = re.compile(r"""\s*("[^"]*"|'[^']*')\s*""")
_WORD = re.compile(r"[^()\[\],'\"]*")
_NUMBER = re.compile(r"-?\d[\d_]*(\.\d+)?(e-?\d+)?")


def is_composition(text: str) -> bool:
    """Whether a text is the name of a technique, with or without what it is made of."""
    return _BEGINS.match(text) is not None


@dataclass
class Call:
    """A name with what stands in its parentheses.

    Attributes:
        name: of a technique, it is hoped.
        arguments: texts, calls and lists of these, in their order.
        options: the same, by name.
    """

    name: str
    arguments: list[Any] = field(default_factory=list[Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])


def read_call(text: str) -> Call:
    """A composition as written, `name(argument, …, option=value)`.

    Raises:
        ValueError: when it is none, in one line.
    """
    reader = _Reader(text)
    read = reader.value()
    reader.expect_end()
    return read if isinstance(read, Call) else Call(str(read))


def arguments_by_name(call: Call, names: list[str]) -> dict[str, Any]:
    """What a call is given, by the names of what its technique takes, as it was read.

    Raises:
        ValueError: for too many arguments, or one that is given twice.
    """
    if len(call.arguments) > len(names):
        raise ValueError(f"{call.name} takes at most {len(names)} arguments")
    told = dict(zip(names, call.arguments, strict=False))
    if twice := told.keys() & call.options.keys():
        raise ValueError(f"{call.name} is given {', '.join(sorted(twice))} more than once")
    return {**told, **call.options}


def plain_setting(value: Any) -> Any:
    """A number, true, false or a text, as it was meant.

    Raises:
        ValueError: for a technique or a list.
    """
    if not isinstance(value, str):
        raise ValueError("only models can be techniques or lists")
    if value in ("true", "false"):
        return value == "true"
    if _NUMBER.fullmatch(value) is None:
        return value
    return float(value) if "." in value or "e" in value else int(value)


@dataclass
class _Reader:
    """Reads a composition from left to right."""

    text: str
    at: int = 0

    def value(self) -> Any:
        """A text, a call or a list."""
        if (quoted := _QUOTED.match(self.text, self.at)) is not None:
            self.at = quoted.end()
            return quoted[1][1:-1]
        if self._takes("["):
            listed: list[Any] = []
            self._until("]", lambda: listed.append(self.value()))
            return listed
        word = _WORD.match(self.text, self.at)
        name = word[0].strip() if word else ""
        if not name:
            raise self._wrong("a name")
        self.at += len(word[0]) if word else 0
        if not self._takes("("):
            return name
        call = Call(name)
        self._until(")", lambda: self._argument(call))
        return call

    def expect_end(self) -> None:
        """Refuse what follows."""
        if self.text[self.at :].strip():
            raise self._wrong("nothing more")

    def _argument(self, call: Call) -> None:
        keyword = _KEYWORD.match(self.text, self.at)
        if keyword is None:
            call.arguments.append(self.value())
        else:
            self.at = keyword.end()
            call.options[keyword[1]] = self.value()

    def _until(self, closing: str, read: Callable[[], None]) -> None:
        """Read what is between commas, up to a bracket."""
        if self._takes(closing):
            return
        read()
        while not self._takes(closing):
            if not self._takes(","):
                raise self._wrong(f"a comma or {closing}")
            read()

    def _takes(self, character: str) -> bool:
        rest = self.text[self.at :].lstrip()
        if not rest.startswith(character):
            return False
        self.at = len(self.text) - len(rest) + 1
        return True

    def _wrong(self, wanted: str) -> ValueError:
        rest = self.text[self.at :].strip()
        where = f"before {rest!r}" if rest else "at the end"
        return ValueError(f"{self.text!r} must have {wanted} {where}")
