"""Whatever a search does, it keeps to its budget, and its usage is true."""

import asyncio
import random
from dataclasses import dataclass

import pytest

from tests.scripted import Scripted, Synchronous
from tests.techniques.limits_kept import check_kept, dollars
from tests.techniques.searching import QUESTION, ask, billed, told
from tests.techniques.test_hard_limits import (
    OVERRUN_SECONDS,
    PRICE,
    a_budget,
    a_judge,
    a_model,
    at_random,
    timed,
)
from tests.techniques.test_invariants import Watched
from tests.techniques.tree_search.searches import TECHNIQUES, a_technique, judging, numbered
from tscale_graph import Budget, BudgetExceeded, Usage, Verdict, ab_mcts, beam_search, lats
from tscale_graph.candidates import SamplingError
from tscale_graph.verifiers.judges import judge

SCENARIOS = 16


DEARER = {"usd_per_million_tokens": {"input": 6.0, "output": 40.0}}


@dataclass
class Scenario:
    graph: object
    models: list
    judges: list
    budget: Budget


def a_scenario(technique: str, seed: int) -> Scenario:
    rng = random.Random(f"{technique}/{seed}")
    models = [a_model(rng)]
    if technique == "ab_mcts" and rng.random() < 0.5:
        models.append(a_model(rng))
        models[1].metadata = DEARER
    for model in models:
        steps = [f"Step {number} of the solution" for number in range(20)]
        model.answers = [*model.answers, *steps, *[f"The answer is {n}" for n in range(4)]]
    hangs = any(model.hang for model in models)
    budget = a_budget(rng, hangs=hangs)
    asked = a_judge(rng, hang=0.1 if hangs else 0.0)
    judged = rng.random() < 0.4
    scorer = judge(asked, max_output_tokens=80) if judged else at_random
    more = dict(
        max_nodes=24,
        max_output_tokens=rng.choice([5, 60, 400]),
        max_parallel=rng.choice([None, 1, 3]),
    )
    if technique == "ab_mcts":
        variant = rng.choice(["beta", "gaussian"])
        graph = ab_mcts(models, scorer, variant=variant, batch=rng.choice([1, 3, 8]), **more)
    elif technique == "beam_search":
        variant = rng.choice(["beam", "dvts", "rebase", "particles"])
        graph = beam_search(
            models[0], scorer, beams=2, width=3, variant=variant, step_tokens=30, **more
        )
    else:
        graph = lats(models[0], value=scorer, width=3, batch=rng.choice([1, 3]), **more)
    return Scenario(graph, models, [asked] if judged else [], budget)


@pytest.mark.slow
@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("seed", range(SCENARIOS))
async def test_no_limit_is_exceeded_and_the_usage_is_true(technique, seed):
    run = a_scenario(technique, seed)
    usage, result, elapsed, lag = await timed(run.graph, run.budget)
    if run.budget.seconds is not None and elapsed > run.budget.seconds + OVERRUN_SECONDS + lag:
        # A machine that stood still is asked once more; a limit that is not kept fails twice.
        run = a_scenario(technique, seed)
        usage, result, elapsed, lag = await timed(run.graph, run.budget)
    budget, everyone = run.budget, [*run.models, *run.judges]
    check_kept(budget, everyone, usage, took=(elapsed, lag), dearest=40e-6)
    if result is not None:
        reason = result.cut_off_by
        assert (result.status == "cut_off") == (reason is not None)
        assert reason is None or getattr(budget, reason) is not None
        nodes = Usage.total(node.usage for node in result.tree.nodes)
        assert nodes.calls <= usage.calls, "reflections are beside the tree"
        if technique != "lats":
            assert nodes.model_copy(update={"seconds": usage.seconds}) == usage


def watched(seed, **more):
    rng = random.Random(seed)
    answers = [f"The answer is {n}" for n in range(30)] + [f"Step {n}" for n in range(90)]
    return Watched(answers=answers, draws=rng, **more)


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("seed", range(6))
async def test_leases_of_all_calls_in_flight_are_within_the_limit(technique, seed):
    rng = random.Random(seed)
    model = watched(seed, delay=0.002)
    budget = Budget(tokens=rng.randint(100, 3_000))
    graph = a_technique(technique, model, max_output_tokens=20, max_nodes=20, on_exceeded="return")
    result = await ask(graph, budget)
    assert all(exposed <= budget.tokens for exposed in model.exposure)
    assert model.in_flight == 0
    assert billed(model) == result.usage.tokens <= budget.tokens


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("calls", [1, 2, 3, 5, 8])
async def test_calls_are_used_up_and_never_exceeded(technique, calls):
    model = told(numbered)
    result = await ask(a_technique(technique, model), Budget(calls=calls))
    assert len(model.calls) == result.usage.calls <= calls
    assert result.answer is not None
    if technique == "ab_mcts":
        assert (len(model.calls), result.status, result.cut_off_by) == (calls, "cut_off", "calls")


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_budget_that_is_not_used_up_leaves_the_search_complete(technique):
    model = told(lambda prompt, number: f"The answer is {number}")
    result = await ask(a_technique(technique, model, lambda q, a: True), Budget(calls=100))
    assert (result.status, result.cut_off_by) == ("complete", None)


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("limit", [Budget(tokens=5), Budget(usd=1e-9)])
async def test_where_the_question_alone_is_too_much_no_call_is_made(technique, limit):
    model = told(numbered, metadata=PRICE)
    [name] = [name for name in ("tokens", "usd") if getattr(limit, name)]
    with pytest.raises(BudgetExceeded, match=f"{name}=.* is too little for the question") as caught:
        await ask(a_technique(technique, model), limit)
    assert (caught.value.limit, caught.value.budget) == (name, limit)
    assert caught.value.usage.calls == 0
    assert not model.calls
    returned = await ask(a_technique(technique, model, on_exceeded="return"), limit)
    assert (returned.answer, returned.status, returned.cut_off_by) == (None, "cut_off", name)
    assert len(returned.tree.nodes) == 1
    assert not model.calls


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_the_budget_may_be_in_the_config_the_context_or_the_technique(technique):
    @dataclass
    class Context:
        budget: Budget

    asked = {"messages": [("user", QUESTION)]}
    limit = Budget(calls=3)
    for where in ("config", "context", "default"):
        model = told(numbered)
        default = limit if where == "default" else None
        config = {"configurable": {"budget": limit}} if where == "config" else None
        context = Context(limit) if where == "context" else None
        graph = a_technique(technique, model, budget=default).compile()
        out = await graph.ainvoke(asked, config, context=context)
        assert len(model.calls) == out["result"].usage.calls <= 3
        assert out["result"].cut_off_by in ("calls", None)


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_without_a_budget_a_question_or_a_price_nothing_is_asked(technique):
    model = told(numbered)
    graph = a_technique(technique, model).compile()
    with pytest.raises(ValueError, match="no budget: put one into the input as"):
        await graph.ainvoke({"messages": [("user", QUESTION)]})
    with pytest.raises(ValueError, match='no question: "messages" is empty'):
        await graph.ainvoke({"messages": [], "budget": Budget(calls=1)})
    with pytest.raises(ValueError, match="the price of scripted is not known, so usd cannot be"):
        await graph.ainvoke({"messages": [("user", QUESTION)], "budget": Budget(usd=1)})
    assert not model.calls


async def test_one_model_of_several_without_a_price_is_refused_too():
    models = [told(numbered, metadata=PRICE), told(numbered, model_name="mystery")]
    with pytest.raises(ValueError, match="the price of mystery is not known"):
        await ask(a_technique("ab_mcts", models), Budget(usd=1))
    assert not models[0].calls


@pytest.mark.parametrize("variant", ["beta", "gaussian"])
async def test_dollars_are_kept_to_with_models_of_several_prices(variant):
    def priced(dear):
        prices = {"usd_per_million_tokens": {"input": dear, "output": 5 * dear}}
        return told(numbered, metadata=prices)

    models = [priced(1.0), priced(30.0), priced(4.0)]
    budget = Budget(usd=0.02)
    result = await ask(
        ab_mcts(models, at_random, variant=variant, batch=4, max_nodes=60, cost_weight=0,
                max_output_tokens=20, answer="number", seed=2),
        budget,
    )  # fmt: skip
    assert all(model.calls for model in models)
    assert result.usage.usd == pytest.approx(dollars(models), abs=1e-7)
    assert result.usage.usd <= budget.usd


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("calls", [2, 3, 4, 7, 12])
async def test_what_a_judge_spends_is_counted_and_within_the_budget(technique, calls):
    model, asked = told(numbered), judging()
    result = await ask(a_technique(technique, model, judge(asked)), Budget(calls=calls))
    assert len(model.calls) + len(asked.calls) == result.usage.calls <= calls
    assert result.usage.tokens == billed(model, asked)
    assert result.answer is not None
    assert result.verdict is not None, "each answer is granted with its verdict"


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("tokens", [3_000, 5_000, 9_000])
async def test_a_judges_tokens_and_dollars_are_within_the_budget_too(technique, tokens):
    model, asked = told(numbered, metadata=PRICE), judging(metadata=DEARER)
    technique = a_technique(
        technique, model, judge(asked, max_output_tokens=50), max_output_tokens=50
    )
    budget = Budget(tokens=tokens, usd=tokens * 5e-6)
    result = await ask(technique, budget)
    assert result.usage.tokens == billed(model, asked) <= budget.tokens
    assert result.usage.usd == pytest.approx(dollars([model, asked]), abs=1e-7)
    assert result.usage.usd <= budget.usd


async def test_what_a_verifier_with_a_lease_of_its_own_is_given_never_exceeds_what_is_left():
    leases = []

    def leased(question, answer, *, lease):
        leases.append(lease)
        return Verdict(score=0.5, usage=Usage(calls=1))

    model = told(numbered)
    technique = ab_mcts(model, leased, answer="number", seed=1)
    result = await ask(technique, Budget(calls=7))
    assert [lease.calls for lease in leases] == [6, 4, 2]
    assert result.usage.calls == 7
    assert (result.status, result.cut_off_by) == ("cut_off", "calls")


async def test_when_nothing_is_left_for_the_verifier_the_answers_are_still_there():
    def leased(question, answer, *, lease):
        return 0.5

    technique = ab_mcts(told(numbered), leased, batch=3, answer="number", seed=1)
    result = await ask(technique, Budget(calls=3))
    assert (result.status, result.cut_off_by) == ("cut_off", "calls")
    assert result.answer is not None
    assert any("nothing was left of the budget for the verifier" in note for note in result.notes)


async def test_reflections_keep_to_the_budget():
    def decide(prompt, number):
        failed = "This attempt has failed" in prompt[-1].text
        return f"Lesson {number}" if failed else f"The answer is {number}"

    for calls in range(1, 8):
        model = told(decide)
        technique = lats(model, value=lambda q, a: 0.0, width=1, answer="number", max_nodes=6)
        result = await ask(technique, Budget(calls=calls))
        assert len(model.calls) == result.usage.calls <= calls


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_model_that_ignores_its_limit_is_watched_from_then_on(technique):
    model = Scripted(answers=["The answer is 3. " + "so " * 400], ignore_limit=True)
    graph = a_technique(technique, model, max_output_tokens=20, max_nodes=12)
    result = await ask(graph, Budget(tokens=5_000))
    assert result.usage.tokens == billed(model)
    assert result.usage.tokens <= 5_000 + 3 * 305
    assert any("over their output limits" in note for note in result.notes)


async def test_many_requests_at_once_keep_to_their_own_budgets():
    model = told(numbered, delay=0.002)
    graph = ab_mcts(model, at_random, batch=4, answer="number").compile()
    budgets = [Budget(calls=random.Random(k).randint(1, 12)) for k in range(12)]
    asked = {"messages": [("user", QUESTION)]}
    outs = await asyncio.gather(*(graph.ainvoke({**asked, "budget": one}) for one in budgets))
    assert [out["result"].usage.calls for out in outs] == [budget.calls for budget in budgets]
    assert len(model.calls) == sum(budget.calls for budget in budgets)


async def test_a_search_inside_a_search_keeps_to_its_lease():
    inner_model, outer_model = told(numbered), told(numbered)
    inner = a_technique("beam_search", inner_model, on_exceeded="return").compile()
    leases = []

    async def by_another_search(question, answer, *, lease):
        out = await inner.ainvoke({"messages": [("user", QUESTION)], "budget": lease})
        leases.append((lease.calls, out["result"].usage.calls))
        return Verdict(score=0.5, usage=out["result"].usage)

    result = await ask(
        ab_mcts(outer_model, by_another_search, answer="number", seed=1), Budget(calls=20)
    )
    assert all(used <= lease for lease, used in leases)
    assert len(outer_model.calls) + len(inner_model.calls) == result.usage.calls <= 20


def test_synchronous_models_under_invoke_keep_to_it_too():
    class Plain(Synchronous):
        pass

    model = Plain(answers=[f"The answer is {n}" for n in range(9)])
    graph = a_technique("ab_mcts", model, lambda q, a: 0.5).compile()
    out = graph.invoke({"messages": [("user", QUESTION)], "budget": Budget(calls=7)})
    assert len(model.calls) == out["result"].usage.calls == 7


async def test_a_run_in_which_everything_failed_tells_what_it_spent():
    model = told(numbered, fail=1.0)
    with pytest.raises(SamplingError) as caught:
        await ask(a_technique("ab_mcts", model, max_nodes=5), Budget(calls=30))
    assert caught.value.usage.calls == len(model.calls)
