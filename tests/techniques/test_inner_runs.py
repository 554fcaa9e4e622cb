"""What a run inside another one owes to it: its lease, its place, its end."""

import asyncio
import sqlite3
import time

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, interrupt

from tests.scripted import Scripted
from tests.techniques.refining.revising import numbering, tenths
from tests.techniques.searching import QUESTION, Told, ask, billed
from tscale_graph import (
    Budget,
    ab_mcts,
    best_of_n,
    extended_thinking,
    refine,
    router,
    self_consistency,
)
from tscale_graph.blocks import Technique
from tscale_graph.budget import Usage
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.nested import nested
from tscale_graph.verifiers.judges import judge

ASKED = {"messages": [("user", QUESTION)], "budget": Budget(calls=500, tokens=500_000)}
THREAD = {"configurable": {"thread_id": "1"}}


def three(question, answer):
    return answer == "3"


def saying(*answers, **more):
    return Scripted(answers=list(answers) or ["The answer is 3"], **more)


def priced(name, usd):
    prices = {"usd_per_million_tokens": {"input": usd, "output": usd}}
    return saying(model_name=name, metadata=prices)


async def stopped(graph, asked, *, after):
    running = asyncio.ensure_future(graph.ainvoke(asked, THREAD, durability="sync"))
    await asyncio.sleep(after)
    running.cancel()
    await asyncio.wait({running})


async def test_a_run_that_goes_on_after_its_deadline_has_what_it_had():
    model = numbering(4, 5, 6, 7, 8, 9, delay=0.1)
    chains = refine(model, tenths, max_revisions=9, repeats=9, answer="number")
    graph = best_of_n(chains, tenths, n=1, answer="number").compile(checkpointer=InMemorySaver())
    asked = {"messages": [("user", QUESTION)], "budget": Budget(seconds=0.6)}
    await stopped(graph, asked, after=0.35)
    await asyncio.sleep(0.4)
    result = (await graph.ainvoke(None, THREAD, durability="sync"))["result"]
    assert (result.status, result.cut_off_by) == ("cut_off", "seconds")
    assert result.answer in ("5", "6")
    assert result.usage.calls == len(model.calls)


def test_a_checkpointer_that_is_synchronous_only_saves_inner_runs_too(tmp_path):
    model = saying("The answer is 2")
    inner = refine(model, three, max_revisions=2, repeats=9)
    saver = SqliteSaver(sqlite3.connect(tmp_path / "state.sqlite", check_same_thread=False))
    graph = self_consistency(inner, max_samples=5, stop="fixed").compile(checkpointer=saver)
    result = graph.invoke(ASKED, THREAD)["result"]
    assert (result.answer, result.status) == ("2", "complete")
    assert result.usage.calls == len(model.calls) == 5 * 3


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_judges_and_critics_that_are_techniques_work_whatever_is_saved(durability):
    asked = saying('{"score": 10}')
    panel = judge(self_consistency(asked, max_samples=2, stop="fixed", answer="text"))
    graph = best_of_n(saying(), panel, n=1).compile(checkpointer=InMemorySaver())
    result = (await graph.ainvoke(ASKED, THREAD, durability=durability))["result"]
    assert (result.answer, result.verdict.score) == ("3", 1)
    assert result.usage.calls == 1 + len(asked.calls) == 3


@pytest.mark.parametrize("compiled", [False, True])
def test_strict_msgpack_restores_the_state_of_inner_runs(compiled, monkeypatch):
    monkeypatch.setattr("langgraph._internal._serde.STRICT_MSGPACK_ENABLED", True)
    monkeypatch.setattr("langgraph.graph.state._serde.STRICT_MSGPACK_ENABLED", True)
    graph = ab_mcts(saying(), three)
    inner = nested(graph.compile(checkpointer=InMemorySaver()) if compiled else graph)
    allowed = inner.graph._serde_allowlist or ()
    assert any(name == "Node" for _, name in allowed)


async def test_a_verifier_in_a_race_may_run_a_graph_of_its_own():
    small = self_consistency(saying(), max_samples=1).compile()

    def by_graph(question, answer):
        return small.invoke(ASKED)["result"].answer == answer

    inner = best_of_n(saying(), by_graph, n=2)
    graph = self_consistency(inner, max_samples=4, stop="first_to_finish:2")
    result = await ask(graph, ASKED["budget"])
    assert (result.answer, result.status) == ("3", "complete")


async def test_an_interrupt_inside_stops_the_whole_run_which_then_goes_on():
    def asks_a_person(question, answer):
        return interrupt(f"is {answer} right?")

    model = saying()
    graph = self_consistency(best_of_n(model, asks_a_person, n=1), max_samples=1).compile(
        checkpointer=InMemorySaver()
    )
    out = await graph.ainvoke(ASKED, THREAD, durability="sync")
    assert out["__interrupt__"][0].value == "is 3 right?"
    result = (await graph.ainvoke(Command(resume=True), THREAD, durability="sync"))["result"]
    assert (result.answer, len(model.calls)) == ("3", 1)


async def test_runs_that_are_not_wanted_any_more_end_at_once():
    model = Told(
        decide=lambda prompt, number: "The answer is 3" if number == 0 else "The answer is 2",
        delay=0.05,
    )
    chains = refine(model, three, max_revisions=500, repeats=600)
    graph = self_consistency(chains, max_samples=4, stop="first_to_finish:1")
    began = time.monotonic()
    result = await ask(graph, Budget(calls=10**6, tokens=10**9))
    assert result.answer == "3"
    assert time.monotonic() - began < 500 * 0.05, "none made all of its revisions"
    assert len(model.calls) < 100
    assert result.usage.calls >= len(model.calls)


@pytest.mark.parametrize("dear_first", [False, True])
async def test_a_small_budget_in_dollars_starts_whatever_is_listed_first(dear_first):
    cheap, dear = priced("cheap", 1.0), priced("dear", 1000.0)
    sizes = {"max_samples": 2, "max_output_tokens": 50}
    classes = {
        "samplable": {"technique": "self_consistency", "arguments": {"model": cheap, **sizes}},
        "simple": {"technique": "self_consistency", "arguments": {"model": dear, **sizes}},
    }
    if dear_first:
        classes = dict(reversed(classes.items()))
    inner = router({"classes": classes, "default_class": "samplable"})
    result = await ask(self_consistency(inner, max_samples=3, stop="fixed"), Budget(usd=0.002))
    assert result.answer == "3"
    assert not dear.calls


async def test_seconds_of_its_own_are_none_of_the_requests():
    inner = refine(
        saying("The answer is 2", delay=0.1), three, repeats=9, budget=Budget(seconds=0.15)
    )
    result = await ask(self_consistency(inner, max_samples=1), Budget(calls=500))
    assert (result.status, result.cut_off_by) == ("complete", None)
    assert any("cut off by its own seconds=0.15" in note for note in result.notes)


async def test_a_router_inside_keeps_to_its_own_budget_and_hears_nothing_of_the_outer_class():
    model = saying("The answer is 2")
    inner = router(model=model, verifier=three, budget=Budget(calls=2))
    graph = self_consistency(inner, max_samples=3, stop="fixed").compile()
    config = {"configurable": {"task_class": "one of the outer router's"}}
    result = (await graph.ainvoke(ASKED, config))["result"]
    assert [one.usage.calls <= 2 for one in result.candidates] == [True] * 3
    assert result.status == "complete"


async def test_a_seed_is_for_the_run_that_was_given_it_and_not_for_graphs_inside():
    seeds = []

    class Seeded(Told):
        seed: int | None = None

        def begin(self, messages, options):
            seeds.append(options.get("seed"))
            return super().begin(messages, options)

    own = self_consistency(
        Seeded(decide=lambda prompt, number: "The answer is 3"), max_samples=1, seed=77
    ).compile()

    async def by_graph(question, answer):
        return (await own.ainvoke(ASKED))["result"].answer == answer

    graph = self_consistency(best_of_n(saying(), by_graph, n=1), max_samples=1, seed=5)
    await ask(graph, ASKED["budget"])
    assert seeds == [77]


@pytest.mark.parametrize("tokens", [16, 32, 256, 2048])
async def test_a_thought_inside_has_all_its_tokens(tokens):
    model = saying("word " * 40_000)
    thinking = extended_thinking(model, thinking_tokens=tokens, max_output_tokens=32)
    result = await ask(self_consistency(thinking, max_samples=2, stop="fixed"), ASKED["budget"])
    assert result.usage.reasoning_tokens == 2 * tokens
    assert (result.status, result.cut_off_by) == ("complete", None)


@pytest.mark.parametrize("seed", range(6))
async def test_an_arm_that_the_budget_does_not_pay_for_gives_way_to_the_others(seed):
    model = saying("The answer is 5", "The answer is 7")
    graph = ab_mcts([model, refine(model)], three, max_nodes=12, seed=seed)
    result = await ask(graph, Budget(tokens=8_000))
    assert len(result.candidates) == 12
    told = "too much for what was left, so another was asked"
    assert any(told in note for note in result.notes)


async def test_what_a_run_may_take_is_told_where_the_budget_was_short():
    result = await ask(
        self_consistency(refine(saying()), max_samples=9, stop="fixed"), Budget(tokens=9_000)
    )
    assert result.cut_off_by == "tokens"
    [note] = [note for note in result.notes if "may take" in note]
    assert "a run of refine(scripted) may take 10 calls and" in note


async def test_system_prompts_are_one_message():
    model = Told(decide=lambda prompt, number: "The answer is 3")
    inner = self_consistency(model, max_samples=1, system="Be brief.")
    await ask(self_consistency(inner, max_samples=1, system="Be kind."), ASKED["budget"])
    assert [message.type for message in model.prompts[0]] == ["system", "human"]
    assert model.prompts[0][0].text == "Be kind.\n\nBe brief."


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda m: Technique("mine", (), lambda _: Usage()), "asks of the technique mine must"),
        (lambda m: Technique("mine", (m,), lambda _: Usage()), "asks of the technique mine must"),
        (lambda m: Technique("mine", (endpoint(m),), None), "at_most of the technique mine must"),
        (lambda m: self_consistency(refine(m, three).compile().bind(stop=["x"])), "model must be"),
        (lambda m: self_consistency(refine(m, three), vote="logprob"), "logprob needs the log-pr"),
        (lambda m: self_consistency(refine(m, three), vote="deepconf"), "deepconf needs the log-"),
        (lambda m: self_consistency(refine(m), vote="universal"), "needs a chat model, got the te"),
        (lambda m: self_consistency(refine(m, budget=Budget(usd=1))), "the price of scripted is "),
        (lambda m: best_of_n(m, saying()), "verifier must judge answers: use judge"),
        (lambda m: self_consistency(""), "model must be a chat model"),
        (lambda m: refine(m, budget={"token": 3}), r"budget: token: .* \(it takes calls, tokens"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line_when_it_is_built(wrong, message):
    with pytest.raises(ValueError, match=message) as caught:
        wrong(saying())
    assert "\n" not in str(caught.value)


async def test_usage_is_the_bill_where_inner_runs_are_cut_off():
    model = numbering(3, 1, 4, 2, 6)
    chains = refine(model, tenths, repeats=9, answer="number")
    result = await ask(self_consistency(chains, max_samples=2, stop="fixed"), Budget(calls=7))
    assert result.usage.tokens == billed(model)
    assert len(model.calls) == result.usage.calls <= 7
