"""What the benchmark of sleeping asks, and how it counts."""

from tests.benchmarks.sleeping import KNOWN, QUESTIONS, Answered, Measured, contexts, table
from tscale_graph.sleeping.matching import lexical_similarity


def test_every_question_is_about_its_context_and_has_the_right_answer():
    found = contexts(20)
    assert found == contexts(20)
    for context in found:
        assert len({question for question, _ in context.asked}) == QUESTIONS
        for question, right in context.asked:
            letter, word = question.removesuffix("?").split()[6], question.split()[-1][:-1]
            assert word in context.text.splitlines()[0]
            assert str(word.count(letter)) == right


def test_no_question_may_be_taken_for_another():
    for context in contexts(20):
        asked = [question for question, _ in context.asked]
        for one in asked:
            assert [lexical_similarity(one, other) for other in asked].count(1) == 1


def test_the_sleep_is_spread_over_the_questions():
    scratch = Measured([[Answered(1, 100, 1), Answered(0, 300, 3)]], [0])
    after = Measured([[Answered(1, 0, 0), Answered(1, 100, 1)]], [1000])
    assert scratch.amortised(10) == 200
    assert [after.amortised(count) for count in (1, 10)] == [1050, 150]
    told = table(scratch, dict.fromkeys(KNOWN, after))
    assert "| from scratch | 50.0 % | – | 200 |" in told
    assert "100.0 % | +50.0 (+0.0 to +100.0) | 50 | 0.50 | 1,050 / 550 / 250 / 150 |" in told
