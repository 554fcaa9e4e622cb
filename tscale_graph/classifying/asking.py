"""A model that tells the class of a task, inside the budget."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tscale_graph.budget import Budget, Usage
from tscale_graph.classifying.classification import TASK_CLASSES, Classification
from tscale_graph.classifying.features import clipped
from tscale_graph.leases import SampleSize
from tscale_graph.models.endpoint import Askable
from tscale_graph.verifiers.judges.asking import Asker, Prompt, asker
from tscale_graph.verifiers.judges.fencing import fence

_PERCENT = re.compile(r"\s*(\d{1,3})\s*%?\s*")


@dataclass(frozen=True, slots=True)
class ClassForm:
    """One of the classes with how sure the model is of it, written "class, percent"."""

    classes: tuple[str, ...]
    name: str = "classification"
    field: str = "task_class"
    reason: str = "what the task asks for and how an answer could be found, in one sentence"

    @property
    def example(self) -> str:
        """The first class, for certain."""
        return f'"{self.classes[0]}, 90%"'

    def schema(self) -> dict[str, Any]:
        """A class and a percentage in one string."""
        told = f"one of {', '.join(self.classes)}, then how sure you are: {self.example}"
        return {"type": "string", "description": told}

    def read(self, value: Any) -> tuple[str, float]:
        """The class and the confidence in [0, 1]; 0.5 where none is told.

        >>> ClassForm(("simple", "samplable")).read("Samplable, 80%")
        ('samplable', 0.8)
        """
        if not isinstance(value, str):
            raise ValueError(f"task_class must be a text, got {value!r}")
        name, _, percent = value.rpartition(",") if "," in value else (value, "", "")
        told = name.strip().strip("*`'\".").casefold()
        known = {one.casefold(): one for one in self.classes}
        if told not in known:
            raise ValueError(f"task_class must be one of {', '.join(self.classes)}, got {name!r}")
        sure = _PERCENT.fullmatch(percent)
        return known[told], min(int(sure[1]), 100) / 100 if sure else 0.5

    def read_prose(self, text: str) -> tuple[str, float]:
        """The only class that the text names."""
        named = [one for one in self.classes if re.search(rf"\b{re.escape(one)}\b", text, re.I)]
        if len(named) != 1:
            raise ValueError(f"the reply must name one of {', '.join(self.classes)}")
        percent = re.findall(r"(\d{1,3})\s?%", text)
        return named[0], min(int(percent[-1]), 100) / 100 if percent else 0.5


@dataclass(frozen=True, slots=True)
class AskingClassifier:
    """A classifier that asks a model; called as `await classifier(question, lease=lease)`.

    Attributes:
        asker: fills in the form.
        classes: by name, with what makes a task one of them.
    """

    asker: Asker
    classes: Mapping[str, str]

    async def ask(
        self, question: str, *, lease: Budget, deadline: float | None = None
    ) -> Classification:
        """The same as calling it, as the router asks."""
        return await self(question, lease=lease, deadline=deadline)

    def needs(self, question: str) -> Usage:
        """The most that asking takes, a second try included."""
        return self.call_size(question).cost(calls=2)

    async def __call__(
        self, question: str, *, lease: Budget | None = None, deadline: float | None = None
    ) -> Classification:
        """The class that the model names, how sure it says to be, and what that cost.

        Args:
            question: the task; of a long one the beginning and the end are shown.
            lease: the most that may be spent.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            VerifierError: when there is no class; it carries what was spent.
        """
        reply = await self.asker.ask(
            self._prompt(question), self._form, lease=lease, deadline=deadline
        )
        task_class, confidence = reply.value
        return Classification(task_class, confidence, reply.reason, reply.usage)

    def call_size(self, question: str) -> SampleSize:
        """The most that one call takes."""
        return self.asker.size(self._prompt(question), self._form)

    @property
    def unpriced(self) -> str | None:
        """The name of a model whose price is not known, or None."""
        return self.asker.unpriced

    @property
    def _form(self) -> ClassForm:
        return ClassForm(tuple(self.classes))

    def _prompt(self, question: str) -> Prompt:
        text = clipped(question)
        fenced = fence(text)
        told = "\n".join(f"- {name}: {what}" for name, what in self.classes.items())
        task = (
            "You tell which class a task belongs to. You do not do the task. The classes:\n"
            f"{told}\n\n{fenced.rule}"
        )
        return Prompt(task, fenced.around("task", text))


def asking_classifier(
    model: str | Askable,
    *,
    classes: Mapping[str, str] | None = None,
    max_output_tokens: int = 256,
    temperature: float | None = 0.0,
    structured: bool = True,
) -> AskingClassifier:
    """A classifier that asks a model.

    Args:
        model: a chat model, "local", or "provider:model".
        classes: by name, with what makes a task one of them; the five built-in ones if None.
        max_output_tokens: of one reply, reasoning included, at least 1.
        temperature: 0 to 2; None leaves the model's own.
        structured: hold the model to a JSON schema where its provider offers that.

    Raises:
        ValueError: when it is no chat model, a number is out of range, or there are fewer than
            two classes.
        ImportError: when the model needs a package that is not installed.
    """
    told = dict(TASK_CLASSES if classes is None else classes)
    if len(told) < 2:
        raise ValueError(f"classes must be at least 2, got {len(told)}")
    if odd := [name for name in told if not name.strip() or "," in name]:
        raise ValueError(f"a class must have a name without commas, got {odd[0]!r}")
    return AskingClassifier(
        asker(
            model,
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            structured=structured,
        ),
        told,
    )
