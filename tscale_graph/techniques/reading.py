"""Where a run stands: its candidates read, judged and grouped, and what the rules need of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tscale_graph.answers import AnswerKind
from tscale_graph.budget import Limit, Remaining, Usage
from tscale_graph.candidates import Candidate
from tscale_graph.leases import Grant, SampleSize, grant
from tscale_graph.stopping import FirstToFinish, Standing, wave_size
from tscale_graph.techniques.checking import short_key, with_verdicts
from tscale_graph.techniques.restarts import LOST
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Admission, Snapshot
from tscale_graph.votes import DeepConf, Majority, choose, count_votes, read_answers


@dataclass(frozen=True, slots=True)
class Reading:
    """A kind of answer for one look at a run: each key is made once, and clusters count as one.

    Attributes:
        kind: how answers are read.
        clusters: for each answer that means the same as an earlier one, that one's key.
        known: the keys that were made.
    """

    kind: AnswerKind
    clusters: Mapping[str, str]
    known: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """The name of the kind."""
        return self.kind.name

    def extract(self, text: str, *, truncated: bool = False) -> str | None:
        """As the kind does."""
        return self.kind.extract(text, truncated=truncated)

    def key(self, answer: str) -> str:
        """The key of the answer, or of an earlier one that it means the same as."""
        if answer not in self.known:
            key = self.kind.key(answer)
            self.known[answer] = self.clusters.get(short_key(key), key)
        return self.known[answer]


def read(settings: SamplingSettings, run: Snapshot) -> tuple[AnswerKind, list[Candidate]]:
    """The candidates with their answers read and their verdicts attached."""
    kind = settings.kind_for(run.question, run.candidates, run.answer_kind)
    candidates = read_answers(run.candidates, kind, run.answers)
    if run.checks:
        candidates = with_verdicts(candidates, run.checks, kind)
    return Reading(kind, run.clusters), candidates


def decided(run: Snapshot, kind: AnswerKind) -> str | None:
    """The name of the kind to keep for the rest of the run; None until there is text to go by."""
    return kind.name if any(c.text and not c.error for c in run.candidates) else None


def standing_of(
    settings: SamplingSettings,
    candidates: Sequence[Candidate],
    kind: AnswerKind,
    *,
    left: int,
) -> Standing:
    """What the stopping rules know.

    Args:
        settings: say how the answer will be chosen.
        candidates: read, with verdicts.
        kind: says which answers are the same.
        left: samples that may still be taken.
    """
    votes = _votes(candidates, kind)
    verdicts = [c.verdict for c in candidates if c.verdict is not None and c.discarded is None]
    return Standing(
        counts=count_votes(candidates, kind),
        samples=taken(settings, candidates),
        passed=sum(1 for verdict in verdicts if verdict.passed),
        failed=sum(1 for verdict in verdicts if verdict.passed is False),
        votes=votes,
        scores=tuple(verdict.score for verdict in verdicts),
        lead=_lead(settings, candidates, kind),
        left=left,
        tokens=_mean_tokens(candidates),
    )


def taken(settings: SamplingSettings, candidates: Sequence[Candidate]) -> int:
    """How many samples were taken, failed ones included.

    Of those that were to be the first to finish, what was lost with a stopped run is none: all
    of them are in flight at once, and there would be nothing left to ask for.
    """
    if not isinstance(settings.rule, FirstToFinish):
        return len(candidates)
    return sum(1 for candidate in candidates if candidate.error != LOST)


def _lead(
    settings: SamplingSettings, candidates: Sequence[Candidate], kind: AnswerKind
) -> float | None:
    if settings.closing is not None:
        return None
    choice = choose(candidates, kind, select=settings.select)
    if choice.winner is None:
        counts_votes = isinstance(settings.select, Majority) and settings.verifier is None
        return 0.0 if counts_votes else None
    return choice.lead


def _votes(candidates: Sequence[Candidate], kind: AnswerKind) -> tuple[int | None, ...]:
    """Of each sample, the number of its answer."""
    numbers: dict[str, int] = {}
    return tuple(
        None
        if c.answer is None or c.error or c.discarded is not None
        else numbers.setdefault(kind.key(c.answer), len(numbers))
        for c in candidates
    )


def _mean_tokens(candidates: Sequence[Candidate]) -> float:
    told = [c.usage.tokens for c in candidates if not c.error]
    return sum(told) / len(told) if told else 0.0


def prompt_tokens(run: Snapshot, admission: Admission) -> int:
    """What the prompt counts: as the provider counted it, once it has; else the upper bound."""
    counted = [c.prompt_tokens for c in run.candidates if c.prompt_tokens is not None]
    return max(counted) if counted else admission.prompt_bound


def sample_size(
    settings: SamplingSettings, run: Snapshot, admission: Admission, *, together: bool
) -> SampleSize:
    """The most that one sample of this run can take."""
    return settings.endpoint.size(
        prompt_tokens=prompt_tokens(run, admission),
        output_tokens=settings.max_output_tokens,
        together=together,
        beside=admission.beside,
    )


def grant_samples(
    settings: SamplingSettings, run: Snapshot, admission: Admission, *, wanted: int, together: bool
) -> Grant:
    """What the rest of the budget pays for, when the closing calls' part is kept back."""
    return grant(
        spare(run, admission),
        sample_size(settings, run, admission, together=together),
        wanted=wanted,
        still_wanted=settings.max_samples - taken(settings, run.candidates),
        nothing_yet=not run.candidates,
        calls_seen=max((c.usage.calls for c in run.candidates), default=0),
    )


def spare(run: Snapshot, admission: Admission, *, beside: Usage | None = None) -> Remaining:
    """What is left of the budget beyond what is reserved, and beside what is in flight."""
    spoken_for = admission.reserved + (beside or Usage())
    return admission.budget.remaining(run.usage + spoken_for)


def samples_left(settings: SamplingSettings, run: Snapshot) -> tuple[int, Limit | None]:
    """The most samples that may still be taken, and the limit that makes them fewer, if one does.

    A sample may use far less than its lease, so these are samples of one token: what cannot be
    changed by so many cannot be changed.
    """
    wanted = settings.max_samples - taken(settings, run.candidates)
    if run.admission is None or wanted <= 0:
        return max(0, wanted), None
    together = settings.endpoint.shares_prompt and not run.separate and wanted > 1
    whole = sample_size(settings, run, run.admission, together=together)
    granted = grant(
        spare(run, run.admission),
        replace(whole, output_tokens=1, beside=Usage(), whole=None),
        wanted=wanted,
        still_wanted=wanted,
        nothing_yet=not run.candidates,
    )
    return granted.samples, granted.limited_by


def next_wave(
    settings: SamplingSettings, candidates: Sequence[Candidate], standing: Standing
) -> int:
    """How many samples to ask for next; 0 when there are enough."""
    wave = wave_size(
        settings.rule,
        standing,
        max_samples=settings.max_samples,
        max_parallel=settings.max_parallel,
        speculate=settings.speculate,
    )
    select = settings.select
    if isinstance(select, DeepConf) and select.online and len(candidates) < select.warm_up:
        return min(wave, select.warm_up - len(candidates))
    return wave
