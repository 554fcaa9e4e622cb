"""Labelled questions: what a process reward model is trained on, and what it is judged by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tscale_graph.recordings.records import RecordedQuestion
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.verifiers.process.features import Featurizer, column_names, features_of_many
from tscale_graph.verifiers.process.fitting import LabelledSteps
from tscale_graph.verifiers.process.labels import (
    Completion,
    Known,
    Labelling,
    Outcomes,
    Prefix,
    outcomes_of,
)
from tscale_graph.verifiers.process.rollouts import LabelledSolution, completions_of


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with the solutions that a model wrote from the beginning, and their labels.

    Attributes:
        key: what the question is known by: the same for the same text, whatever its id.
        family: what stands before the first "-" of its id; "" where there is none.
        asked: the question.
        solutions: at least one.
        first_wrong: of each solution, the place of its first wrong step, from 0, as far as
            completions tell; None for a right solution. Of a truncated one, which is not gone on
            from, the first that is known to be wrong.
    """

    key: str
    family: str
    asked: str
    solutions: tuple[LabelledSolution, ...]
    first_wrong: tuple[int | None, ...]


def question_key(asked: str) -> str:
    """What a question is known by wherever it is met: a hash of its words, 16 hex digits.

    >>> question_key("What is 2 + 2?") == question_key(" What is  2 + 2? ")
    True
    """
    return hashlib.sha256(" ".join(asked.split()).encode()).hexdigest()[:16]


def family_of(question_id: str) -> str:
    """What stands before the first "-" of an id; "" where there is none.

    >>> family_of("equations-train-007")
    'equations'
    """
    family, dash, _ = question_id.partition("-")
    return family if dash else ""


def steps_of(recorded: Iterable[RecordedQuestion], steps: str | None) -> str:
    """Where steps end: as was said, or as the label files say.

    Raises:
        ValueError: for an unknown name, or when the files say different things, or another.
    """
    if steps is not None:
        step_splitter(steps)
    told = sorted({one.steps for one in recorded if one.steps} | ({steps} if steps else set()))
    if len(told) > 1:
        raise ValueError(f"steps were cut in different ways: {', '.join(told)}")
    return told[0] if told else "paragraph"


def labels_of(recorded: Iterable[RecordedQuestion], labels: str | None) -> str:
    """How steps are labelled: as was said, or as the label files were made; else by shares.

    Raises:
        ValueError: when nothing was said, and the files were made in different ways.
    """
    made = sorted({one.labelling for one in recorded if one.labelling})
    if labels is None and len(made) > 1:
        raise ValueError(f"the files were labelled by {', '.join(made)}: say which labels to use")
    return labels or (made[0] if made else "shares")


def labelled_questions(
    recorded: Iterable[RecordedQuestion], *, labelling: Labelling, splitter: StepSplitter
) -> list[LabelledQuestion]:
    """The questions that have whole solutions, each once, with their labels.

    Args:
        recorded: with the samples that went on from given steps (`read_recording(…,
            rollouts=True)`); the same question under several ids is one.
        labelling: what completions say of steps.
        splitter: where steps end.

    Raises:
        ValueError: in one line, when no solution has steps, or none was ever completed.
    """
    merged: dict[str, RecordedQuestion] = {}
    for one in recorded:
        key = question_key(one.question)
        before = merged.get(key)
        samples = (*before.samples, *one.samples) if before else one.samples
        merged[key] = (before or one).model_copy(update={"samples": samples})
    if not any(sample.given for one in merged.values() for sample in one.samples):
        known = [sample.correct for one in merged.values() for sample in one.samples]
        if len(set(known)) == 1 and any(one.steps for one in merged.values()):
            same = "right" if known[0] else "wrong"
            raise ValueError(f"all solutions are {same}: there is nothing to learn from")
        raise ValueError(
            "there are no completions of given steps: label solutions first (tscale prm label)"
        )
    made = [
        labelled
        for key, one in merged.items()
        if (labelled := _labelled(key, one, labelling, splitter)).solutions
    ]
    if not made:
        raise ValueError("there is no solution that the model wrote from the beginning")
    return made


def labelled_steps(
    questions: Sequence[LabelledQuestion], featurizers: Sequence[Featurizer]
) -> LabelledSteps:
    """The steps of all solutions, a row for each; equal steps of equal beginnings are all there.

    Raises:
        ValueError: in one line, when a featurizer failed: a model would learn from what is missing.
    """
    solutions = [(one.key, solution) for one in questions for solution in one.solutions]
    width = len(column_names(featurizers))
    distinct = list(dict.fromkeys((s.asked, s.steps) for _, s in solutions))
    made = dict(zip(distinct, features_of_many(featurizers, distinct), strict=True))
    if failed := next((notes[0] for _, notes in made.values() if notes), None):
        raise ValueError(failed)
    blocks = [made[s.asked, s.steps][0] for _, s in solutions]
    labels = [label for _, solution in solutions for label in solution.labels]
    return LabelledSteps(
        columns=column_names(featurizers),
        features=np.concatenate(blocks) if blocks else np.zeros((0, width)),
        values=np.array([label.value for label in labels]),
        weights=np.array([label.weight for label in labels]),
        questions=[key for key, solution in solutions for _ in solution.steps],
    )


def with_featurizers(steps: LabelledSteps, names: Sequence[str]) -> LabelledSteps:
    """The same steps, described by some of the featurizers only, in the order of the columns."""
    kept = [k for k, column in enumerate(steps.columns) if column.partition(".")[0] in names]
    columns = tuple(steps.columns[k] for k in kept)
    return replace(steps, columns=columns, features=steps.features[:, kept])


def _labelled(
    key: str, recorded: RecordedQuestion, labelling: Labelling, splitter: StepSplitter
) -> LabelledQuestion:
    completions = completions_of(recorded, splitter)
    known = outcomes_of(completions)
    whole = [one for one in completions if not one.given]
    return LabelledQuestion(
        key=key,
        family=family_of(recorded.id),
        asked=recorded.question,
        solutions=tuple(
            LabelledSolution(
                key, recorded.question, one.steps, one.right, tuple(labelling.labels(one, known))
            )
            for one in whole
        ),
        first_wrong=tuple(None if one.right else _first_wrong(one, known) for one in whole),
    )


def _first_wrong(solution: Completion, known: Known) -> int:
    """What follows the longest beginning from which any completion was right."""
    told = [
        known.get(Prefix(solution.question, solution.steps[:length]), Outcomes())
        for length in range(1, len(solution.steps))
    ]
    good = max((length for length, outcomes in enumerate(told, 1) if outcomes.right), default=0)
    if not solution.truncated:
        return good
    # Of most of its beginnings it is the only completion, and that it was cut short is no evidence.
    tried = (k for k in range(good, len(told)) if told[k].count > 1)
    return next(tried, len(solution.steps) - 1)
