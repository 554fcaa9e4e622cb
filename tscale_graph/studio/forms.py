"""What each technique can be told without Python, as the fields of a form.

The fields are the technique's own arguments: their defaults come from its signature and what is
said of them from its docstring, so that a form never says what the technique does not do. A form
is flat, and no field of it is a choice between types: that is what every form renderer can show.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from tscale_graph.answers import ANSWER_KINDS
from tscale_graph.budget import LIMITS, Budget
from tscale_graph.classifying.naming import CLASSIFIERS
from tscale_graph.techniques.best_of_n import COMPARING, SELECTS
from tscale_graph.techniques.named import TECHNIQUES
from tscale_graph.techniques.policy_schema import technique_of, told_of
from tscale_graph.techniques.recipes import VERIFIES
from tscale_graph.techniques.router import router
from tscale_graph.techniques.self_consistency import VOTES
from tscale_graph.verifiers import VERIFIERS
from tscale_graph.votes import SELECTIONS

ASSISTANTS: tuple[str, ...] = (*TECHNIQUES, "router")
"""Whatever has a form."""

STREAM_SAMPLES = "stream_samples"
"""The field that makes no difference to a graph, only to what a run of it streams."""

_STREAMS = "On the messages stream, the tokens of every call, and not the answer alone."
_DEFAULT_BUDGET = {"calls": 64, "seconds": 120.0}
_BUDGET: dict[str, tuple[type[int | float], str]] = {
    "calls": (int, "completions that may be asked of models"),
    "tokens": (int, "tokens of prompts and completions over all calls"),
    "usd": (float, "dollars; a model whose price is not known is then refused"),
    "seconds": (float, "seconds of wall clock"),
}
_NEED_OBJECTS = ("tools", "environment", "markers", "needs_tools", "first")
"""Arguments that only Python can give, or that are about such."""
_BY_NAME = ("model", "models", "rungs", *VERIFIES, "policy", "classifier")
"""Arguments for which a form takes a name."""
_A_MODEL = '"local", the model on the server\'s own machine, or "provider:model"'
_SAID: dict[str, str] = {
    "model": f"{_A_MODEL}.",
    "models": f"{_A_MODEL}; or several with commas in between.",
    "rungs": "Two models or more with commas in between, cheap first: each as "
    '"provider:model" or "local".',
    **dict.fromkeys(VERIFIES, f"A built-in verifier by its name: {', '.join(VERIFIERS)}."),
    "policy": "A policy file on the server; empty for the default policy.",
    "classifier": f"Who tells the class of a task: {', '.join(CLASSIFIERS)}.",
    "answer": "How the final answer is read.",
    "vote": "How votes are weighted, by how sure the model was; or universal, where the model "
    "itself picks the most consistent answer.",
    "select": "How the answer is chosen.",
    "on_exceeded": "When the budget ends before there is an answer: raise fails the run, return "
    "gives a result without an answer.",
}
"""Where forms take less than Python does, what they say of it."""
_EXAMPLES: dict[str, list[str]] = {
    "model": ["local", "openai:gpt-5-mini"],
    "models": ["openai:gpt-5-mini,anthropic:claude-haiku-4-5"],
    "rungs": ["local,openai:gpt-5-mini"],
    "verifier": ["equation", "countdown", "judge:openai:gpt-5-mini"],
    "scorer": ["countdown", "step_judge:openai:gpt-5-mini"],
    "value": ["judge:openai:gpt-5-mini"],
    "policy": ["policy.yaml"],
    "classifier": list(CLASSIFIERS),
}
_COUNTS = """
max_samples n max_output_tokens max_parallel beams width max_steps step_tokens max_nodes batch
max_depth repeats chains subset critique_tokens population generations thinking_tokens
"""
_COUNTS_FROM_0 = """
speculate seed cost_weight exploration reflections max_revisions min_thinking_tokens
"""
_RANGES: dict[str, Any] = {
    **dict.fromkeys(_COUNTS.split(), Field(ge=1)),
    **dict.fromkeys(_COUNTS_FROM_0.split(), Field(ge=0)),
    "samples": Field(ge=2),
    "temperature": Field(ge=0, le=2),
    "score_temperature": Field(gt=0),
    "emphasis": Field(gt=0),
    "value_weight": Field(ge=0, le=1),
    "agreement": Field(gt=0, le=1),
    "accept": Field(ge=0, le=1.01),
}


class Form(BaseModel):
    """The settings of one assistant; an empty one has the defaults.

    Each form adds the arguments of its technique; `budget_calls`, `budget_tokens`, `budget_usd`
    and `budget_seconds`: the budget of runs whose input brings none; and `stream_samples`, which
    the technique finds in the configuration of the run.
    """

    model_config = ConfigDict(frozen=True, json_schema_extra=lambda schema: _without_nulls(schema))

    @property
    def stated_budget(self) -> Budget | None:
        """The limits that are set; None where there are none.

        Not called `budget`: techniques look for one in the context of a run, and on a server
        that is a form of what the request said, without what it has no field for.

        Raises:
            ValueError: for a limit that no budget can have.
        """
        limits = {limit: getattr(self, f"budget_{limit}") for limit in LIMITS}
        given = {limit: value for limit, value in limits.items() if value is not None}
        return Budget.of(given) if given else None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the technique is told: whatever differs from its own defaults, by name."""
        changed = self.model_dump(exclude_defaults=True)
        return {
            name: value
            for name, value in changed.items()
            if not name.startswith("budget_") and name != STREAM_SAMPLES
        }


@cache
def form(name: str) -> type[Form]:
    """The form of a technique, or of the router.

    >>> form("self_consistency")(max_samples=4).arguments
    {'max_samples': 4}

    Args:
        name: one of `ASSISTANTS`.

    Raises:
        ValueError: for another name.
        ImportError: when the technique needs a package that is not installed.
    """
    if name not in ASSISTANTS:
        raise ValueError(f"assistant must be one of {', '.join(ASSISTANTS)}, got {name!r}")
    technique = router if name == "router" else technique_of(name)
    hints, told = get_type_hints(technique), told_of(technique, "Args")
    fields: dict[str, Any] = {}
    for argument, parameter in inspect.signature(technique).parameters.items():
        if argument == "budget":
            fields |= _budget_fields({} if name == "router" else _DEFAULT_BUDGET)
        elif argument not in _NEED_OBJECTS:
            kind = _kind(name, argument, hints[argument])
            fields[argument] = (kind, _field(argument, parameter, told.get(argument, "")))
    fields[STREAM_SAMPLES] = (bool, Field(False, description=_STREAMS))
    title = "".join(word.capitalize() for word in name.split("_"))
    return create_model(title, __base__=Form, __doc__=_first_line(technique), **fields)


def _budget_fields(defaults: Mapping[str, float]) -> dict[str, Any]:
    return {
        f"budget_{limit}": (
            _ranged(kind, Field(gt=0), empty=True),
            Field(defaults.get(limit), description=f"The most {said}."),
        )
        for limit, (kind, said) in _BUDGET.items()
    }


def _kind(name: str, argument: str, hint: Any) -> Any:
    """The type of a field, with its range, and empty where it may be."""
    names = _choices(name, argument)
    kind = str if argument in _BY_NAME else Literal[names] if names else _plain(hint)
    empty = type(None) in get_args(hint)
    return _ranged(kind, _RANGES.get(argument, Field()), empty=empty)


def _ranged(kind: Any, within: Any, *, empty: bool) -> Any:
    ranged: Any = Annotated[kind, within]
    return ranged | None if empty else ranged


def _choices(name: str, argument: str) -> tuple[str, ...]:
    """The names that an argument takes, where they are all that it takes."""
    if argument == "select":
        return (*SELECTS, *COMPARING) if name == "best_of_n" else SELECTIONS
    return {"answer": ANSWER_KINDS, "vote": VOTES}.get(argument, ())


def _plain(hint: Any) -> Any:
    """The first part of a type that a field can hold."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(one for part in get_args(hint) if (one := _plain(part)) is not None)
    return hint if hint in (int, float, str, bool) or get_origin(hint) is Literal else None


def _field(argument: str, parameter: inspect.Parameter, told: str) -> Any:
    default = parameter.default
    if default is parameter.empty:
        default = "local" if argument in ("model", "models") else ...
    return Field(
        default,
        description=_SAID.get(argument) or _as_said_of_a_form(told),
        examples=_EXAMPLES.get(argument),
        json_schema_extra={"langgraph_type": "prompt"} if argument == "system" else None,
    )


def _as_said_of_a_form(told: str) -> str:
    told = re.sub(r"(?<=[.] )None\b", "Empty", told)
    told = re.sub(r"\bNone\b", "empty", told)
    return told[:1].upper() + told[1:]


def _first_line(technique: object) -> str:
    return next(iter((inspect.getdoc(technique) or "").splitlines()), "")


def _without_nulls(schema: dict[str, Any]) -> None:
    """A field that may be empty is of one type all the same, and empty is no default."""
    for field in schema["properties"].values():
        if "anyOf" in field:
            field |= field.pop("anyOf")[0]
        if field.get("default", ...) is None:
            del field["default"]
