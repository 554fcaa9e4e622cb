"""What to ask for next, and what becomes of what came back: pure."""

from __future__ import annotations

from collections.abc import Sequence

from tscale_graph.answers import pick_answer_kind
from tscale_graph.sleeping.entries import Anticipated, Dense, Page, folded
from tscale_graph.sleeping.questions import read_questions
from tscale_graph.techniques.sleeping.settings import SleepSettings
from tscale_graph.techniques.sleeping.state import Done, Job, SleepRun
from tscale_graph.verifiers.provenance import traced


def next_jobs(settings: SleepSettings, run: SleepRun) -> list[Job]:
    """What may be asked for side by side now; nothing when there is nothing left to do.

    First what is missing: dense documents, questions, verified answers. Then whether the dense
    documents say what the context says, and last, better ones: each thing once in a run.
    """
    for jobs in (_missing(settings, run), _answers(settings, run), _tests(settings, run)):
        if new := [job for job in jobs if job.key not in run.tried]:
            return new[: settings.max_parallel]
    return []


def _missing(settings: SleepSettings, run: SleepRun) -> list[Job]:
    jobs = [
        Job(kind="rewrite", about=name, attempt=_attempt(run.dense.get(name)))
        for name, text in run.context.documents.items()
        if text.strip() and _may_improve(settings, run.dense.get(name))
    ]
    if len(run.page.questions) < settings.questions:
        jobs.append(Job(kind="think_of"))
    return jobs


def _may_improve(settings: SleepSettings, dense: Dense | None) -> bool:
    return dense is None or dense.rounds < settings.rounds


def _attempt(dense: Dense | None) -> int:
    """What lost lines is worth another attempt in the same run."""
    return 0 if dense is None or not dense.dropped else dense.rounds


def _answers(settings: SleepSettings, run: SleepRun) -> list[Job]:
    wanting = [
        one for one in run.page.questions if one.answer is None and one.tries < settings.tries
    ]
    return [
        Job(kind="answer", about=one.question)
        for one in sorted(wanting, key=lambda one: not one.asked)
    ]


def _tests(settings: SleepSettings, run: SleepRun) -> list[Job]:
    """Questions with verified answers, for documents that were tested with too few."""
    least = min((one.tested for one in run.dense.values()), default=settings.tests)
    wanted = settings.tests - least
    return [Job(kind="test", about=one.question) for one in run.page.answered[: max(0, wanted)]]


def applied(settings: SleepSettings, run: SleepRun, done: Sequence[Done], *, at: float) -> SleepRun:
    """Where a run stands after some jobs.

    Args:
        settings: of the run.
        run: as it stood before.
        done: what came of the jobs.
        at: seconds since the epoch.
    """
    came = [one for one in done if one.came and one.cut_off_by is None]
    for one in came:
        if one.job.kind == "rewrite":
            run = _rewritten(settings, run, one, at)
        elif one.job.kind == "think_of":
            run = _thought_of(settings, run, one, at)
        elif one.job.kind == "answer":
            run = _answered(run, one, at)
    return _tested(run, [one for one in came if one.job.kind == "test"])


def _rewritten(settings: SleepSettings, run: SleepRun, done: Done, at: float) -> SleepRun:
    name, count = done.job.about, settings.endpoint.counter.text_bound
    source, before = run.context.documents[name], run.dense.get(name)
    text = done.text
    if before is not None and before.dropped:  # which lines were lost is what is wanted now
        text = "\n".join(dict.fromkeys([*before.text.splitlines(), *text.splitlines()]))
    found = traced(text, source)
    notes = list(run.notes)
    if found.dropped:
        lines = "a line" if len(found.dropped) == 1 else f"{len(found.dropped)} lines"
        notes.append(f"{name}: {lines} left out, with numbers that come from nowhere")
    if not found.text:
        return run.model_copy(update={"notes": notes})
    dense = Dense(
        source=run.context.keys()[name],
        text=found.text,
        tokens=count(found.text),
        source_tokens=count(source),
        dropped=len(found.dropped),
        rounds=1 if before is None else before.rounds + 1,
        written_at=at,
    )
    replaced = run.replaced if before is None else {**run.replaced, name: before}
    update = {"dense": {**run.dense, name: dense}, "replaced": replaced, "notes": notes}
    return run.model_copy(update=update)


def _thought_of(settings: SleepSettings, run: SleepRun, done: Done, at: float) -> SleepRun:
    known = [one.question for one in run.page.questions]
    room = max(0, settings.questions - len(known))
    new = read_questions(done.text, known=known, most=room)
    page = run.page.with_questions([Anticipated(question=one) for one in new], at=at)
    return run.model_copy(update={"page": page})


def _answered(run: SleepRun, done: Done, at: float) -> SleepRun:
    before = _question(run.page, done.job.about)
    if before is None:
        return run
    new = before.model_copy(
        update={
            "answer": done.answer,
            "text": done.text if done.answer is not None else "",
            "support": done.support,
            "tries": before.tries + 1,
            "tokens": done.each,
            "answered_at": at,
        }
    )
    return run.model_copy(update={"page": run.page.with_questions([new], at=at)})


def _tested(run: SleepRun, done: Sequence[Done]) -> SleepRun:
    """Note which answers came out the same; a document that got worse goes back."""
    dense = dict(run.dense)
    for one in done:
        question = _question(run.page, one.job.about)
        if question is None or question.answer is None:
            continue
        kind = pick_answer_kind(question.question, [question.text, one.text])
        same = one.read is not None and kind.key(one.read) == kind.key(question.answer)
        dense = {name: each.with_test(right=same) for name, each in dense.items()}
    for name, before in run.replaced.items():
        new = dense[name]
        if before.tested and before.right * new.tested > new.right * before.tested:
            # It is not to be improved in the same way again.
            dense[name] = before.model_copy(update={"rounds": new.rounds})
    replaced = {name: one for name, one in run.replaced.items() if dense[name].text != one.text}
    return run.model_copy(update={"dense": dense, "replaced": replaced})


def _question(page: Page, question: str) -> Anticipated | None:
    key = folded(question)
    return next((one for one in page.questions if folded(one.question) == key), None)
