"""What is kept of a model that revised its answers to a question, in several chains."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tscale_graph.candidates import Score


class RecordedVersion(BaseModel):
    """One answer of a chain.

    Attributes:
        text: what the model said; "" where only the answer was kept.
        answer: the answer found in it; None casts no vote.
        correct: the answer is right: the gold answer, or passed where there is none.
        score: what the verifier, or the model's own critique, said; in [0, 1], or None.
        passed: its verdict, where it decides.
        base: the place in the chain of the version that it revises; None for an answer to the
            question alone.
        prompt_tokens: of the prompt that it answers, with all that it was told of its base.
        output_tokens: of the version.
        verdict_tokens: what judging it cost: the critique with its prompt; 0 where that is free.
        calls: completions asked for, the critique's included.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    text: str = ""
    answer: str | None = None
    correct: bool = False
    score: Score | None = None
    passed: bool | None = None
    base: int | None = Field(default=None, ge=0)
    prompt_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    verdict_tokens: int = Field(default=0, ge=0)
    calls: int = Field(default=1, ge=1)

    @property
    def tokens(self) -> int:
        """All that it cost."""
        return self.prompt_tokens + self.output_tokens + self.verdict_tokens

    @property
    def verdict_score(self) -> float | None:
        """Its score; that of a bare verdict is 1 or 0, and there is none without either."""
        if self.score is None and self.passed is not None:
            return float(self.passed)
        return self.score


class RecordedChains(BaseModel):
    """A question, and several chains of versions that know nothing of each other.

    A chain is whole: it is shorter than `1 + max_revisions` versions only where it ended by
    itself, for a version passed or its revisions came to nothing new.

    Attributes:
        id: names the question in its recording.
        question: what was asked.
        gold: the right answer, where it is known.
        verifier: names what judged the versions; None where the model was its own critic.
        kind: how the answers were read: the name of a kind of answer.
        model: the provider's name for the model.
        temperature: sampling temperature, or None for the model's own.
        max_revisions: the most revisions that a chain was given, at least 1.
        chains: of each its versions, in the order of their making.

    Raises:
        ValidationError: when there is no chain, or one has no version or too many.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    question: str
    gold: str | None = None
    verifier: str | None = None
    kind: str = "text"
    model: str = ""
    temperature: float | None = None
    max_revisions: int = Field(ge=1)
    chains: tuple[tuple[RecordedVersion, ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_chains(self) -> Self:
        for number, chain in enumerate(self.chains):
            if not 1 <= len(chain) <= 1 + self.max_revisions:
                raise ValueError(
                    f"chain {number} must have from 1 to {1 + self.max_revisions} versions, "
                    f"got {len(chain)}"
                )
            for place, version in enumerate(chain):
                if version.base is not None and version.base >= place:
                    raise ValueError(
                        f"base of version {place} of chain {number} must be a version before it, "
                        f"got {version.base}"
                    )
        return self
