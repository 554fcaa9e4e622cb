"""What a labelling run is told, checked once when its graph is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage

from tscale_graph.answers import AnswerKind
from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.recordings.checking import AnswerCheck, kind_of_question
from tscale_graph.recordings.records import RecordedQuestion, RecordedSample
from tscale_graph.search.steps import StepSplitter
from tscale_graph.techniques.settings import with_system
from tscale_graph.techniques.tree_search.conversation import REST, going_on
from tscale_graph.verifiers import Verifier
from tscale_graph.verifiers.process.labels import Completion, Labelling
from tscale_graph.verifiers.process.rollouts import completions_of


@dataclass(frozen=True)
class LabellingSettings:
    """How solutions are sampled, cut into steps, gone on from and judged.

    Attributes:
        endpoint: the model.
        labelling: which beginnings to complete, and what that says of steps.
        solutions: how many of each question.
        splitter: where a step ends.
        prefill: the prompt ends with the beginning, as an assistant message.
        verifier: judges answers where there is no gold one, or None.
        kind: how answers are read; None is decided from the question.
        temperature: sampling temperature; None leaves the model's own.
        max_output_tokens: the most tokens of one completion.
        max_parallel: the most in flight at once; None leaves it to the budget.
        budget: for requests that bring none, or None.
        system: a system prompt put before the conversation, or None.
        seed: makes runs repeatable with providers that take a seed; None does not.
    """

    endpoint: Endpoint
    labelling: Labelling
    solutions: int
    splitter: StepSplitter
    prefill: bool
    verifier: Verifier | None
    kind: AnswerKind | None
    temperature: float | None
    max_output_tokens: int
    max_parallel: int | None
    budget: Budget | None
    system: str | None
    seed: int | None

    def conversation(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The conversation as the model gets it."""
        return with_system(self.system, messages)

    def prompt(self, messages: Sequence[BaseMessage], so_far: str) -> list[BaseMessage]:
        """The same, for what comes after the beginning of a solution."""
        asked = self.conversation(messages)
        return going_on(asked, so_far, prefill=self.prefill, words=REST)

    def beginnings(self, samples: Sequence[RecordedSample]) -> dict[tuple[str, ...], str]:
        """The text of each beginning of a solution, as its first solution has it."""
        found: dict[tuple[str, ...], str] = {(): ""}
        for text in dict.fromkeys(sample.text for sample in samples):
            so_far, steps = "", list[str]()
            for piece in self.splitter.split(text):
                so_far += piece
                steps += [piece.strip()] if piece.strip() else []
                found.setdefault(tuple(steps), so_far)
        return found

    def check(self, question: str, gold: str | None) -> AnswerCheck:
        """Reads and judges the answers to a question."""
        kind = kind_of_question(question, gold=gold, verifier=self.verifier, kind=self.kind)
        return AnswerCheck(question, gold, self.verifier, kind)

    def completions(self, samples: Sequence[RecordedSample]) -> list[Completion]:
        """Samples of one question, cut into steps."""
        recorded = RecordedQuestion(id=_ONE, question=_ONE, samples=tuple(samples))
        return completions_of(recorded, self.splitter)


_ONE = "question"
"""A run has one question, so that its name makes no difference."""
