import pytest

from tests.scripted import Scripted
from tscale_graph import Budget, Verdict, best_of_n
from tscale_graph.candidates import SamplingError

QUESTION = "Solve 3x + 4 = 19 for x."


async def ask(model, verifier, budget=None, question=QUESTION, **arguments):
    graph = best_of_n(model, verifier, **arguments).compile()
    out = await graph.ainvoke(
        {"messages": [("user", question)], "budget": budget or Budget(tokens=50_000)}
    )
    return out["result"]


async def test_it_stops_at_the_first_answer_that_passes():
    model = Scripted(answers=["x = 2", "x = 3", "x = 5", "x = 4"])
    result = await ask(model, "equation", n=16, max_parallel=1)
    assert (result.answer, result.usage.calls, result.status) == ("x = 5", 3, "complete")
    assert result.verdict.passed


async def test_without_a_pass_the_best_score_wins_and_the_feedback_says_why():
    result = await ask(Scripted(answers=["x = 2", "x = 3"]), "equation", n=4)
    assert result.verdict.passed is False
    assert "the left side of 3x + 4 = 19 is" in result.verdict.feedback
    assert result.usage.calls == 4


async def test_max_takes_the_single_best_and_weighted_the_largest_sum():
    scores = {"1": 0.5, "2": 0.9}
    model = ["The answer is 1", "The answer is 1", "The answer is 2"]

    def score(question, answer):
        return scores[answer]

    for select, answer in (("weighted", "1"), ("max", "2")):
        result = await ask(
            Scripted(answers=model), score, n=3, select=select, stop="fixed", question="How many?"
        )
        assert result.answer == answer


async def test_an_asynchronous_verifier_and_one_that_gives_a_verdict():
    async def judge(question, answer):
        return Verdict(score=0.25, feedback="hm", usage={"calls": 1, "input_tokens": 10})

    result = await ask(Scripted(), judge, n=2, question="How many?")
    assert (result.verdict.score, result.verdict.feedback) == (0.25, "hm")
    assert result.usage.calls == 3, "two samples, and one verdict on their equal answers"
    assert result.usage.tokens == 10 + sum(c.usage.tokens for c in result.candidates)


async def test_a_verifier_that_asks_for_a_lease_gets_what_is_left():
    leases = []

    def judge(question, answer, *, lease):
        leases.append(lease)
        return True

    await ask(Scripted(), judge, Budget(calls=5), n=4, question="How many?")
    assert leases == [Budget(calls=4)]


async def test_equal_answers_are_verified_once():
    seen = []

    def verifier(question, answer):
        seen.append(answer)
        return False

    await ask(Scripted(answers=["1/2", "0.5", "It is .5"]), verifier, n=6, question="How many?")
    assert len(seen) == 1


async def test_a_verifier_that_fails_on_one_answer_costs_that_answer_only():
    def picky(question, answer):
        if answer == "2":
            raise RuntimeError("cannot look at this")
        return 0.5

    result = await ask(
        Scripted(answers=["The answer is 2", "The answer is 3"]),
        picky,
        n=4,
        stop="fixed",
        question="How many?",
    )
    assert result.answer == "3"
    assert any("not verified: RuntimeError: cannot look at this" in note for note in result.notes)


async def test_a_verifier_that_fails_on_every_answer_is_an_error():
    with pytest.raises(SamplingError, match="no equation that can be checked"):
        await ask(Scripted(), "equation", n=2, question="How many r's are in strawberry?")
    with pytest.raises(SamplingError, match="score must be between 0 and 1, got 7"):
        await ask(Scripted(), lambda q, a: 7, n=2, question="How many?")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"verifier": "oracle"}, "verifier must be one of equation, countdown"),
        ({"verifier": 42}, "verifier must be callable"),
        ({"verifier": len, "n": 0}, "n must be at least 1, got 0"),
        (
            {"verifier": len, "select": "best"},
            "select must be one of weighted, max, best_of_majority",
        ),
    ],
)
def test_a_bad_argument_fails_when_the_graph_is_built(arguments, message):
    with pytest.raises(ValueError, match=message):
        best_of_n(Scripted(), **arguments)


@pytest.mark.parametrize("only_scores", [True, False])
async def test_a_verifier_that_only_scores_settles_nothing_so_all_are_sampled_at_once(only_scores):
    def scores(question, answer):
        return 0.5

    scores.only_scores = only_scores
    model = Scripted(delay=0.01)
    graph = best_of_n(model, scores, n=6).compile()
    out = await graph.ainvoke({"messages": [("user", "How many?")], "budget": Budget(calls=20)})
    assert out["result"].answer == "3"
    assert model.most_in_flight == (6 if only_scores else 1)
