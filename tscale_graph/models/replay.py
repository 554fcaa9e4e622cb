"""A chat model that plays back what another one once said, with what it cost.

    model = ReplayModel(questions=read_recording("letters.jsonl.gz"), seed=7)
    graph = self_consistency(model, max_samples=40, seed=0)

Any technique can so be evaluated exactly, offline, as often as needed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field, PrivateAttr, field_validator

from tscale_graph.recordings.records import (
    RecordedQuestion,
    RecordedSample,
    estimated_tokens,
    playing_order,
)


class ReplayModel(BaseChatModel):
    """Plays the samples of a recording, each once, in an order of its own for each seed.

    The question is found by the text of the last human message: the recorded question, or the
    whole prompt that was recorded for it.

    A call that has a `seed` gets the sample at that place of the order, and one for `n`
    completions those from that place on. Techniques give sample k the seed `seed + k`, so with
    `seed=0` a run is the same whatever finishes first, and any number of runs can share the
    model. Calls without a seed get the next samples that no such call had yet; `in_order` starts
    anew.

    Usage is what was recorded; several completions of one request pay for the prompt once, and
    each carries the usage of the whole request, as OpenAI's do. Where only the mean
    log-probability of a sample was kept, that is given for each of its tokens. A sample longer
    than the call's `max_tokens` is cut short in proportion.

    Attributes:
        questions: the recording.
        seed: of the order in which the samples are played.
        model_name: the recorded model's name; that of the first question if none is given.
        temperature: taken and ignored: the samples were taken at the recorded one.
    """

    questions: tuple[RecordedQuestion, ...] = Field(repr=False)
    seed: int = 0
    model_name: str = ""
    temperature: float | None = None

    _by_text: dict[str, RecordedQuestion] = PrivateAttr(default_factory=dict[str, RecordedQuestion])
    _tokens: dict[str, int] = PrivateAttr(default_factory=dict[str, int])
    _played: dict[str, int] = PrivateAttr(default_factory=dict[str, int])
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @field_validator("questions", mode="before")
    @classmethod
    def _listed(cls, questions: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(questions)

    def model_post_init(self, context: Any, /) -> None:
        """Index the questions.

        Raises:
            ValueError: when two questions have the same text.
        """
        super().model_post_init(context)
        if not self.questions:
            raise ValueError("questions must have at least one recorded question, got none")
        self.model_name = self.model_name or self.questions[0].model or "replay"
        for question in self.questions:
            for text in _texts(question):
                known = self._by_text.setdefault(text, question)
                if known is not question:
                    raise ValueError(
                        f"questions must differ, got {known.id!r} and {question.id!r} alike"
                    )
            for sample in question.samples:
                tokens = min(sample.output_tokens, self._tokens.get(_said(sample), 1 << 62))
                self._tokens[_said(sample)] = tokens

    def in_order(self, seed: int) -> ReplayModel:
        """The same recording in another order, from its beginning."""
        copy = self.model_copy(update={"seed": seed})
        copy._played, copy._lock = {}, threading.Lock()
        return copy

    @property
    def _llm_type(self) -> str:
        return "replay"

    def get_num_tokens(self, text: str) -> int:
        """The recorded tokens of a recorded text; of another, an estimate."""
        return self._tokens.get(text, estimated_tokens(text))

    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Any = None, **more: Any
    ) -> int:
        """The recorded tokens of the prompt of the question that is asked."""
        return self._question(messages).prompt_size

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        return self._play(messages, options)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        return self._play(messages, options)

    def _play(self, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> ChatResult:
        question = self._question(messages)
        wanted = options.get("n") or 1
        place = options.get("seed")
        first = self._next(question, wanted) if place is None else cast(int, place)
        order = playing_order(question, seed=self.seed)
        if not 0 <= first <= len(order) - wanted:
            raise ValueError(
                f"question {question.id!r} has {len(order)} recorded samples, got a call for "
                f"{first} to {first + wanted - 1}: sample less, or give the technique seed=0"
            )
        limit = options.get("max_tokens")
        samples = [_cut(question.samples[place], limit) for place in order[first : first + wanted]]
        output_tokens = sum(sample.output_tokens for sample in samples)
        usage = UsageMetadata(
            input_tokens=question.prompt_size,
            output_tokens=output_tokens,
            total_tokens=question.prompt_size + output_tokens,
        )
        generations = [
            ChatGeneration(message=_message(sample, usage, self.model_name)) for sample in samples
        ]
        return ChatResult(generations=generations, llm_output={"token_usage": dict(usage)})

    def _next(self, question: RecordedQuestion, wanted: int) -> int:
        with self._lock:
            first = self._played.get(question.id, 0)
            self._played[question.id] = first + wanted
        return first

    def _question(self, messages: Sequence[BaseMessage]) -> RecordedQuestion:
        asked = next((str(m.text) for m in reversed(messages) if m.type == "human"), "")
        found = self._by_text.get(asked)
        if found is None:
            raise ValueError(
                f"the last human message must be one of {len(self.questions)} recorded questions, "
                f"got {asked[:80]!r}"
            )
        return found


def _texts(question: RecordedQuestion) -> set[str]:
    """What the last human message may be."""
    whole = [text for role, text in question.messages or () if role == "human"]
    return {question.question, *whole[-1:]}


def _said(sample: RecordedSample) -> str:
    """The text of a sample; where only the answer was kept, the answer."""
    return sample.text or sample.answer or ""


def _cut(sample: RecordedSample, limit: int | None) -> RecordedSample:
    if limit is None or sample.output_tokens <= limit:
        return sample
    text = _said(sample)
    kept = text[: len(text) * limit // sample.output_tokens]
    return sample.model_copy(update={"text": kept, "output_tokens": limit, "truncated": True})


def _message(sample: RecordedSample, usage: UsageMetadata, model_name: str) -> AIMessage:
    metadata: dict[str, Any] = {
        "model_name": sample.model or model_name,
        "finish_reason": "length" if sample.truncated else "stop",
    }
    if sample.mean_logprob is not None:
        token = {"token": "", "logprob": sample.mean_logprob}
        metadata["logprobs"] = {"content": [token] * max(1, sample.output_tokens)}
    return AIMessage(_said(sample), usage_metadata=usage, response_metadata=metadata)
