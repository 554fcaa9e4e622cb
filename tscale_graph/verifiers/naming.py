"""Verifiers by name, for command lines and policy files."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel

from tscale_graph.models.unsuitable import UnsuitableVerifier
from tscale_graph.verifiers.adapting import Verifier, parameters
from tscale_graph.verifiers.constraints import constraints
from tscale_graph.verifiers.countdown import Countdown, countdown
from tscale_graph.verifiers.equation import equation
from tscale_graph.verifiers.json_schema import json_schema
from tscale_graph.verifiers.python_tests import python_tests
from tscale_graph.verifiers.rewards import reward_model

VERIFIERS: dict[str, str] = {
    "equation": "substitutes the answer back into the question's equations",
    "countdown": "each number once, and the target is made, in an expression or in steps",
    "countdown:sound": "the same, but steps are scored with no look-ahead",
    "constraints:words=8,contains=river": "counts words, and looks for what must occur",
    "json_schema:schema.json": "JSON that a schema accepts",
    "python_tests:tests.py": "code that passes tests, run in a sandbox",
    "judge:openai:gpt-5-mini": 'a model that scores answers; "judge" alone asks the embedded one',
    "step_judge:openai:gpt-5-mini": "a model that scores each step of a solution",
    "pairwise:openai:gpt-5-mini": "a model that compares two answers, in both orders",
    "listwise:openai:gpt-5-mini": "a model that ranks all answers at once",
    "prm:folder": "a process reward model of yours, as it was saved: it scores each step",
    "remote_prm:http://localhost:8000/pooling": "Qwen2.5-Math-PRM behind HTTP, which scores each "
    "step; remote_prm:math_shepherd=http://… another",
    "reward:http://localhost:8000/classify": "a reward model behind HTTP, called as its path says",
}
"""What `named_verifier` takes, with a line on each."""


def check_verifier(verifier: Verifier | str) -> Verifier:
    """The verifier, or the built-in one of that name.

    Raises:
        ValueError: when it is neither.
        UnsuitableVerifier: when it compares answers.
    """
    if isinstance(verifier, str):
        verifier = named_verifier(verifier)
    bare: Any = getattr(verifier, "bound", verifier)
    if isinstance(bare, BaseChatModel):
        raise ValueError(f"verifier must judge answers: use judge(…), got {type(bare).__name__}")
    if not callable(verifier) and not hasattr(verifier, "ainvoke"):
        told = (
            "verifier must be callable as verifier(question, answer) or the name of a built-in "
            f"one, got {type(verifier).__name__}"
        )
        if _compares(verifier):
            raise UnsuitableVerifier(f"{told}, which compares answers: it is for best_of_n")
        raise ValueError(told)
    _check_arity(verifier)
    return verifier


def _compares(verifier: object) -> bool:
    return type(verifier).__module__.startswith("tscale_graph.verifiers.judges.")


def _check_arity(verifier: Verifier) -> None:
    """Refuse a function that a question and an answer do not fit.

    Raises:
        ValueError: when they do not.
    """
    if hasattr(verifier, "ainvoke") or "outputs" in parameters(verifier):
        return
    try:
        signature = inspect.signature(verifier)
    except (TypeError, ValueError):  # a builtin without a signature
        return
    needed = {"lease", "deadline"} & set(signature.parameters)
    try:
        signature.bind("question", "answer", **dict.fromkeys(needed))
    except TypeError as error:
        raise ValueError(
            f"verifier must be callable as verifier(question, answer): {error}"
        ) from None


def named_verifier(name: str) -> Verifier:
    """A built-in verifier by its name and settings, written "name:settings".

    >>> named_verifier("constraints:words=3").words
    (3, 3)

    Raises:
        ValueError: for an unknown name, settings that are wrong, or a file that is not there.
    """
    kind, _, settings = name.partition(":")
    build = _BUILDERS.get(kind)
    if build is None:
        known = ", ".join(_BUILDERS)
        raise ValueError(f"verifier must be one of {known}, got {name!r}")
    return build(settings)


def _equation(settings: str) -> Verifier:
    _no_settings("equation", settings)
    return equation


def _countdown(settings: str) -> Verifier:
    if settings in ("", "reachable"):
        return countdown
    if settings != "sound":
        raise ValueError(f"countdown takes reachable or sound, got {settings!r}")
    return Countdown(step_scores="sound")


def _no_settings(name: str, settings: str) -> None:
    if settings:
        raise ValueError(f"{name} takes no settings, got {settings!r}")


def _constraints(settings: str) -> Verifier:
    arguments: dict[str, Any] = {}
    for setting in filter(None, settings.split(",")):
        name, _, value = setting.partition("=")
        if name in ("words", "characters", "sentences"):
            low, _, high = value.partition("-")
            if not low.isdigit() or (high and not high.isdigit()):
                raise ValueError(f"{name} must be a number or from-to, got {value!r}")
            arguments[name] = (int(low), int(high or low))
        elif name in ("contains", "excludes"):
            arguments.setdefault(name, []).append(value)
        elif name == "matches":
            arguments[name] = value
        else:
            raise ValueError(
                "constraints takes words, characters, sentences, contains, excludes, matches; "
                f"got {name!r}"
            )
    return constraints(**arguments)


def _json_schema(settings: str) -> Verifier:
    try:
        schema = json.loads(_read("json_schema", settings))
    except json.JSONDecodeError as error:
        raise ValueError(f"{settings} is not JSON: {error}") from None
    return json_schema(schema)


def _python_tests(settings: str) -> Verifier:
    return python_tests(_read("python_tests", settings))


def _judge(settings: str) -> Verifier:
    from tscale_graph.verifiers.judges import judge  # only where one is wanted: it loads models

    return judge(settings or "local")


def _step_judge(settings: str) -> Verifier:
    from tscale_graph.verifiers.judges import step_judge

    return step_judge(settings or "local")


def _pairwise(settings: str) -> Any:
    from tscale_graph.verifiers.judges import pairwise_judge

    return pairwise_judge(settings or "local")


def _listwise(settings: str) -> Any:
    from tscale_graph.verifiers.judges import listwise_judge

    return listwise_judge(settings or "local")


def _reward(settings: str) -> Verifier:
    api, _, url = settings.rpartition("=")
    return reward_model(url, api=api or None)


def _prm(settings: str) -> Verifier:
    from tscale_graph.verifiers.process.model import ProcessRewardModel  # it needs numpy

    try:
        return ProcessRewardModel.load(settings or None)
    except OSError as error:
        raise ValueError(f"prm cannot read {settings}: {error}") from None


def _remote_prm(settings: str) -> Verifier:
    from tscale_graph.verifiers.process.remote import remote_process_reward_model

    style, given, url = settings.partition("=")
    if not given or "/" in style:  # the = is the url's own
        return remote_process_reward_model(settings)
    return remote_process_reward_model(url, style=style)


def _read(name: str, path: str) -> str:
    if not path:
        raise ValueError(f"{name} needs a file: {name}:path")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name} cannot read {path}: {error}") from None


_BUILDERS: dict[str, Callable[[str], Verifier]] = {
    "equation": _equation,
    "countdown": _countdown,
    "constraints": _constraints,
    "json_schema": _json_schema,
    "python_tests": _python_tests,
    "judge": _judge,
    "step_judge": _step_judge,
    "pairwise": _pairwise,
    "listwise": _listwise,
    "prm": _prm,
    "remote_prm": _remote_prm,
    "reward": _reward,
}
