"""What to ask for next, and what becomes of what came back: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tscale_graph.answers import pick_answer_kind
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import Anticipated, Dense, Rewriting, folded
from tscale_graph.sleeping.matching import documents_about
from tscale_graph.sleeping.questions import read_questions
from tscale_graph.techniques.sleeping.settings import SleepSettings
from tscale_graph.techniques.sleeping.state import Job, Outcome, SleepRun


def next_jobs(settings: SleepSettings, context: StandingContext, run: SleepRun) -> list[Job]:
    """What may be asked for side by side now; nothing when there is nothing left to do.

    What is missing comes first: dense documents, lines that those have lost, questions. Then come
    verified answers, then tests of the dense documents, and last better rewritings. Nothing is
    asked for twice in a run.
    """
    wanted = (
        _missing(settings, context, run),
        _answers(settings, run),
        _tests(settings, context, run),
        _improvements(settings, run),
    )
    for jobs in wanted:
        if new := [job for job in jobs if job.key not in run.tried]:
            return new[: settings.max_parallel]
    return []


def _missing(settings: SleepSettings, context: StandingContext, run: SleepRun) -> list[Job]:
    jobs: list[Job] = []
    for name, text in context.documents.items():
        dense = run.dense.get(name)
        if dense is None and text.strip():
            jobs.append(Job(kind="rewrite", about=name))
        elif dense is not None and dense.latest.dropped and _improvable(settings, dense):
            jobs.append(Job(kind="rewrite", about=name, attempt=dense.rounds))
    if len(run.page.questions) < settings.questions:
        jobs.append(Job(kind="think_of"))
    return jobs


def _improvements(settings: SleepSettings, run: SleepRun) -> list[Job]:
    return [
        Job(kind="rewrite", about=name)
        for name, dense in run.dense.items()
        if _improvable(settings, dense)
    ]


def _improvable(settings: SleepSettings, dense: Dense) -> bool:
    return dense.rounds < settings.rounds and dense.draft is None


def _answers(settings: SleepSettings, run: SleepRun) -> list[Job]:
    wanting = [
        one for one in run.page.questions if one.answer is None and one.tries < settings.tries
    ]
    wanting.sort(key=lambda one: (not one.asked, not one.expected))
    return [Job(kind="answer", about=one.question) for one in wanting]


def _tests(settings: SleepSettings, context: StandingContext, run: SleepRun) -> list[Job]:
    """Questions with verified answers that a dense document has not answered yet."""
    wanted: dict[str, int] = {}
    answered = [(one, _about(context, one)) for one in run.page.answered]
    for name, dense in run.dense.items():
        about = [one for one, names in answered if name in names]
        for question in _untested(settings, dense, about):
            wanted[question] = max(dense.rounds, wanted.get(question, 0))
    return [Job(kind="test", about=question, attempt=n) for question, n in wanted.items()]


def _about(context: StandingContext, one: Anticipated) -> list[str]:
    return documents_about(one.question, context.documents)


def _untested(settings: SleepSettings, dense: Dense, about: Sequence[Anticipated]) -> Iterator[str]:
    """A draft is tested with what the best one was tested with; that with so many."""
    if not dense.shortens(dense.latest):
        return
    room = settings.tests - len(dense.latest.tests)
    for one in about:
        if folded(one.question) in dense.latest.tests:
            continue
        if dense.draft is None and room > 0:
            room -= 1
            yield one.question
        elif dense.draft is not None and folded(one.question) in dense.best.tests:
            yield one.question


def applied(
    settings: SleepSettings, context: StandingContext, run: SleepRun, outcomes: Iterable[Outcome]
) -> SleepRun:
    """Where a run stands after some jobs; what failed or was dropped changes nothing."""
    for one in outcomes:
        if one.fate != "came":
            continue
        if one.job.kind == "rewrite":
            run = _rewritten(context, run, one)
        elif one.job.kind == "think_of":
            run = _thought_of(settings, run, one)
        elif one.job.kind == "answer":
            run = _answered(run, one)
        else:
            run = _tested(context, run, one)
    answered = {folded(one.question) for one in run.page.answered}
    dense = {name: one.compared(answered) for name, one in run.dense.items()}
    return run.model_copy(update={"dense": dense})


def _rewritten(context: StandingContext, run: SleepRun, outcome: Outcome) -> SleepRun:
    name = outcome.job.about
    before = run.dense.get(name)
    new = None
    if outcome.text:
        new = Rewriting(text=outcome.text, tokens=outcome.tokens, dropped=outcome.dropped)
    if before is not None:
        dense = before.with_rewriting(new)
    elif new is not None:
        source = context.keys()[name]
        dense = Dense(source=source, source_tokens=outcome.source_tokens, best=new)
    else:
        return run
    return run.model_copy(update={"dense": {**run.dense, name: dense}})


def _thought_of(settings: SleepSettings, run: SleepRun, outcome: Outcome) -> SleepRun:
    known = [one.question for one in run.page.questions]
    room = max(0, settings.questions - len(known))
    new = read_questions(outcome.text, known=known, most=room)
    page = run.page.with_questions(Anticipated(question=one) for one in new)
    return run.model_copy(update={"page": page})


def _answered(run: SleepRun, outcome: Outcome) -> SleepRun:
    before = run.page.find(outcome.job.about)
    if before is None or before.answer is not None:  # another run was here in the meantime
        return run
    new = before.model_copy(
        update={
            "answer": outcome.answer,
            "text": outcome.text if outcome.answer is not None else "",
            "support": outcome.support,
            "tries": before.tries + 1,
            "tokens": outcome.each,
        }
    )
    return run.model_copy(update={"page": run.page.with_questions([new])})


def _tested(context: StandingContext, run: SleepRun, outcome: Outcome) -> SleepRun:
    """Note for the documents that the question is about whether its answer came out the same."""
    question = run.page.find(outcome.job.about)
    if question is None or question.answer is None:
        return run
    kind = pick_answer_kind(question.question, [question.text, outcome.text])
    same = outcome.read is not None and kind.key(outcome.read) == kind.key(question.answer)
    tested = {
        name: run.dense[name].with_test(question.question, right=same)
        for name in _about(context, question)
        if name in run.dense
    }
    return run.model_copy(update={"dense": {**run.dense, **tested}})
