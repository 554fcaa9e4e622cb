"""Sampling a model many times on each of many questions, and keeping everything."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tscale_graph.answers import AnswerKind, answer_kind, pick_answer_kind
from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.models.endpoint import Askable, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.pricing import unknown_price
from tscale_graph.models.replies import Completion
from tscale_graph.recordings.checking import AnswerCheck, check_judgeable
from tscale_graph.recordings.files import (
    append_question,
    check_place,
    drop_unfinished_line,
    read_recording,
)
from tscale_graph.recordings.questions import Example, Question, Shown, prompt_of
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.recordings.sampling import Account, Source
from tscale_graph.verifiers import Verifier, check_verifier, preferred_answer


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a recording stands.

    Attributes:
        questions: questions that have all their samples, those of earlier runs included.
        wanted: questions that there are.
        samples: samples that this run took.
        usage: what this run spent; its seconds are the wall clock.
        cut_off_by: the limit of the budget that ended it, or None.
    """

    questions: int
    wanted: int
    samples: int = 0
    usage: Usage = field(default_factory=Usage)
    cut_off_by: Limit | None = None


async def arecord(
    questions: Sequence[Question],
    out: str | os.PathLike[str],
    *,
    budget: Budget | dict[str, Any],
    model: str | Askable = "local",
    samples: int = 64,
    temperature: float | None = 0.8,
    max_output_tokens: int = 512,
    answer: str | AnswerKind | Callable[[str], str | None] = "auto",
    verifier: Verifier | str | None = None,
    system: str | None = None,
    seed: int = 0,
    examples: Sequence[Example] = (),
    shown: Shown = "turns",
    on_progress: Callable[[Recorded], None] | None = None,
) -> Recorded:
    """Sample a model on questions, and append each question with its samples to a file.

    Questions whose samples are in the file already are not sampled again, so a run that was
    killed or cut off goes on where it was. A sample is correct when its answer is the gold
    answer, or where there is none, when the verifier passes it.

    Args:
        questions: each needs a gold answer or a verifier.
        out: the recording; gzipped if its name ends in ".gz".
        budget: for this whole run.
        model: a chat model, "local", or "provider:model".
        samples: of each question, at least 1.
        temperature: 0 to 2; None for the model's own.
        max_output_tokens: of one sample, at least 1.
        answer: how answers are read, as techniques take it; "auto" lets the verifier say, else
            decides for each question from its samples.
        verifier: for questions that name none; it must not call a model.
        system: a system prompt.
        seed: where the provider takes one, request k of a question gets a seed drawn from this
            one, the question's id and k.
        examples: worked examples to show before the question.
        shown: as "turns" of a conversation, or in one "message" as "Q: … A: …".
        on_progress: called at the beginning and after each question.

    Returns:
        How the recording stands.

    Raises:
        ValueError: for a bad argument, or a file that is no recording, before any call.
        SamplingError: when the model failed; what was written stays.
    """
    asking = _Asking(
        verifier=None if verifier is None else check_verifier(verifier),
        kind=answer_kind(answer),
        system=system,
        examples=tuple(examples),
        shown=shown,
    )
    _check(questions, asking, samples, max_output_tokens, temperature)
    source = Source(endpoint(load_model(model)), max_output_tokens, temperature, seed)
    account = Account(Budget.of(budget))
    if account.budget.usd is not None and source.endpoint.prices.ceiling is None:
        raise ValueError(unknown_price(source.endpoint.name))
    check_place(out)
    drop_unfinished_line(out)
    there = _there(Path(out), questions, samples, source)
    done = sum(1 for q in questions if there.get(q.id, 0) >= samples)
    state = Recorded(done, len(questions))
    _tell(on_progress, state)
    # One that was begun goes on first, so that its lines stay together.
    for question in sorted(questions, key=lambda q: q.id not in there):
        first = there.get(question.id, 0)
        if first >= samples:
            continue
        prompt = asking.prompt(question)
        completions, cut = await source.take(
            prompt, account, question_id=question.id, first=first, wanted=samples
        )
        if completions:
            judged = await asking.judge(question, completions, source)
            await asyncio.to_thread(append_question, out, judged)
        state = Recorded(
            questions=state.questions + (cut is None),
            wanted=state.wanted,
            samples=state.samples + len(completions),
            usage=account.usage,
            cut_off_by=cut,
        )
        _tell(on_progress, state)
        if cut is not None:
            break
    return state


def record(
    questions: Sequence[Question],
    out: str | os.PathLike[str],
    *,
    budget: Budget | dict[str, Any],
    **arguments: Any,
) -> Recorded:
    """Sample a model on questions into a file; `arecord` for synchronous code."""
    return asyncio.run(arecord(questions, out, budget=budget, **arguments))


@dataclass(frozen=True)
class _Asking:
    """How questions are asked, and their answers read and judged."""

    verifier: Verifier | None
    kind: AnswerKind | None
    system: str | None
    examples: tuple[Example, ...]
    shown: Shown

    def prompt(self, question: Question) -> list[tuple[str, str]]:
        """The whole prompt as (role, text)."""
        return prompt_of(
            question.question, system=self.system, examples=self.examples, shown=self.shown
        )

    def verifier_of(self, question: Question) -> Verifier | None:
        """The question's own verifier, else the one for all."""
        return check_verifier(question.verifier) if question.verifier else self.verifier

    async def judge(
        self, question: Question, completions: Sequence[Completion], source: Source
    ) -> RecordedQuestion:
        """The completions with their answers read and judged."""
        verifier = self.verifier_of(question)
        kind = self.kind or (answer_kind(preferred_answer(verifier)) if verifier else None)
        kind = kind or pick_answer_kind(question.question, [c.text for c in completions])
        check = AnswerCheck(question.question, question.gold, verifier, kind)
        samples = [await check.sample(completion) for completion in completions]
        prompt = self.prompt(question)
        bare = prompt == [("human", question.question)]
        return RecordedQuestion(
            id=question.id,
            question=question.question,
            gold=question.gold,
            verifier=question.verifier,
            task_class=question.task_class,
            kind=kind.name,
            messages=None if bare else tuple(prompt),
            prompt_tokens=max(c.prompt_tokens or 0 for c in completions) or None,
            model=source.endpoint.name,
            temperature=source.temperature,
            samples=tuple(samples),
        )


def _check(
    questions: Sequence[Question],
    asking: _Asking,
    samples: int,
    max_output_tokens: int,
    temperature: float | None,
) -> None:
    for name, value in (("samples", samples), ("max_output_tokens", max_output_tokens)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if temperature is not None and not 0 <= temperature <= 2:
        raise ValueError(f"temperature must be between 0 and 2, got {temperature}")
    prompt_of("", system=None, examples=(), shown=asking.shown)
    for question in questions:
        verifier = asking.verifier_of(question)
        check_judgeable(question.id, gold=question.gold, verifier=verifier)


def _there(
    out: Path, questions: Sequence[Question], samples: int, source: Source
) -> dict[str, int]:
    """How many samples of each question are in the file.

    Raises:
        ValueError: when the file cannot go on: it is of another model or temperature, or a
            question that is not the last of it has too few samples.
    """
    there: dict[str, int] = {}
    if not out.exists():
        return there
    wanted = {question.id for question in questions}
    short: str | None = None
    for question in read_recording(out):
        if short is not None:
            raise ValueError(
                f"{out} has {there[short]} samples of question {short!r}, fewer than {samples}: "
                "more samples of each question need another file"
            )
        name, temperature = source.endpoint.name, source.temperature
        if (question.model, question.temperature) != (name, temperature):
            raise ValueError(
                f"{out} is of {question.model} at temperature {question.temperature}, "
                f"got {name} at {temperature}"
            )
        there[question.id] = len(question.samples)
        if question.id in wanted and len(question.samples) < samples:
            short = question.id
    return there


def _tell(on_progress: Callable[[Recorded], None] | None, state: Recorded) -> None:
    if on_progress is not None:
        on_progress(state)
