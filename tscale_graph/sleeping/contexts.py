"""Standing contexts: what many questions are asked about, told apart by every byte of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

ONLY = "context"
"""The name of a document that was given without one."""


class StandingContext(BaseModel):
    """Documents that questions are asked about.

    Attributes:
        documents: their texts by name, in the order in which a model reads them.
        name: what the books of this context are kept under, through all its versions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: dict[str, str] = Field(min_length=1)
    name: str = ""

    @classmethod
    def of(cls, given: object, *, name: str = "") -> StandingContext:
        """The context that a user gave.

        Args:
            given: a text; texts by name; LangChain documents, which go by their "source"; or the
                fields of a `StandingContext`.
            name: for its books; by default that of its first document, or what it says.

        >>> StandingContext.of("Tea is £2.").documents
        {'context': 'Tea is £2.'}

        Raises:
            ValueError: in one line, when there is nothing in it.
        """
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"name must be a text, got {name!r:.60}")
        if isinstance(given, StandingContext):
            return given.model_copy(update={"name": name}) if name else given
        if (own := _fields(given)) is not None:
            return cls.of(own["documents"], name=name or own.get("name", ""))
        documents = _documents(given)
        if not any(text.strip() for text in documents.values()):
            raise ValueError("context must hold some text, got none")
        if any(_broken(text) for pair in documents.items() for text in pair):
            raise ValueError("context must be text, got halves of characters (lone surrogates)")
        return cls(documents=documents, name=name)

    @property
    def key(self) -> str:
        """The hash of all that a model reads: names, texts and their order."""
        return hashed(list(self.documents.items()))

    @property
    def known_as(self) -> str:
        """What its books are kept under: its name, or where it has none its content."""
        return self.name or self.key

    def keys(self) -> dict[str, str]:
        """The hash of each document's text, by its name."""
        return {name: document_key(text) for name, text in self.documents.items()}

    def text(self, instead: Mapping[str, str] | None = None) -> str:
        """All of it as a model reads it.

        Args:
            instead: texts by the name of the document that they stand in for.
        """
        texts = {**self.documents, **(instead or {})}
        if list(texts) == [ONLY]:
            return texts[ONLY]
        return "\n\n".join(f"# {name}\n\n{texts[name]}" for name in self.documents)


def document_key(text: str) -> str:
    """The hash of a document's text, by which what was prepared for it is found."""
    return hashed(text)


def hashed(value: Any) -> str:
    """SHA-256 of plain data, in hexadecimal; equal for equal data alone.

    >>> hashed(["a", "b"]) == hashed(["ab"])
    False
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _fields(given: object) -> dict[str, Any] | None:
    """The fields of a `StandingContext`, if that is what was given: texts hold no mappings."""
    if not isinstance(given, Mapping):
        return None
    fields = dict(cast(Mapping[str, Any], given))
    ours = set(fields) <= {"documents", "name"} and isinstance(fields.get("documents"), Mapping)
    return fields if ours else None


def _documents(given: object) -> dict[str, str]:
    if isinstance(given, str):
        return {ONLY: given}
    if isinstance(given, Mapping):
        named = cast(Mapping[object, object], given)
        return _checked([(name, text) for name, text in named.items()])
    if isinstance(given, Sequence):
        return _checked(map(_named, cast(Sequence[object], given), range(1, 1_000_000)))
    raise ValueError(f"context must be a text or texts by name, got {type(given).__name__}")


def _named(document: object, place: int) -> tuple[object, object]:
    """A LangChain document's name and text."""
    metadata = cast(Mapping[str, object], getattr(document, "metadata", {}))
    name = metadata.get("source") or f"document {place}"
    return str(name), getattr(document, "page_content", document)


def _checked(pairs: Iterable[tuple[object, object]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in pairs:
        if not isinstance(name, str) or not isinstance(text, str):
            raise ValueError(f"context must hold texts by name, got {text!r:.40} for {name!r:.40}")
        if name in found:  # parts of one source
            text = f"{found[name]}\n\n{text}"
        found[name] = text
    return found


def _broken(text: str) -> bool:
    """Whether it cannot be encoded, and so not be sent to any model."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
