"""Whether the answer of a run is right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tscale_graph.answers import AnswerKind, answer_kind, same_answer
from tscale_graph.recordings.checking import check_judgeable, kind_of_question
from tscale_graph.recordings.questions import Question
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample
from tscale_graph.verifiers import Verifier, check_verifier, verify


@dataclass(frozen=True)
class Judge:
    """Judges by the gold answer, or where there is none, by a verifier.

    Attributes:
        verifier: for questions that name none.
        kind: how answers are read; None lets the verifier or the gold answer say.
        recorded: of played recordings, the questions by their texts: an answer is as right as it
            was there.
    """

    verifier: Verifier | None = None
    kind: AnswerKind | None = None
    recorded: Mapping[str, RecordedQuestion] = field(default_factory=dict[str, RecordedQuestion])

    def check(self, questions: Iterable[Question]) -> None:
        """Refuse questions that cannot be judged.

        Raises:
            ValueError: in one line, for the first of them.
        """
        for question in questions:
            if question.question not in self.recorded:
                verifier = self.verifier_of(question)
                check_judgeable(question.id, gold=question.gold, verifier=verifier)

    def verifier_of(self, question: Question) -> Verifier | None:
        """The question's own verifier, else the one for all."""
        return check_verifier(question.verifier) if question.verifier else self.verifier

    async def is_right(self, question: Question, answer: str | None) -> bool:
        """Whether an answer is right; none never is."""
        if answer is None:
            return False
        known = self.recorded.get(question.question)
        if known is not None:
            kind = self.kind or answer_kind(known.kind)
            same = None if kind is None else _said(known, answer, kind)
            if same is not None:
                return same.correct
        verifier = self.verifier_of(question)
        if question.gold is not None:
            kind = kind_of_question(
                question.question, gold=question.gold, verifier=verifier, kind=self.kind
            )
            return same_answer(answer, question.gold, kind)
        return verifier is not None and bool(
            (await verify(verifier, question.question, answer)).passed
        )


def _said(question: RecordedQuestion, answer: str, kind: AnswerKind) -> RecordedSample | None:
    """The first recorded sample with that answer."""
    for sample in question.samples:
        if sample.answer is not None and same_answer(answer, sample.answer, kind):
            return sample
    return None
