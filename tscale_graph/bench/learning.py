"""From questions to a policy: what pays for each class, measured, chosen and written down."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tscale_graph.bench.completing import complete_policy, servable
from tscale_graph.bench.measuring import measured_by_class, measured_runs
from tscale_graph.bench.running import abench
from tscale_graph.bench.starting import ALL
from tscale_graph.budget import Budget, Limit, Usage
from tscale_graph.models.endpoint import Askable, endpoint
from tscale_graph.models.loading import load_model
from tscale_graph.models.replay import ReplayModel
from tscale_graph.policy import Policy
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.files import check_place, read_recording
from tscale_graph.recordings.questions import Question
from tscale_graph.recordings.recorder import Recorded, arecord
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.techniques.nodes import run_blocking
from tscale_graph.tuning.results import Tuned
from tscale_graph.tuning.tuning import aim_of, tune

_FOLDS = 5
_OF_THE_CHOICE = ("shares", "folds")
"""What `tune` takes beside the aim."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How far it is.

    Attributes:
        stage: "sampling", "running" or "measuring".
        done: questions, runs or classes.
        wanted: of these there are.
        usage: what was spent so far.
    """

    stage: str
    done: int
    wanted: int
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt.

    Attributes:
        policy: to be used, and saved.
        tuned: why, and what to expect of it on new questions.
        usage: what was spent this time.
        cut_off_by: the limit of the budget that ended the measuring early, or None.
        notes: what was left out, and what the policy needs.
    """

    policy: Policy
    tuned: Tuned
    usage: Usage
    cut_off_by: Limit | None
    notes: tuple[str, ...]


async def alearn(
    questions: Sequence[Question],
    keep: str | os.PathLike[str],
    *,
    budget: Budget | dict[str, Any] | None = None,
    model: str | Askable = "local",
    contenders: Mapping[str, Recipe] | None = None,
    request: Budget | dict[str, Any] | None = None,
    samples: int = 40,
    verifier: str | None = None,
    temperature: float | None = 0.8,
    max_output_tokens: int = 512,
    waves: Sequence[int] = (1, 4, 8),
    default_class: str | None = None,
    max_parallel: int = 4,
    seed: int = 0,
    on_progress: Callable[[Learning], None] | None = None,
    aim: Mapping[str, Any],
    **asking: Any,
) -> Learnt:
    """Measure what pays for each class of some questions, and make a policy of it.

    The model is sampled on every question, and what samples tell is played with them: votes,
    best-of-N and stopping rules in many sizes (`measure`). Further contenders are run (`abench`).
    All that was paid for is kept, so a run that was stopped goes on.

    Args:
        questions: each with its class, and a gold answer or a verifier.
        keep: the folder for recordings and outcomes; made if it is not there.
        budget: of all of this; a `ReplayModel` needs none.
        model: a chat model, "local", or "provider:model"; or a `ReplayModel`, whose samples are
            taken as they are.
        contenders: techniques to run besides, by the names of their settings.
        request: the budget of each of their requests.
        samples: of each question, at least 2.
        verifier: for questions that name none.
        temperature: of the samples, and of the policy.
        max_output_tokens: likewise, of one sample.
        waves: how many samples adaptive votes ask for at once, in the settings that are tried.
        default_class: of tasks that nothing is known of; the class with most questions if None.
        max_parallel: requests of contenders side by side.
        seed: of samples, replays and intervals.
        on_progress: is told how far it is.
        aim: of `tune`: one of mean_tokens, mean_calls, mean_usd and accuracy, and what else it
            takes.
        asking: of `arecord` and `abench`: answer, system, examples and shown.

    Raises:
        ValueError: for bad arguments, files that do not go on from here, or when too little was
            measured.
        SamplingError: when the model failed; what was written stays.
    """
    aim_of(**{name: value for name, value in aim.items() if name not in _OF_THE_CHOICE})
    work = _Work(Path(keep), None if budget is None else Budget.of(budget), on_progress)
    if (default := default_class) is not None:
        _check_default(default, questions)
    told: dict[str, Any] = {"verifier": verifier, "seed": seed, **asking}
    sampling = {"temperature": temperature, "max_output_tokens": max_output_tokens}
    chat = load_model(model)
    if isinstance(chat, ReplayModel):
        recorded = by_class(chat.questions)
        work.folder.mkdir(parents=True, exist_ok=True)
    else:
        arguments = {"samples": samples, "model": chat, **sampling, **told}
        recorded = await work.sample(questions, arguments)
    settings, notes = servable(recorded, verifier=verifier, waves=waves)
    price = None if isinstance(chat, ReplayModel) else endpoint(chat).prices
    measured = await measured_by_class(
        recorded,
        settings,
        seed=seed,
        usd=price if price is not None and price.ceiling is not None else None,
        on_class=lambda done, all_: work.tell("measuring", done, all_),
    )
    if contenders:
        more = {"request": request, "model": model, "max_parallel": max_parallel}
        await work.run(questions, contenders, {**more, **sampling, **told})
        measured = measured_runs(measured, contenders, work.outcomes)
    # So that a few questions are enough to begin with; what they promise is accordingly wide.
    folds: dict[str, Any] = {"folds": max(2, min(_FOLDS, len(measured.ids)))}
    tuned = tune(measured, seed=seed, **{**folds, **aim})
    policy, more_notes = complete_policy(
        tuned,
        recorded,
        default_class=default or max(recorded, key=lambda name: len(recorded[name])),
        model=model if isinstance(model, str) else None,
        verifier=verifier,
        request=None if request is None else Budget.of(request),
        arguments={**sampling, **{k: asking[k] for k in ("answer", "system") if k in asking}}
        if not isinstance(chat, ReplayModel)
        else {},
    )
    told_notes = (*work.notes, *notes, *more_notes)
    return Learnt(policy, tuned, work.usage, work.cut_off_by, told_notes)


def learn(
    questions: Sequence[Question],
    keep: str | os.PathLike[str],
    *,
    aim: Mapping[str, Any],
    **arguments: Any,
) -> Learnt:
    """Measure what pays and make a policy of it; `alearn` for synchronous code."""
    return run_blocking(alearn(questions, keep, aim=aim, **arguments))


def as_question(recorded: RecordedQuestion) -> Question:
    """A recorded question as one to be asked."""
    return Question.model_validate(recorded.model_dump(include=set(Question.model_fields)))


def by_class(recorded: Sequence[RecordedQuestion]) -> dict[str, list[RecordedQuestion]]:
    """Recorded questions by their classes."""
    found: dict[str, list[RecordedQuestion]] = {}
    for question in recorded:
        found.setdefault(question.task_class or ALL, []).append(question)
    return found


def _check_default(name: str, questions: Sequence[Question]) -> None:
    classes = dict.fromkeys(question.task_class or ALL for question in questions)
    if name not in classes:
        raise ValueError(f"default_class must be one of {', '.join(classes)}, got {name!r}")


@dataclass
class _Work:
    """What is measured with a model, and what that has cost."""

    folder: Path
    budget: Budget | None
    on_progress: Callable[[Learning], None] | None
    usage: Usage = field(default_factory=Usage)
    cut_off_by: Limit | None = None
    notes: list[str] = field(default_factory=list[str])

    @property
    def outcomes(self) -> Path:
        """Where the outcomes of contenders are."""
        return self.folder / "outcomes.jsonl"

    def tell(self, stage: str, done: int, wanted: int, spent: Usage | None = None) -> None:
        """Say how far it is."""
        if self.on_progress is not None:
            usage = self.usage + (spent or Usage())
            self.on_progress(Learning(stage, done, wanted, usage))

    async def sample(
        self, questions: Sequence[Question], arguments: Mapping[str, Any]
    ) -> dict[str, list[RecordedQuestion]]:
        """Sample the model on every question, and keep the samples, a file for each class."""
        budget = self._left()
        self.folder.mkdir(parents=True, exist_ok=True)
        asked: dict[str, list[Question]] = {}
        for question in questions:
            asked.setdefault(question.task_class or ALL, []).append(question)
        recorded: dict[str, list[RecordedQuestion]] = {}
        before = 0
        for name, own in asked.items():
            path = self.folder / f"{name}.jsonl.gz"
            check_place(path)

            def show(state: Recorded, before: int = before) -> None:
                self.tell("sampling", before + state.questions, len(questions), state.usage)

            if self.cut_off_by is None:
                done = await arecord(own, path, budget=budget, on_progress=show, **arguments)
                self.usage += done.usage
                self.cut_off_by = done.cut_off_by
                budget = self._left() if done.cut_off_by is None else budget
            before += len(own)
            recorded[name] = self._whole(name, path, own, arguments["samples"])
        if not any(recorded.values()):
            raise ValueError(
                f"the limit on {self.cut_off_by} came before a question had its "
                f"{arguments['samples']} samples"
            )
        return {name: found for name, found in recorded.items() if found}

    async def run(
        self,
        questions: Sequence[Question],
        contenders: Mapping[str, Recipe],
        arguments: Mapping[str, Any],
    ) -> None:
        """Run contenders on every question, and keep the outcomes."""
        if self.cut_off_by is not None:
            self.notes.append(f"nothing was run: the limit on {self.cut_off_by} came before")
            return
        done = await abench(
            questions,
            contenders,
            self.outcomes,
            budget=self._left(),
            on_progress=lambda state: self.tell("running", state.done, state.wanted, state.usage),
            **arguments,
        )
        self.usage += done.usage
        self.cut_off_by = done.cut_off_by
        if done.error is not None:
            self.notes.append(f"{done.failed} runs failed, the last: {done.error}")

    def _left(self) -> Budget:
        """What is left of the budget.

        Raises:
            ValueError: when there is none, or nothing is left.
        """
        if self.budget is None:
            raise ValueError("no budget: say what measuring may cost")
        left = self.budget.remaining(self.usage)
        if left.spent_limit is not None:
            raise ValueError(f"the limit on {left.spent_limit} was used up by sampling")
        return Budget.model_validate(left.model_dump())

    def _whole(
        self, name: str, path: Path, asked: Sequence[Question], samples: int
    ) -> list[RecordedQuestion]:
        """The questions that have all their samples."""
        wanted = {question.id for question in asked}
        there = list(read_recording(path)) if path.exists() else []
        whole = [one for one in there if one.id in wanted and len(one.samples) >= samples]
        if len(whole) < len(asked):
            told = f"{name}: {len(whole)} of {len(asked)} questions have their {samples} samples"
            self.notes.append(told)
        return [replace_class(one, name) for one in whole]


def replace_class(question: RecordedQuestion, name: str) -> RecordedQuestion:
    """The question as one of a class."""
    return question.model_copy(update={"task_class": name})
