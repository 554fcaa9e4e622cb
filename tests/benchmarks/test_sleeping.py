"""What the benchmark of sleeping asks, and how it counts."""

from dataclasses import replace

import pytest

from tests.benchmarks.sleeping import (
    OF_STORIES,
    QUESTIONS,
    Answered,
    Measured,
    measure,
    otherwise,
    stories,
    table,
    words,
)
from tests.reasoner import Reasoner
from tscale_graph.sleeping.matching import lexical_similarity


def test_every_question_on_words_is_about_its_context_and_has_the_right_answer():
    found = words(20)
    assert found == words(20)
    for context in found:
        assert len({question for question, _ in context.asked}) == QUESTIONS
        for question, right in context.asked:
            letter, word = question.removesuffix("?").split()[6], question.split()[-1][:-1]
            assert word in context.text.splitlines()[0]
            assert str(word.count(letter)) == right


def test_every_question_on_stories_follows_from_its_context():
    model = Reasoner()
    for context in stories(50):
        for question, right in context.asked:
            for asked in (question, otherwise(question)):
                assert model.say(context.text, asked).endswith(f"The answer is {right}")
            assert int(right) > 0


@pytest.mark.parametrize("make", [words, stories])
def test_no_question_may_be_taken_for_another(make):
    for context in make(20):
        asked = [question for question, _ in context.asked]
        asked += [otherwise(question) for question in asked if "apples" in question]
        for one in asked:
            assert [lexical_similarity(one, other) for other in asked].count(1) == 1


def test_the_sleep_is_spread_over_the_questions():
    scratch = Measured([[Answered(1, 100, 1), Answered(0, 300, 3)]], [0])
    after = Measured([[Answered(1, 0, 0), Answered(1, 100, 1)]], [1000])
    assert scratch.amortised(10) == 200
    assert [after.amortised(count) for count in (1, 10)] == [1050, 150]
    told = table(scratch, {"after": after})
    assert "| from scratch | 50.0 % | – | 200 | – |" in told
    assert "| +50.0 (+0.0 to +100.0) | 50 | 4.0 × | 0.50 | 1,050 / 550 / 250 / 150 |" in told


async def test_what_was_anticipated_takes_no_tokens_and_other_words_fewer_than_from_scratch(capsys):
    told = stories(6)
    scratch = await measure(told, OF_STORIES, sleeps=False)
    as_anticipated = await measure(told, OF_STORIES)
    in_other_words = await measure(told, replace(OF_STORIES, worded=otherwise))
    tokens = [sum(one.flat("tokens")) for one in (as_anticipated, in_other_words, scratch)]
    assert tokens[0] < tokens[1] / 3 < tokens[2] / 5
    assert sum(as_anticipated.flat("right")) >= 0.9 * sum(scratch.flat("right"))
