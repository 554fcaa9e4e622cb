"""Running every contender on every question, and keeping what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tscale_graph.answers import AnswerKind, answer_kind
from tscale_graph.bench.building import Builder, Graph, contender
from tscale_graph.bench.judging import Judge
from tscale_graph.bench.purse import Purse
from tscale_graph.bench.starting import check_arguments, request_budgets
from tscale_graph.bench.work import Benched, Running
from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.loading import load_model
from tscale_graph.models.replay import ReplayModel
from tscale_graph.policy import Policy
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.questions import Example, Question, Shown, prompt_of
from tscale_graph.recordings.sampling import Account
from tscale_graph.techniques.nodes import run_blocking
from tscale_graph.verifiers import Verifier, check_verifier


async def abench(
    questions: Sequence[Question],
    contenders: Mapping[str, Recipe | Policy | Graph],
    out: str | os.PathLike[str],
    *,
    budget: Budget | dict[str, Any],
    request: Budget | dict[str, Any] | None = None,
    model: str | Askable = "local",
    verifier: Verifier | str | None = None,
    runs: int = 1,
    max_parallel: int = 4,
    temperature: float | None = None,
    max_output_tokens: int | None = None,
    answer: str | AnswerKind | Callable[[str], str | None] = "auto",
    system: str | None = None,
    examples: Sequence[Example] = (),
    shown: Shown = "turns",
    classifier: Any = None,
    seed: int = 0,
    on_progress: Callable[[Benched], None] | None = None,
) -> Benched:
    """Run techniques and policies on questions, and append the outcome of each run to a file.

    Runs whose outcomes are in the file already are not run again, so what was killed or cut off
    goes on where it was, and more contenders, questions or runs can be added later. All contenders
    have a question before the next one begins: what a budget pays for can be compared.

    Args:
        questions: each needs a gold answer or a verifier.
        contenders: by the names of their settings, a technique with what it is given, a policy, or
            a graph of your own whose input has `messages` and `budget` and its output `result`.
        out: the outcomes; gzipped if its name ends in ".gz".
        budget: for all of this.
        request: the budget of each request, in place of those of recipes and policies; None where
            every one of these has its own.
        model: a chat model, "local", or "provider:model", for what names none. A `ReplayModel` is
            played in another order in each run, and its answers are as right as they were.
        verifier: for questions that name none. Techniques that take one get the question's.
        runs: of each contender on each question, at least 1.
        max_parallel: requests side by side, at least 1. Latencies are measured beside each other.
        temperature: for techniques that are not given one.
        max_output_tokens: the same, of one sample.
        answer: how answers are read, where the technique is not told.
        system: a system prompt.
        examples: worked examples to show before the question.
        shown: as "turns" of a conversation, or in one "message" as "Q: … A: …".
        classifier: who tells the classes to policies, as `router` takes it; None takes the
            classes that the questions name, and the rules for others.
        seed: run k of every question has samples of its own, the same for all contenders.
        on_progress: called at the beginning and after each run.

    Returns:
        How the benchmark stands.

    Raises:
        ValueError: for a bad argument, or a file that does not go on from here, before any call.
        ImportError: when a package is missing.
        SamplingError: when ten runs in a row failed; what was written stays.
    """
    wanted = None if request is None else Budget.of(request)
    kind = None if answer == "auto" else answer_kind(answer)
    chat = load_model(model)
    recorded = chat.questions if isinstance(chat, ReplayModel) else ()
    judge = Judge(
        None if verifier is None else check_verifier(verifier),
        kind,
        {question.question: question for question in recorded},
    )
    check_arguments(questions, contenders, runs=runs, max_parallel=max_parallel)
    judge.check(questions)
    prompt_of("", system=None, examples=(), shown=shown)
    asked: dict[str, Any] = {
        "temperature": temperature,
        "max_output_tokens": max_output_tokens,
        "answer": None if kind is None else answer,
    }
    sampling = {name: value for name, value in asked.items() if value is not None}
    running = Running(
        purse=Purse(Account(Budget.of(budget), clock=time.time), max_parallel),
        requests=request_budgets(contenders, wanted, Budget.of(budget)),
        keep_their_own=wanted is None,
        builder=Builder(contenders, chat, sampling, classifier or "rules", seed),
        judge=judge,
        verifier=verifier,
        told=classifier is None,
        prompt=lambda text: prompt_of(text, system=system, examples=examples, shown=shown),
        out=Path(out),
        on_progress=on_progress,
    )
    told = {k: str(v) if k == "answer" else v for k, v in sampling.items()}
    name = model if isinstance(model, str) else type(chat).__name__
    return await running.all(
        [
            (question, setting, repetition)
            for repetition in range(runs)
            for question in questions
            for setting in contenders
        ],
        [
            contender(setting, what, model=name, request=wanted, sampling=told)
            for setting, what in contenders.items()
        ],
    )


def bench(
    questions: Sequence[Question],
    contenders: Mapping[str, Recipe | Policy | Graph],
    out: str | os.PathLike[str],
    *,
    budget: Budget | dict[str, Any],
    **arguments: Any,
) -> Benched:
    """Run techniques and policies on questions; `abench` for synchronous code."""
    return run_blocking(abench(questions, contenders, out, budget=budget, **arguments))
