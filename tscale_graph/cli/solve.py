"""`tscale solve`: one question, watched as it is answered."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any, cast

from langgraph.pregel import Pregel
from langgraph.types import StreamMode
from pydantic import ValidationError

from tscale_graph.answers import AnswerKind, answer_kind
from tscale_graph.budget import Budget, BudgetExceeded
from tscale_graph.candidates import Candidate, Result, SamplingError
from tscale_graph.cli.building import asks_embedded_model, build_graph
from tscale_graph.cli.documents import context_name, read_documents
from tscale_graph.cli.finishing import complain, fetch_weights
from tscale_graph.cli.main import (
    COMPLETE,
    CUT_OFF,
    FAILED,
    NO_ANSWER,
    WRONG_USE,
)
from tscale_graph.cli.stores import STORE, opened_store
from tscale_graph.cli.trees import check_tree_path, save_tree
from tscale_graph.cli.watching import Watcher, watcher
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.models.weights import LocalModelError
from tscale_graph.techniques.wake import wake
from tscale_graph.verifiers import named_verifier, preferred_answer

Graph = Pregel[Any, Any, Any, Any]
_UNITS: dict[str, type[int] | type[float]] = {
    "calls": int,
    "tokens": int,
    "usd": float,
    "seconds": float,
}


def solve_command(asked: argparse.Namespace) -> int:
    """Answer the question that the arguments ask; returns the exit status."""
    try:
        question = read_question(asked)
        by_class = asked.policy is not None and asked.budget is None
        budget = None if by_class else read_budget(asked.budget)
        check_tree_path(asked)
        graph = build_graph(asked)
        kind = read_as(asked)
        graph = _about(asked, graph)
    except (ValueError, ImportError, OSError) as error:
        return complain(error, WRONG_USE)
    try:
        if asks_embedded_model(graph.technique.asks):
            fetch_weights("local")
    except LocalModelError as error:
        return complain(error, FAILED)
    watching = watcher(question, budget, kind=kind, quiet=asked.json)
    state = {"messages": [("user", question)], "budget": budget, **_told(asked)}
    try:
        where = (asked.store or STORE) if asked.context else None
        result = asyncio.run(_run(graph, state, watching, where))
    except BudgetExceeded as error:
        if asked.json and not _question_is_too_long(error):
            print(_without_answer(error, asked).model_dump_json(indent=2))
        return complain(error, WRONG_USE if _question_is_too_long(error) else NO_ANSWER)
    except (ValueError, ImportError, OSError) as error:
        return complain(error, WRONG_USE)
    except SamplingError as error:
        if error.result is not None:
            _show_tree(error.result, asked.show_tree)
        return complain(error, FAILED)
    if (failed := _show_tree(result, asked.show_tree)) is not None:
        return failed
    if asked.json:
        print(result.model_dump_json(indent=2))
    else:
        watching.conclude(result)
    if result.answer is None and result.cut_off_by:
        told = f"the limit on {result.cut_off_by} came before there was an answer"
        return complain(told, NO_ANSWER)
    if result.answer is None:
        return complain("no answer could be read from what the model said", FAILED)
    return COMPLETE if result.status == "complete" else CUT_OFF


def read_question(asked: argparse.Namespace) -> str:
    """The question from the arguments, a file or standard input.

    Raises:
        ValueError: when there is none, or more than one place has one.
    """
    if asked.file is not None:
        if asked.question is not None:
            raise ValueError("give the question or --file, not both")
        question = _read_text(Path(asked.file))
    elif asked.question is None and sys.stdin.isatty():
        raise ValueError("no question: give one as an argument, with --file, or on standard input")
    elif asked.question in (None, "-"):
        question = sys.stdin.read()
    else:
        question = asked.question
    if not question.strip():
        raise ValueError("no question: it is empty")
    return question.strip()


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"--file {path} is not text in UTF-8") from None


def read_budget(text: str | None) -> Budget:
    """A budget from "tokens=20000,seconds=60".

    >>> read_budget("tokens=20_000,seconds=60")
    Budget(calls=None, tokens=20000, usd=None, seconds=60.0)

    Raises:
        ValueError: in one line, when there is none or it is no budget.
    """
    if not text:
        raise ValueError(
            "no budget: say what this may cost, as in --budget tokens=20000,seconds=60"
        )
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, amount = part.strip().partition("=")
        if name not in _UNITS:
            raise ValueError(
                f"--budget takes calls=, tokens=, usd= and seconds= joined by commas, got {part!r}"
            )
        if name in limits:
            raise ValueError(f"--budget names {name} more than once, got {text!r}")
        try:
            limits[name] = _UNITS[name](amount)
        except ValueError:
            kind = "whole number" if _UNITS[name] is int else "number"
            raise ValueError(f"--budget {name} must be a {kind}, got {amount!r}") from None
    try:
        return Budget.model_validate(limits)
    except ValidationError as error:
        problem = error.errors()[0]
        reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        name = str(problem["loc"][0])
        raise ValueError(f"--budget {name} {reason}, got {limits[name]}") from None


def _show_tree(result: Result, path: str | None) -> int | None:
    """Write the tree where that was asked for; the exit status where it cannot be."""
    if path is not None:
        try:
            save_tree(result, path)
        except (OSError, ValueError) as error:
            return complain(error, FAILED)
    return None


def read_as(asked: argparse.Namespace) -> AnswerKind | None:
    """How the technique will read answers; None where the question and the samples decide.

    Raises:
        ValueError: for an unknown kind or verifier.
        ImportError: where the kind needs a package that is not installed.
    """
    if asked.answer not in (None, "auto"):
        return answer_kind(asked.answer)
    return (
        None
        if asked.verify is None
        else answer_kind(preferred_answer(named_verifier(asked.verify)))
    )


def _about(asked: argparse.Namespace, graph: TechniqueGraph) -> TechniqueGraph:
    """The graph, with what it is about before it.

    Raises:
        ValueError: for options that go with a context only, or not with one.
        OSError: when a file cannot be read.
    """
    if not asked.context:
        for option in ("store", "name", "owner"):
            if getattr(asked, option) is not None:
                raise ValueError(f"--{option} is for --context")
        return graph
    if asked.budget is None or asked.task_class is not None:
        raise ValueError("--context needs --budget, and takes no --class")
    documents, name = read_documents(asked.context), asked.name or context_name(asked.context)
    return wake(graph, context=documents, name=name, owner=asked.owner or [])


async def _run(
    graph: TechniqueGraph, state: dict[str, Any], watching: Watcher, where: str | None
) -> Result:
    """Run the graph, and show each sample as it comes; its store is opened if it has one."""
    if where is None:
        return await _watched(graph.compile(), state, watching)
    async with opened_store(where, new=True) as store:
        return await _watched(graph.compile(store=store), state, watching)


async def _watched(graph: Graph, state: dict[str, Any], watching: Watcher) -> Result:
    result: Any = None
    with watching:
        modes: list[StreamMode] = ["values", "custom"]
        events = graph.astream(state, stream_mode=modes, subgraphs=True)
        async for event in events:
            where, mode, told = cast(tuple[Any, str, dict[str, Any]], event)
            if mode == "custom" and "sample" in told:
                candidate = Candidate.model_validate(told["sample"])
                if "node" in told:  # shown as in the tree, where the root is 0
                    candidate = candidate.model_copy(update={"index": told["node"] - 1})
                watching.saw(candidate)
            elif mode == "values" and not where:
                result = told.get("result", result)
    return Result.model_validate(result)


def _told(asked: argparse.Namespace) -> dict[str, str]:
    """What a caller of the router knows better."""
    told = {"task_class": asked.task_class}
    if asked.policy is not None and asked.technique not in (None, "router"):
        told["technique"] = asked.technique
    return {name: value for name, value in told.items() if value is not None}


def _without_answer(error: BudgetExceeded, asked: argparse.Namespace) -> Result:
    """What `--json` prints where the budget ended before there was an answer."""
    usual = "self-consistency" if asked.policy is None else "router"
    return Result(
        answer=None,
        status="cut_off",
        cut_off_by=error.limit,
        usage=error.usage,
        technique=(asked.technique or usual).replace("-", "_"),
        notes=[str(error)],
    )


def _question_is_too_long(error: BudgetExceeded) -> bool:
    """Whether no call was made because the prompt alone is more than the budget.

    Only time can end a run before its first call for another reason.
    """
    return error.usage.calls == 0 and error.limit != "seconds"
