"""Labels of reasoning steps from a recording: whole solutions, and completions of beginnings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.search.steps import StepSplitter
from tscale_graph.verifiers.process.labels import Completion, Labelling, StepLabel, outcomes_of


@dataclass(frozen=True, slots=True)
class LabelledSolution:
    """A solution with what is known of each of its steps.

    Attributes:
        question: the id of the question.
        asked: what was asked.
        steps: of the solution, without the whitespace around them.
        right: whether its answer is right.
        labels: one of each step.
    """

    question: str
    asked: str
    steps: tuple[str, ...]
    right: bool
    labels: tuple[StepLabel, ...]


def bare_steps(text: str, splitter: StepSplitter) -> tuple[str, ...]:
    """The steps of a solution, without the whitespace around them; blank ones are left out.

    Remembered: every wave of completions asks for those of all texts so far again.
    """
    return _bare_steps(text, splitter)


@lru_cache(maxsize=8_192)
def _bare_steps(text: str, splitter: StepSplitter) -> tuple[str, ...]:
    return tuple(step for part in splitter.split(text) if (step := part.strip()))


def completions_of(recorded: RecordedQuestion, splitter: StepSplitter) -> list[Completion]:
    """What a model wrote on a question, cut into steps; truncated where the sample is.

    Texts without any step are left out, and those that have fewer than were given.

    Args:
        recorded: with the samples that went on from given steps (`read_recording(…,
            rollouts=True)`).
        splitter: where steps end.
    """
    found: list[Completion] = []
    for sample in recorded.samples:
        steps = bare_steps(sample.text, splitter)
        if steps and sample.given <= len(steps):
            found.append(
                Completion(recorded.id, steps, sample.correct, sample.given, sample.truncated)
            )
    return found


def labelled_solutions(
    recorded: RecordedQuestion, labelling: Labelling, splitter: StepSplitter
) -> Iterator[LabelledSolution]:
    """The solutions of a question that the model wrote from the beginning, with their labels."""
    completions = completions_of(recorded, splitter)
    known = outcomes_of(completions)
    for one in completions:
        if not one.given:
            labels = tuple(labelling.labels(one, known))
            yield LabelledSolution(one.question, recorded.question, one.steps, one.right, labels)
