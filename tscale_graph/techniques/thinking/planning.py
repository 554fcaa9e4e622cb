"""What to ask next: more thought, the answer, or nothing; and what it may spend. No I/O, no clock.

What the answer takes is kept back before any thought is granted (`T_max = lease - A_max`), so
that a small budget means a shorter thought, and never a shorter answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tscale_graph.budget import Budget, Limit, Remaining
from tscale_graph.leases import Grant, SampleSize, grant
from tscale_graph.techniques.thinking.reading import slack
from tscale_graph.techniques.thinking.settings import ThinkingSettings
from tscale_graph.techniques.thinking.state import Step, ThinkingRun, Way

WORTH_A_CALL = 16
"""A budget that leaves fewer tokens of thought than this buys none."""
LEAST_SHARE = 0.5
"""Of the time that is left a thought has this part, however short it is: answers end by themselves
before their last token, and models and networks take their time to begin."""
FRUITLESS = 2
"""So many times in a row that a model has nothing to add, and it is not asked again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes next.

    Attributes:
        step: the call to make; None ends the run.
        cut_off_by: the limit that keeps the thought or the answer from being longer, or None.
        remarks: what could not be done.
    """

    step: Step | None
    cut_off_by: Limit | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """How a thought should go on.

    Attributes:
        ways: how to ask for it, the first that the budget has room for; none where there is to
            be no more of it.
        cue: what to go on with, where the model had stopped.
        remarks: why there is to be no more.
    """

    ways: tuple[Way, ...] = ()
    cue: str = ""
    remarks: tuple[str, ...] = ()


def plan(settings: ThinkingSettings, run: ThinkingRun, *, now: float) -> Plan:
    """The next call of a run.

    Args:
        settings: what the run was told.
        run: what came back so far.
        now: seconds since the epoch.
    """
    if run.answer is not None or _answered(settings, run):
        return Plan(None, cut_off_by=run.cut_off_by)
    wish = wanted(settings, run)
    limits: list[Limit | None] = []
    for way in wish.ways:
        step, limit = _thought(settings, run, way, wish.cue, now)
        if step is not None:
            return Plan(step, cut_off_by=run.cut_off_by)
        limits.append(limit)
    limits.extend(turn.candidate.cut_off_by for turn in run.thoughts[-1:])
    ended_by = _first(limits)
    remarks = [*wish.remarks, *([_shortened(run, ended_by)] if ended_by else [])]
    step, limit = _answer(settings, run, cut=bool(wish.ways) or _cut_short(run))
    cut_off_by = limit or ended_by or run.cut_off_by
    return Plan(step, cut_off_by=cut_off_by, remarks=tuple(remarks))


def _first(limits: Sequence[Limit | None]) -> Limit | None:
    for limit in limits:
        if limit is not None:
            return limit
    return None


def wanted(settings: ThinkingSettings, run: ThinkingRun) -> Wish:
    """Whether there is to be more thought, and how to ask for it.

    Budget forcing (Muennighoff et al. 2025, arXiv:2501.19393, section 3.1): a thought goes on with
    a cue where the model stopped before the minimum, without one where a call's own limit cut it
    short of the maximum, and not beyond that. Nor does it where that was refused: the same request
    again would be refused again.
    """
    thoughts, used, least = run.thoughts, run.thought_tokens, settings.min_thinking_tokens
    if not thoughts:
        return Wish(_not_refused(settings.ways, run))
    last = thoughts[-1]
    if last.way == "native":
        told = f"thought for {used} tokens: natively, no minimum can be asked for"
        return Wish(remarks=(told,) if used < least else ())
    refused = any(turn.refused and turn.index > last.index for turn in run.turns)
    broken = last.candidate.error or last.candidate.cut_off_by == "seconds"
    if refused or broken or used >= settings.thinking_tokens or (last.ended and used >= least):
        return Wish()
    if not last.ended:
        return Wish((last.way,)) if last.candidate.reasoning else Wish()
    if [turn.tokens for turn in thoughts[-FRUITLESS:]] == [0] * FRUITLESS:
        return Wish(remarks=(f"thought for {used} tokens, and would not go on to {least}",))
    return Wish((last.way,), cue=settings.wait)


def _answered(settings: ThinkingSettings, run: ThinkingRun) -> bool:
    """Whether the answer was asked for, and asking once more or differently is of no use."""
    asked = [turn for turn in run.turns if turn.phase == "answer" and not turn.lost]
    return bool(asked) and not (asked[-1].refused and _ways_to_answer(settings, run))


def _ways_to_answer(settings: ThinkingSettings, run: ThinkingRun) -> tuple[Way, ...]:
    """How to ask for the answer: as for the thought, or in a later way, but in none refused."""
    first = settings.ways.index(run.thoughts[-1].way) if run.thoughts else 0
    return _not_refused(settings.ways[first:], run)


def _not_refused(ways: Sequence[Way], run: ThinkingRun) -> tuple[Way, ...]:
    refused = {turn.way for turn in run.turns if turn.refused}
    return tuple(way for way in ways if way not in refused)


def _cut_short(run: ThinkingRun) -> bool:
    """Whether the thought was ended by something other than the model."""
    return bool(run.thoughts) and not run.thoughts[-1].ended


def _shortened(run: ThinkingRun, limit: Limit) -> str:
    if run.thoughts:
        return f"the budget's {limit} ended the thought after {run.thought_tokens} tokens"
    return f"the budget's {limit} left no room for a thought"


def _thought(
    settings: ThinkingSettings, run: ThinkingRun, way: Way, cue: str, now: float
) -> tuple[Step | None, Limit | None]:
    """A call that thinks, in what the budget has beyond the answer's reserve."""
    room = _remaining(run)
    if room is None:
        return None, None
    endpoint, answer = settings.endpoint, _tokens_to_answer(settings, run)
    native = way == "native"
    kept = settings.answer_tokens if native else 0
    prompt = run.prompt_bound + settings.words_bound("think", way) + run.thought_bound
    price = endpoint.prices.ceiling
    after = run.prompt_bound + settings.words_bound("answer", way) + run.thought_bound

    def granted(tokens: int) -> Grant:
        shown = after + tokens + settings.seam_bound + slack(tokens)
        reserve = SampleSize(prompt_tokens=shown, output_tokens=answer, price=price)
        size = SampleSize(
            prompt_tokens=prompt,
            output_tokens=tokens + kept,
            price=price,
            beside=reserve.cost(),
        )
        return grant(room, size, wanted=1, still_wanted=1, nothing_yet=False)

    most = settings.thinking_tokens - run.thought_tokens
    if endpoint.own_output_limit is not None:
        most = min(most, endpoint.own_output_limit - kept)
    least = endpoint.thinking.least if native and endpoint.thinking else min(WORTH_A_CALL, most)
    if most < max(least, 1):
        return None, None
    tokens = _most(most, lambda count: granted(count).samples == 1)
    if tokens < least:
        return None, granted(least).limited_by
    lease = granted(tokens).lease
    if lease is None:
        return None, None
    share = max(LEAST_SHARE, (tokens + kept) / (tokens + kept + answer))
    step = Step(
        index=len(run.turns),
        phase="think",
        way=way,
        shown=run.thought,
        cue=cue,
        lease=_exact(settings, lease, prompt + tokens + kept),
        prompt_tokens=prompt,
        output_tokens=tokens + kept,
        answer_tokens=kept,
        thinking=tokens if native else _no_thinking(settings, run),
        deadline=_deadline(run, now, share),
        distrusted=run.distrusted,
    )
    return step, None


def _answer(
    settings: ThinkingSettings, run: ThinkingRun, *, cut: bool
) -> tuple[Step | None, Limit | None]:
    """The call that answers; where too little is left, from the end of the thought alone."""
    room = _remaining(run)
    if room is None:
        return None, None
    endpoint, thought = settings.endpoint, run.thought
    way = (_ways_to_answer(settings, run) or settings.ways[-1:])[0]
    words, tokens = settings.words_bound("answer", way), _tokens_to_answer(settings, run)

    def size(shown: str) -> SampleSize:
        bound = run.thought_bound
        if shown != thought:
            bound = min(bound, endpoint.counter.text_bound(shown))
        told = words if shown.strip() else 0  # without a thought, the bare question is asked
        return SampleSize(
            prompt_tokens=run.prompt_bound + told + bound,
            output_tokens=tokens,
            price=endpoint.prices.ceiling,
        )

    def granted(shown: str) -> Grant:
        return grant(room, size(shown), wanted=1, still_wanted=1, nothing_yet=not shown)

    shown, given = thought, granted(thought)
    if thought and given.lease is None:
        fits = _most(len(thought) - 1, lambda count: granted(thought[-count:]).lease is not None)
        shown = thought[-fits:] if fits else ""
        given = granted(shown)
    if given.lease is None:
        return None, given.limited_by
    step = Step(
        index=len(run.turns),
        phase="answer",
        way=way,
        shown=shown,
        cut=cut,
        lease=given.lease,
        prompt_tokens=size(shown).prompt_tokens,
        output_tokens=tokens,
        thinking=_no_thinking(settings, run),
        deadline=run.admission.deadline if run.admission else None,
        distrusted=run.distrusted,
    )
    return step, None


def _no_thinking(settings: ThinkingSettings, run: ThinkingRun) -> int | None:
    """0 for a model that would otherwise think on its own; None where that cannot be told it."""
    native_refused = any(turn.refused and turn.way == "native" for turn in run.turns)
    return 0 if settings.endpoint.thinking is not None and not native_refused else None


def _tokens_to_answer(settings: ThinkingSettings, run: ThinkingRun) -> int:
    """What the answer takes in a call of its own, beside what a model thinks that cannot stop."""
    endpoint, tokens = settings.endpoint, settings.answer_tokens
    if endpoint.thinking is not None and _no_thinking(settings, run) == 0:
        tokens += endpoint.thinking.unstoppable
    return min(tokens, endpoint.own_output_limit or tokens)


def _remaining(run: ThinkingRun) -> Remaining | None:
    return run.admission.budget.remaining(run.usage) if run.admission else None


def _exact(settings: ThinkingSettings, lease: Budget, tokens: int) -> Budget:
    """A lease that has a limit on tokens where only that makes a model keep to its own."""
    if settings.endpoint.honours_limit or lease.tokens is not None:
        return lease
    return lease.model_copy(update={"tokens": tokens})


def _deadline(run: ThinkingRun, now: float, share: float) -> float | None:
    """When a thought must end, so that the answer has its share of the time that is left."""
    end = run.admission.deadline if run.admission else None
    return None if end is None else now + max(0.0, end - now) * share


def _most(high: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `high` that fits, where fewer always do; 0 if none does.

    >>> _most(100, lambda count: count * count <= 50)
    7
    """
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
