"""What is kept of a model that was sampled many times on a question."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict, Field

from tscale_graph.candidates import Score

_BYTES_PER_TOKEN = 4
"""For recordings without token counts: about what English text has."""


class RecordedSample(BaseModel):
    """One sample, with everything that was learnt about it.

    Fields of other people's recordings that are not listed here are kept in `model_extra`.

    Attributes:
        text: what the model said; "" where only the answer was kept.
        answer: the final answer found in it; None casts no vote.
        correct: the answer is right: the gold answer, or passed where there is none.
        output_tokens: what it cost, as the provider counted; estimated from the length of the
            text where a recording has no counts.
        mean_logprob: mean log-probability of its tokens (≤ 0), where the provider gave them.
        score: what a verifier or reward model said, in [0, 1], or None without one.
        passed: the verifier's verdict, where it decides.
        truncated: the text was cut short at the output limit.
        given: the steps of the text that the model was given to go on from; 0 when it wrote all.
        tests: whether each of several tests passed, where there are some.
        model: the model, where it is not the same for all samples of the question.
        temperature: the temperature, likewise.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    text: str = ""
    answer: str | None = None
    correct: bool = False
    output_tokens: int = Field(default=0, ge=0)
    mean_logprob: float | None = None
    score: Score | None = None
    passed: bool | None = None
    truncated: bool = False
    given: int = Field(default=0, ge=0)
    tests: tuple[bool, ...] | None = None
    model: str | None = None
    temperature: float | None = None


class RecordedQuestion(BaseModel):
    """A question and its samples, in the order in which they were taken.

    Attributes:
        id: names the question in its recording.
        question: what was asked, without examples and system prompt.
        gold: the right answer, where it is known.
        verifier: the name of the built-in verifier that decided, with its settings.
        task_class: the class of the task, where it is known.
        kind: how the answers were read: the name of a kind of answer.
        messages: the prompt as (role, text), where it was more than the question.
        prompt_tokens: what the provider counted for the prompt, or None.
        model: the provider's name for the model.
        temperature: sampling temperature, or None for the model's own.
        steps: where steps end, where some samples went on from given steps; else None.
        labelling: which completions of beginnings there are, by name; None where there are none.
        samples: the samples.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    question: str
    gold: str | None = None
    verifier: str | None = None
    task_class: str | None = None
    kind: str = "text"
    messages: tuple[tuple[str, str], ...] | None = None
    prompt_tokens: int | None = Field(default=None, ge=1)
    model: str = ""
    temperature: float | None = None
    steps: str | None = None
    labelling: str | None = None
    samples: tuple[RecordedSample, ...]

    @property
    def prompt_size(self) -> int:
        """Tokens of the prompt: as counted, else estimated from its length."""
        asked = self.messages or (("human", self.question),)
        return self.prompt_tokens or max(1, estimated_tokens("\n".join(text for _, text in asked)))


def estimated_tokens(text: str) -> int:
    """Roughly how many tokens a text has, where nobody counted them.

    >>> estimated_tokens("Solve 3x + 4 = 19 for x.")
    6
    """
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def playing_order(question: RecordedQuestion, *, seed: int) -> list[int]:
    """The places of a question's samples in a seeded order, each once.

    The order depends on the seed, the question's id and nothing else, so `ReplayModel` and the
    simulator play the same samples.
    """
    places = list(range(len(question.samples)))
    random.Random(f"{seed}/{question.id}").shuffle(places)
    return places
