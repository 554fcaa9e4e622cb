"""Samples of a recording as solutions in steps."""

import pytest

from tscale_graph.recordings.records import RecordedQuestion, RecordedSample
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.verifiers.process.datasets import labelled_questions
from tscale_graph.verifiers.process.labels import Completion, Shares
from tscale_graph.verifiers.process.rollouts import bare_steps, completions_of

LINE = step_splitter("line")


def recorded(*samples):
    return RecordedQuestion(id="q-1", question="How many?", samples=samples)


def test_completions_say_what_was_given_and_what_was_cut_short():
    asked = recorded(
        RecordedSample(text="a\n\nb", correct=True, given=1),
        RecordedSample(text="a\na\na", truncated=True),
        RecordedSample(text=" \n"),
    )
    assert completions_of(asked, LINE) == [
        Completion("q-1", ("a", "b"), True, given=1),
        Completion("q-1", ("a", "a", "a"), False, truncated=True),
    ]


def test_a_sample_with_fewer_steps_than_were_given_is_left_out():
    asked = recorded(RecordedSample(text="a\nb", given=3), RecordedSample(text="a\nb", given=2))
    assert [one.given for one in completions_of(asked, LINE)] == [2]


def test_a_text_is_cut_once(monkeypatch):
    cut = []
    split = StepSplitter.split

    def counted(self, text):
        cut.append(text)
        return split(self, text)

    monkeypatch.setattr(StepSplitter, "split", counted)
    texts = [f"cut once {k}\nand no more" for k in range(500)]
    for _ in range(3):
        for text in texts:
            assert bare_steps(text, step_splitter("line")) == tuple(text.split("\n"))
    assert cut == texts
    assert bare_steps(texts[0], step_splitter("paragraph")) == (texts[0],)


@pytest.mark.parametrize(
    ("others", "first_wrong"),
    [
        ([], 3),
        ([("a\nx", True)], 3),
        ([("a\nb\nx", True), ("a\nb\nc\nx", False)], 2),
    ],
)
def test_the_first_wrong_step_of_what_was_cut_short_is_the_first_known_to_be(others, first_wrong):
    asked = recorded(
        RecordedSample(text="a\nb\nc\nd", truncated=True),
        RecordedSample(text="p\nq", given=1),
        *(RecordedSample(text=text, correct=right) for text, right in others),
    )
    (one,) = labelled_questions([asked], labelling=Shares(), splitter=LINE)
    assert one.first_wrong[0] == first_wrong
