"""A file of completions, from which the steps of solutions are labelled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.search.steps import StepSplitter
from tscale_graph.verifiers.process.labels import Labelling, next_rollouts, outcomes_of
from tscale_graph.verifiers.process.rollouts import completions_of


@dataclass(frozen=True)
class LabelFile:
    """A file of completions, and what they have to be like.

    Attributes:
        path: where it is.
        model: the name of the model that they are of.
        temperature: at which they were sampled.
        labelling: what is to be known of the steps.
        splitter: where steps end.
        solutions: how many of each question.
    """

    path: Path
    model: str
    temperature: float | None
    labelling: Labelling
    splitter: StepSplitter
    solutions: int

    def read(self) -> dict[str, RecordedQuestion]:
        """The questions of the file by their ids.

        Raises:
            ValueError: when it is of another model or temperature, or of steps cut otherwise.
        """
        found: dict[str, RecordedQuestion] = {}
        if not self.path.exists():
            return found
        for question in read_recording(self.path, rollouts=True):
            if (question.model, question.temperature) != (self.model, self.temperature):
                raise ValueError(
                    f"{self.path} is of {question.model} at temperature {question.temperature}, "
                    f"got {self.model} at {self.temperature}"
                )
            if question.steps and question.steps != self.splitter.name:
                raise ValueError(
                    f"{self.path} has solutions cut by {question.steps}, got {self.splitter.name}"
                )
            found[question.id] = question
        return found

    def check_same(self, asked: RecordedQuestion, there: RecordedQuestion | None) -> None:
        """Refuse a question that is in the file as another one.

        Raises:
            ValueError: in one line.
        """
        if there is None:
            return
        for name in ("question", "gold", "verifier", "messages"):
            was, now = getattr(there, name), getattr(asked, name)
            if was != now and not (name == "messages" and was is None):
                raise ValueError(
                    f"{self.path} has question {asked.id!r} with another {name}: it needs "
                    "another id, or another file"
                )

    def is_labelled(self, question: RecordedQuestion | None) -> bool:
        """Whether all that is wanted of a question is there."""
        if question is None or sum(not s.given for s in question.samples) < self.solutions:
            return False
        completions = completions_of(question, self.splitter)
        solutions = [one for one in completions if not one.given]
        return not next_rollouts(self.labelling, solutions, outcomes_of(completions))
