"""Whether answers are right: by the gold answer, or where there is none, by a verifier."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass, field

from tscale_graph.answers import AnswerKind, answer_kind, pick_answer_kind, same_answer
from tscale_graph.candidates import Verdict
from tscale_graph.models.replies import Completion
from tscale_graph.recordings.records import RecordedSample
from tscale_graph.verifiers import Verifier, preferred_answer, verify

_LOGPROB_DIGITS = 4


@dataclass
class AnswerCheck:
    """Reads and judges what a model said to one question; an answer that comes again costs nothing.

    Attributes:
        question: what was asked.
        gold: the right answer, or None.
        verifier: judges answers, or None.
        kind: how answers are read.
    """

    question: str
    gold: str | None
    verifier: Verifier | None
    kind: AnswerKind
    _verdicts: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])

    async def sample(
        self, completion: Completion, *, text: str | None = None, given: int = 0
    ) -> RecordedSample:
        """A completion as a sample, with its answer read and judged.

        Args:
            completion: what the model said.
            text: the whole solution, where the completion only went on with it.
            given: the steps of it that the model was given.
        """
        whole = completion.text if text is None else text
        answer = self.kind.extract(whole, truncated=completion.truncated)
        verdict = await self._verdict(answer)
        if self.gold is not None:
            correct = answer is not None and same_answer(answer, self.gold, self.kind)
        else:
            correct = bool(verdict and verdict.passed)
        logprobs = completion.logprobs
        mean = round(sum(logprobs) / len(logprobs), _LOGPROB_DIGITS) if logprobs else None
        return RecordedSample(
            text=whole,
            answer=answer,
            correct=correct,
            # One log-probability a token is exact where a shared request's usage is only divided.
            output_tokens=len(logprobs) if logprobs else completion.usage.output_tokens,
            mean_logprob=mean,
            score=verdict.score if verdict else None,
            passed=verdict.passed if verdict else None,
            truncated=completion.truncated,
            given=given,
            tests=verdict.tests if verdict else None,
        )

    async def _verdict(self, answer: str | None) -> Verdict | None:
        if self.verifier is None or answer is None:
            return None
        async with self._locks.setdefault(answer, asyncio.Lock()):
            if answer not in self._verdicts:
                self._verdicts[answer] = await verify(self.verifier, self.question, answer)
        return self._verdicts[answer]


def kind_of_question(
    question: str, *, gold: str | None, verifier: Verifier | None, kind: AnswerKind | None
) -> AnswerKind:
    """How the answers to a question are read: as was said, as its verifier wants, or as it asks."""
    named = kind or (answer_kind(preferred_answer(verifier)) if verifier else None)
    return named or pick_answer_kind(question, [f"The answer is {gold}."] if gold else [])


def check_judgeable(name: str, *, gold: str | None, verifier: Verifier | None) -> None:
    """Refuse what cannot be judged, and what would spend a budget on judging.

    Args:
        name: of the question, for the message.
        gold: its right answer, or None.
        verifier: its verifier, or None.

    Raises:
        ValueError: in one line.
    """
    if gold is None and verifier is None:
        raise ValueError(f"question {name!r} has neither a gold answer nor a verifier to judge by")
    if verifier is not None and _spends(verifier):
        raise ValueError(
            f"the verifier of a recording must not call a model, got {type(verifier).__name__}"
        )


def _spends(verifier: Verifier) -> bool:
    """Whether a verifier wants a part of the budget."""
    try:
        return "lease" in inspect.signature(verifier).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return False
