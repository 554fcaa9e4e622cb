"""The verifier node: what a check costs, and which answers share one."""

import asyncio
import pickle

import pytest

from tests.scripted import Scripted
from tests.verifiers.judges.readers import billed
from tscale_graph import Budget, BudgetExceeded, Usage, Verdict, best_of_n
from tscale_graph.answers import ANSWER_KINDS, answer_kind
from tscale_graph.candidates import Checked, SamplingError, VerifierError
from tscale_graph.techniques.checking import check_key
from tscale_graph.verifiers import constraints, equation
from tscale_graph.verifiers.judges import judge

GOOD = '{"reason": "right", "score": 8}'


def run(verifier, *, budget, answers=("The answer is 3", "The answer is 4")):
    sampler = Scripted(answers=list(answers))
    graph = best_of_n(sampler, verifier, n=2, stop="fixed", max_output_tokens=32).compile()
    asked = {"messages": [("user", "How many?")], "budget": budget}
    return sampler, graph.ainvoke(asked)


async def fails_on_four(question, answer, lease):
    if answer == "4":
        raise VerifierError("no idea", Usage(calls=1, input_tokens=40, output_tokens=2))
    return Verdict(score=0.9, usage=Usage(calls=1, input_tokens=10, output_tokens=5))


async def test_a_check_that_failed_is_counted():
    sampler, answered = run(fails_on_four, budget=Budget(calls=8, tokens=10_000))
    result = (await answered)["result"]
    assert result.answer == "3"
    assert result.usage.calls == 4
    assert result.usage.tokens == billed(sampler) + 57


async def hangs_on_four(question, answer, lease):
    await asyncio.sleep(60 if answer == "4" else 0)
    return True


async def test_a_check_that_the_deadline_ended_is_charged_its_whole_lease():
    sampler, answered = run(hangs_on_four, budget=Budget(calls=12, tokens=2_000, seconds=0.8))
    result = (await answered)["result"]
    assert result.answer == "3"
    half = (2_000 - billed(sampler)) // 2
    assert result.usage.tokens == billed(sampler) + half
    assert result.usage.calls == 2 + (12 - 2) // 2


async def test_a_verifiers_own_timeout_is_not_the_deadline_of_the_run():
    def late(question, answer):
        raise TimeoutError("the database took too long")

    _, answered = run(late, budget=Budget(calls=8, seconds=60))
    with pytest.raises(SamplingError, match="the database took too long"):
        await answered


async def test_a_judge_that_the_deadline_ended_says_what_it_had_spent():
    model = Scripted(answers=[GOOD], hang=1.0)
    sampler, answered = run(
        judge(model, max_output_tokens=50),
        budget=Budget(tokens=8_000, seconds=0.8),
        answers=["The answer is 3"],
    )
    result = (await answered)["result"]
    prompt = max(call.prompt_tokens for call in model.calls)
    assert billed(sampler) + prompt <= result.usage.tokens < 3_000, "not the whole lease"
    assert any("cut off at the deadline" in note for note in result.notes)


async def hangs(question, answer):
    await asyncio.sleep(60)


async def in_a_lease(question, answer, lease):
    await asyncio.sleep(60)


@pytest.mark.parametrize("verifier", [hangs, in_a_lease, judge(Scripted(hang=1.0))])
@pytest.mark.parametrize("speculate", [0, 1])
async def test_when_the_deadline_ends_every_check_the_best_unverified_answer_is_cut_off(
    verifier, speculate
):
    graph = best_of_n(Scripted(), verifier, n=2, stop="fixed", speculate=speculate).compile()
    budget = Budget(tokens=50_000, seconds=0.5)
    out = await graph.ainvoke({"messages": [("user", "How many?")], "budget": budget})
    result = out["result"]
    assert (result.answer, result.verdict) == ("3", None)
    assert (result.status, result.cut_off_by) == ("cut_off", "seconds")
    assert any("not verified" in note for note in result.notes)


@pytest.mark.parametrize(
    ("budget", "limit"), [(Budget(calls=2, tokens=9_000), "calls"), (Budget(tokens=420), "tokens")]
)
async def test_a_judge_that_the_budget_ended_cuts_the_run_off_as_well(budget, limit):
    # Its first reply cannot be read, and there is nothing left to ask again with.
    model = Scripted(answers=["hm " * 40])
    graph = best_of_n(Scripted(), judge(model, max_output_tokens=80), n=1, max_output_tokens=40)
    asked = {"messages": [("user", "How many?")], "budget": budget}
    result = (await graph.compile().ainvoke(asked))["result"]
    assert (result.answer, result.cut_off_by) == ("3", limit)
    assert len(model.calls) == 1


@pytest.mark.parametrize("tokens", range(120, 2_000, 235))
async def test_samples_and_their_judge_together_keep_to_the_budget(tokens):
    model = Scripted(answers=["hm", GOOD, "Score: 5", "hm", "hm"])
    budget = Budget(tokens=tokens, calls=7)
    sampler, answered = run(judge(model, max_output_tokens=60), budget=budget)
    try:
        usage = (await answered)["result"].usage
    except (SamplingError, BudgetExceeded) as error:
        usage = error.usage
    assert usage.tokens == billed(sampler) + billed(model) <= tokens
    assert usage.calls == len(sampler.calls) + len(model.calls) <= 7


def test_a_check_has_spent_what_its_verdict_or_its_failure_cost():
    cost = Usage(calls=1, input_tokens=3)
    assert Checked(verdict=Verdict(score=1, usage=cost)).spent == cost
    assert Checked(error="no", usage=cost).spent == cost


def test_why_there_is_no_verdict_survives_the_way_to_another_process():
    error = VerifierError("no", Usage(calls=1), "tokens")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.usage, again.cut_off_by) == ("no", Usage(calls=1), "tokens")


async def best(verifier, answers, *, question="Which?", **settings):
    settings = {"n": len(answers), "stop": "fixed", "max_output_tokens": 32} | settings
    graph = best_of_n(Scripted(answers=list(answers)), verifier, **settings).compile()
    asked = {"messages": [("user", question)], "budget": Budget(tokens=50_000)}
    return (await graph.ainvoke(asked))["result"]


def passed(result):
    return {c.answer: c.verdict.passed for c in result.candidates}


async def test_a_verdict_is_not_inherited_by_a_text_with_other_punctuation():
    written = ["The river flows", "The river flows."]
    result = await best(constraints(matches=r"\.$"), written, answer="text")
    assert passed(result) == {"The river flows": False, "The river flows.": True}
    assert result.verdict is not None
    assert result.verdict.passed


def capital(question, answer):
    return answer == "Paris"


@pytest.mark.parametrize("order", [("paris", "Paris"), ("Paris", "paris")])
async def test_a_verdict_is_not_inherited_by_a_text_in_other_case(order):
    result = await best(capital, order, answer="text")
    assert passed(result) == {"paris": False, "Paris": True}


async def test_a_decimal_does_not_inherit_the_verdict_of_a_whole_number():
    question = "Solve 2x = 1 for x."
    for kind in ("text", "number", "auto"):
        result = await best(equation, ["5", ".5"], question=question, answer=kind)
        assert passed(result) == {"5": False, ".5": True}


async def test_the_same_number_in_another_notation_is_verified_once():
    asked = []

    def counts(question, answer):
        asked.append(answer)
        return True

    result = await best(counts, ["1/2", "0.5", "50e-2"], answer="number")
    assert len(asked) == 1
    assert all(c.verdict.passed for c in result.candidates)


@pytest.mark.parametrize("name", [n for n in ANSWER_KINDS if n not in ("auto", "math")])
def test_texts_that_stand_for_no_value_share_a_verdict_only_when_they_are_equal(name):
    kind = answer_kind(name)
    texts = ["Paris", "paris", "Paris!", "the Paris", "B", "b", "(B)"]
    if name in ("json", "code"):
        texts = [text for text in texts if text.isalnum()]
    assert len({check_key(text, kind) for text in texts}) == len(texts)
    assert check_key(" Paris \n", kind) == check_key("Paris", kind)


def test_a_long_answer_is_kept_by_its_digest():
    kind = answer_kind("text")
    long = "word " * 100
    assert len(check_key(long, kind)) == 64
    assert check_key(long, kind) != check_key(long + "more", kind)


async def test_a_verifier_that_reads_solutions_is_shown_all_of_each_and_votes_are_by_answer():
    class Reads:
        reads_solutions = True

        def __init__(self):
            self.shown = []

        def __call__(self, question, solution):
            self.shown.append(solution)
            return 0.9 if "carefully" in solution else 0.2

    texts = ["Quickly: the answer is 3", "I count carefully. The answer is 4", "The answer is 3"]
    for build, more in ((best_of_n, {"n": 6}), (best_of_n, {"n": 6, "speculate": 2})):
        verifier = Reads()
        model = Scripted(answers=texts)
        graph = build(model, verifier, select="weighted", stop="fixed", answer="number", **more)
        asked = {"messages": [("user", "How many?")], "budget": Budget(calls=9)}
        result = (await graph.compile().ainvoke(asked))["result"]
        assert sorted(verifier.shown) == sorted(texts), "equal solutions are judged once"
        assert (result.answer, result.verdict.score) == ("4", 0.9)
        assert {vote.answer: vote.count for vote in result.votes} == {"3": 4, "4": 2}
