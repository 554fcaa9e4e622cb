"""Labelling the steps of solutions to many questions, and keeping every completion."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from langchain_core.runnables import Runnable
from langgraph.graph.state import CompiledStateGraph

from tscale_graph.answers import AnswerKind, answer_kind
from tscale_graph.budget import Budget, BudgetExceeded, Limit, Usage
from tscale_graph.candidates import SamplingError
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.pricing import unknown_price
from tscale_graph.recordings.checking import check_judgeable, kind_of_question
from tscale_graph.recordings.files import append_question, check_place, drop_unfinished_line
from tscale_graph.recordings.label_file import LabelFile
from tscale_graph.recordings.questions import Example, Question, Shown, prompt_of
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample
from tscale_graph.recordings.sampling import Account
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.techniques.labelling.graph import label_steps
from tscale_graph.techniques.labelling.state import Labels, Rollout
from tscale_graph.techniques.tree_search.conversation import Continuation
from tscale_graph.verifiers import Verifier, check_verifier
from tscale_graph.verifiers.process.labels import Labelling, labelling_named


@dataclass(frozen=True, slots=True)
class LabelledSoFar:
    """How a label file stands.

    Attributes:
        questions: questions whose steps are labelled, those of earlier runs included.
        wanted: questions that there are.
        done_here: those that this run has finished.
        completions: that this run took.
        usage: what this run spent; its seconds are the wall clock.
        cut_off_by: the limit of the budget that ended it, or None.
        notes: what could not be done, by question.
    """

    questions: int
    wanted: int
    done_here: int = 0
    completions: int = 0
    usage: Usage = field(default_factory=Usage)
    cut_off_by: Limit | None = None
    notes: tuple[str, ...] = ()

    @property
    def left(self) -> Usage | None:
        """What the questions that are left may cost, by those of this run; None before one is done.

        Rounded to whole calls and tokens.
        """
        if not self.done_here:
            return None
        share, spent = (self.wanted - self.questions) / self.done_here, self.usage
        return Usage(
            calls=round(share * spent.calls),
            input_tokens=round(share * spent.input_tokens),
            output_tokens=round(share * spent.output_tokens),
            usd=share * spent.usd,
            seconds=share * spent.seconds,
        )


async def alabel(
    questions: Sequence[Question],
    out: str | os.PathLike[str],
    *,
    budget: Budget | dict[str, Any],
    model: str | Runnable[Any, Any] = "local",
    solutions: int = 6,
    labels: str | Labelling = "shares",
    steps: str | StepSplitter = "paragraph",
    temperature: float | None = 0.8,
    max_output_tokens: int = 512,
    answer: str | AnswerKind | Callable[[str], str | None] = "auto",
    verifier: Verifier | str | None = None,
    continuation: Continuation = "auto",
    max_parallel: int | None = None,
    system: str | None = None,
    seed: int = 0,
    examples: Sequence[Example] = (),
    shown: Shown = "turns",
    on_progress: Callable[[LabelledSoFar], None] | None = None,
) -> LabelledSoFar:
    """Sample solutions of questions, go on from their steps, and append all of it to a file.

    Every completion is on the disk as soon as it is there, so a run that was killed or cut off
    goes on where it was and asks for nothing again. The file is a recording: its whole solutions
    are samples like others. What the steps are worth is worked out of it when a model is trained.

    Args:
        questions: each needs a gold answer or a verifier.
        out: the label file; gzipped if its name ends in ".gz".
        budget: for this whole run.
        model: a chat model, "local", or "provider:model": the one that is to be judged.
        solutions: of each question, at least 1.
        labels: "shares", "bisection", or a labelling (see `label_steps`).
        steps: where a step ends.
        temperature: 0 to 2; None for the model's own.
        max_output_tokens: of one completion, at least 1.
        answer: how answers are read, as techniques take it.
        verifier: for questions that name none; it must not call a model.
        continuation: how the model is asked to go on: "auto", "prefill" or "prompt".
        max_parallel: the most completions in flight at once; None leaves it to the budget.
        system: a system prompt.
        seed: where the provider takes one.
        examples: worked examples to show before the question: how steps are written.
        shown: as "turns" of a conversation, or in one "message" as "Q: … A: …".
        on_progress: called at the beginning and after each question.

    Returns:
        How the file stands.

    Raises:
        ValueError: for a bad argument, or a file of another model, before any call.
        SamplingError: when the model failed; what was written stays.
    """
    labelling = labelling_named(labels) if isinstance(labels, str) else labels
    splitter = step_splitter(steps)
    if splitter.name is None:
        raise ValueError(f"steps of a label file must have a name, got {splitter!r}")
    loaded = load_model(model)
    asked, account = endpoint(loaded), Account(Budget.of(budget))
    if account.budget.usd is not None and asked.prices.ceiling is None:
        raise ValueError(unknown_price(asked.name))
    everyone = None if verifier is None else check_verifier(verifier)
    names = {question.verifier for question in questions}
    judges = {name: check_verifier(name) if name else everyone for name in names}
    for question in questions:
        check_judgeable(question.id, gold=question.gold, verifier=judges[question.verifier])
    graphs = {
        name: label_steps(
            loaded,
            judge,
            solutions=solutions,
            labels=labels,
            steps=steps,
            answer=answer,
            continuation=continuation,
            temperature=temperature,
            max_output_tokens=max_output_tokens,
            max_parallel=max_parallel,
            seed=seed,
        ).compile()
        for name, judge in judges.items()
    }

    def about(question: Question) -> RecordedQuestion:
        """What the file says of a question, before any completion."""
        prompt = prompt_of(question.question, system=system, examples=examples, shown=shown)
        judge, gold = judges[question.verifier], question.gold
        kind = kind_of_question(
            question.question, gold=gold, verifier=judge, kind=answer_kind(answer)
        )
        return RecordedQuestion(
            id=question.id,
            question=question.question,
            gold=gold,
            verifier=question.verifier,
            kind=kind.name,
            messages=tuple(prompt),
            model=asked.name,
            temperature=temperature,
            steps=splitter.name,
            labelling=labelling.name,
            samples=(),
        )

    every = [about(question) for question in questions]
    file = LabelFile(Path(out), asked.name, temperature, labelling, splitter, solutions)
    check_place(out)
    drop_unfinished_line(out)
    there = file.read()
    for one in every:
        file.check_same(one, there.get(one.id))
    state = LabelledSoFar(sum(file.is_labelled(there.get(one.id)) for one in every), len(every))
    _tell(on_progress, state)
    # One that was begun goes on first, so that its lines stay together.
    for one in sorted(every, key=lambda question: question.id not in there):
        known = there.get(one.id)
        if file.is_labelled(known):
            continue
        graph = graphs[one.verifier]
        found, taken = await _labelled(graph, one, known.samples if known else (), account, file)
        whole = found.status == "complete"
        account.spent += found.usage
        state = LabelledSoFar(
            questions=state.questions + whole,
            wanted=state.wanted,
            done_here=state.done_here + whole,
            completions=state.completions + taken,
            usage=account.usage,
            cut_off_by=found.cut_off_by,
            notes=(*state.notes, *(f"question {one.id!r}: {note}" for note in found.notes)),
        )
        _tell(on_progress, state)
        if found.error is not None:
            raise SamplingError(f"question {one.id!r}: {found.error}", account.usage)
        if state.cut_off_by is not None:
            break
    return state


def label(
    questions: Sequence[Question],
    out: str | os.PathLike[str],
    *,
    budget: Budget | dict[str, Any],
    **arguments: Any,
) -> LabelledSoFar:
    """Label the steps of solutions into a file; `alabel` for synchronous code."""
    return asyncio.run(alabel(questions, out, budget=budget, **arguments))


async def _labelled(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    about: RecordedQuestion,
    known: Sequence[RecordedSample],
    account: Account,
    file: LabelFile,
) -> tuple[Labels, int]:
    """Run the graph on one question; what comes back is on the disk before anything else is asked.

    Returns:
        What it came to, and how many completions it took.
    """
    left = account.remaining()
    if left.spent_limit is not None:
        return Labels(status="cut_off", cut_off_by=left.spent_limit), 0
    request = {
        "messages": list(about.messages or ()),
        "budget": Budget.model_validate(left.model_dump()),
        "gold": about.gold,
        "known": list(known),
    }
    labels, taken = Labels(), 0
    try:
        async for mode, event in graph.astream(
            request, {"recursion_limit": _SUPERSTEPS}, stream_mode=["custom", "values"]
        ):
            told = cast(dict[str, Any], event)
            if mode == "custom":
                rollouts = [Rollout.model_validate(one) for one in told["rollouts"]]
                samples = tuple(one.sample for one in rollouts if one.sample is not None)
                taken += len(samples)
                if samples:
                    part = about.model_copy(update={"samples": samples})
                    await asyncio.to_thread(append_question, file.path, part)
                    about = about.model_copy(update={"messages": None})  # once is enough
            elif "labels" in told:
                labels = Labels.model_validate(told["labels"])
    except BudgetExceeded as error:
        return Labels(status="cut_off", cut_off_by=error.limit, usage=error.usage), taken
    return labels, taken


_SUPERSTEPS = 10_000
"""More than any question takes: two for each wave of completions."""


def _tell(on_progress: Callable[[LabelledSoFar], None] | None, state: LabelledSoFar) -> None:
    if on_progress is not None:
        on_progress(state)
