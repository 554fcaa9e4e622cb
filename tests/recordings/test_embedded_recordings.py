"""The recordings of the embedded model that are kept here."""

import pytest

from tests.recordings.families import FAMILIES
from tests.recordings.make import QUESTIONS, SAMPLES, path
from tscale_graph.answers import answer_kind, same_answer
from tscale_graph.models.replay import ReplayModel
from tscale_graph.recordings.files import read_recording
from tscale_graph.verifiers import named_verifier

MADE = [family for family in FAMILIES.values() if path(family).exists()]


def test_four_families_are_there_and_small():
    assert len(MADE) >= 4
    sizes = [path(family).stat().st_size for family in MADE]
    assert max(sizes) < 1_400_000
    assert sum(sizes) <= 6_000_000


@pytest.mark.parametrize("family", MADE, ids=lambda family: family.name)
def test_each_has_all_its_samples_judged_as_its_questions_say(family):
    questions = list(read_recording(path(family)))
    asked = {q["id"]: q for q in family.questions(QUESTIONS)}
    assert [q.id for q in questions] == list(asked)
    for question in questions:
        assert question.question == asked[question.id]["question"]
        assert len(question.samples) == SAMPLES
        for sample in question.samples[::7]:
            assert sample.correct == is_right(question, sample.answer)
            assert sample.mean_logprob < 0 < sample.output_tokens <= family.max_output_tokens
    share = sum(s.correct for q in questions for s in q.samples) / (QUESTIONS * SAMPLES)
    assert 0.03 < share < 0.90
    ReplayModel(questions=questions)


def is_right(question, answer):
    if answer is None:
        return False
    if question.gold is not None:
        return same_answer(answer, question.gold, answer_kind(question.kind))
    return bool(named_verifier(question.verifier)(question.question, answer).passed)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_questions_are_different_and_always_the_same(family):
    questions = family.questions(QUESTIONS)
    assert len({q["question"] for q in questions}) == QUESTIONS
    assert questions[:10] == family.questions(10)
    assert not {q["question"] for q in questions} & {asked for asked, _ in family.examples}
