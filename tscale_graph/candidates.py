"""The records that travel through a run: verdicts, candidates and the result."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.budget import Limit, Usage
from tscale_graph.search_trees import SearchTree

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Verdict(BaseModel):
    """What a verifier says of one answer.

    Attributes:
        score: from 0 (surely wrong) to 1 (surely right).
        passed: True or False from a verifier that decides; None from one that only scores.
        feedback: why the answer failed, in words that a model could act on; "" when it passed.
        step_scores: one score in [0, 1] for each reasoning step, where the verifier gives them.
        tests: whether each of the verifier's tests passed, where it runs several.
        usage: what the verifier itself spent on models.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: Score
    passed: bool | None = None
    feedback: str = ""
    step_scores: tuple[Score, ...] | None = None
    tests: tuple[bool, ...] | None = None
    usage: Usage = Usage()


class Checked(BaseModel):
    """A verdict, or one line on why there is none.

    Attributes:
        verdict: what the verifier said.
        error: why it said nothing.
        cut_off_by: the limit of the budget that kept it from saying anything, or None.
        usage: what a verifier that failed had spent; a verdict carries its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict | None = None
    error: str | None = None
    cut_off_by: Limit | None = None
    usage: Usage = Usage()

    @property
    def spent(self) -> Usage:
        """What the verifier spent, whether or not it came to a verdict."""
        return self.usage + self.verdict.usage if self.verdict else self.usage


class VerifierError(RuntimeError):
    """A verifier came to no verdict.

    Attributes:
        usage: what it had spent by then.
        cut_off_by: the limit of its lease that ended it, or None.
    """

    def __init__(self, message: str, usage: Usage, cut_off_by: Limit | None = None) -> None:
        super().__init__(message)
        self.usage = usage
        self.cut_off_by: Limit | None = cut_off_by

    def __reduce__(self) -> tuple[object, ...]:
        return VerifierError, (str(self), self.usage, self.cut_off_by)


class TraceConfidence(BaseModel):
    """How sure a model was of its own tokens, in one completion.

    The confidence of a token is minus the mean log-probability of its most likely candidates
    (nats, ≥ 0; higher is surer), that of a group the mean over a sliding window of tokens
    (Fu et al. 2025, arXiv:2508.15260).

    Attributes:
        mean: over all tokens.
        lowest_group: of the least sure group.
        bottom_groups: mean over the least sure tenth of the groups.
        tail: of the last group.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    lowest_group: float
    bottom_groups: float
    tail: float


class Candidate(BaseModel):
    """One sample of a model, with everything that was learnt about it.

    Attributes:
        index: its place among the samples of the run, from 0.
        text: what the model said, without reasoning.
        answer: the final answer found in the text, or None.
        reasoning: what the model thought aloud, where the provider separates it.
        tool_calls: LangChain tool calls as plain dicts.
        finish_reason: the provider's word for why it stopped ("stop", "length", …).
        truncated: the text was cut short, by the provider's limit or by ours.
        cut_off_by: the limit of the budget that cut it short or kept it from starting.
        mean_logprob: mean log-probability of its tokens (≤ 0), where the provider gave them.
        confidence: how sure the model was of its tokens, where the provider gave their most
            likely candidates and the technique asked for them.
        stated_confidence: how sure the model says it is, in [0, 1], where it was asked.
        discarded: why it takes no part in the choice, or None when it does.
        verdict: what the verifier said, or None before or without one.
        error: one line when the call failed; such a candidate never votes.
        usage: what this sample spent. Completions of one shared request split its usage, so
            that usages add up to what was billed.
        prompt_tokens: what the provider counted for the prompt, or None where it did not say.
        overshoot_tokens: tokens spent beyond the sample's lease.
        notes: what could not be done for this sample.
    """

    model_config = ConfigDict(extra="forbid")

    index: int = Field(ge=0)
    text: str = ""
    answer: str | None = None
    reasoning: str = ""
    tool_calls: list[dict[str, Any]] = []
    finish_reason: str | None = None
    truncated: bool = False
    cut_off_by: Limit | None = None
    mean_logprob: float | None = None
    confidence: TraceConfidence | None = None
    stated_confidence: Score | None = None
    discarded: str | None = None
    verdict: Verdict | None = None
    error: str | None = None
    usage: Usage = Usage()
    prompt_tokens: int | None = Field(default=None, ge=0)
    overshoot_tokens: int = Field(default=0, ge=0)
    notes: list[str] = []


class SamplingError(RuntimeError):
    """Every sample of a run failed; the message says why.

    Attributes:
        usage: what the run had spent.
        result: of a tree search, what there is without an answer: its `tree` shows the failures.
    """

    def __init__(self, message: str, usage: Usage, result: Result | None = None) -> None:
        super().__init__(message)
        self.usage = usage
        self.result = result

    def __reduce__(self) -> tuple[object, ...]:
        return SamplingError, (str(self), self.usage, self.result)


class Tally(BaseModel):
    """How one answer stands in a vote.

    Attributes:
        answer: the answer as it was first given.
        count: how many samples gave it or an equal one.
        weight: what it was chosen by: its votes, or the sum or maximum of its scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str
    count: int = Field(ge=1)
    weight: float


class Result(BaseModel):
    """What a run came to.

    Attributes:
        answer: the chosen answer; None when no sample had one.
        text: the whole text of the sample that the answer was taken from.
        status: "complete", or "cut_off" when the budget ended the run early.
        cut_off_by: the limit that did, or None.
        usage: the true cost; `usage.seconds` is the wall clock since admission.
        technique: the technique that produced it.
        task_class: the class that a router served the task as, or None without one.
        agreement: share of the usable samples that gave this answer, in [0, 1].
        verdict: the verifier's word on the chosen sample, or None.
        votes: every answer that was in the running, best first.
        candidates: every sample, in order; of a tree search, every whole answer.
        tree: what a tree search found, to look at; None of other techniques.
        notes: what was decided on the user's behalf, and what could not be done.
    """

    model_config = ConfigDict(extra="forbid")

    answer: str | None
    text: str = ""
    status: Literal["complete", "cut_off"]
    cut_off_by: Limit | None = None
    usage: Usage
    technique: str
    task_class: str | None = None
    agreement: float | None = Field(default=None, ge=0, le=1)
    verdict: Verdict | None = None
    votes: list[Tally] = []
    candidates: list[Candidate] = []
    tree: SearchTree | None = None
    notes: list[str] = []
