"""A technique in the place of a model: what is asked can be sampled."""

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from tests.scripted import Scripted
from tests.techniques.refining.revising import numbering, tenths
from tests.techniques.searching import QUESTION, Told, ask, billed
from tscale_graph import (
    Budget,
    ab_mcts,
    aggregate_recursively,
    beam_search,
    best_of_n,
    extended_thinking,
    lats,
    refine,
    router,
    self_consistency,
)
from tscale_graph.candidates import SamplingError
from tscale_graph.models.endpoint import endpoint
from tscale_graph.techniques.labelling.graph import label_steps
from tscale_graph.verifiers.judges import judge

LARGE = Budget(calls=500, tokens=500_000)


def three(question, answer):
    return answer == "3"


def saying(*answers, **more):
    return Scripted(answers=list(answers) or ["The answer is 3"], **more)


INNER = {
    "self_consistency": lambda m: self_consistency(m, max_samples=3, stop="fixed"),
    "best_of_n": lambda m: best_of_n(m, three, n=3),
    "refine": lambda m: refine(m, three, max_revisions=2),
    "ab_mcts": lambda m: ab_mcts(m, three, max_nodes=3),
    "extended_thinking": lambda m: extended_thinking(m, thinking_tokens=20),
    "aggregate_recursively": lambda m: aggregate_recursively(m, population=2, generations=2),
    "router": lambda m: router(model=m, verifier=three),
}
OUTER = {
    "self_consistency": lambda m: self_consistency(m, max_samples=3, stop="fixed"),
    "best_of_n": lambda m: best_of_n(m, three, n=2),
    "refine": lambda m: refine(m, three, max_revisions=2),
    "own_critic": lambda m: refine(m, max_revisions=1),
    "ab_mcts": lambda m: ab_mcts([m, m], three, max_nodes=3),
    "aggregate_recursively": lambda m: aggregate_recursively(m, population=2, generations=2),
    "router": lambda m: router(model=m, verifier=three),
}


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", OUTER)
async def test_any_technique_stands_wherever_a_model_can(outer, inner):
    model = saying()
    result = await ask(OUTER[outer](INNER[inner](model)), LARGE)
    assert (result.answer, result.status) == ("3", "complete")
    assert result.usage.calls == len(model.calls) > 0
    assert result.usage.tokens == billed(model)


@pytest.mark.parametrize("compiled", [False, True])
def test_it_may_be_compiled_and_the_whole_be_invoked(compiled):
    model = saying()
    inner = refine(model, three)
    graph = self_consistency(inner.compile() if compiled else inner, max_samples=3, stop="fixed")
    out = graph.compile().invoke({"messages": [("user", QUESTION)], "budget": LARGE})
    assert (out["result"].answer, out["result"].usage.calls) == ("3", 3)
    assert out["messages"][-1].usage_metadata["total_tokens"] == billed(model)


async def test_each_sample_is_a_run_with_its_answer_and_its_thought():
    said = "It is simple.</think>", "The answer is 3"
    model = Told(decide=lambda prompt, number: said["It is simple" in str(prompt)])
    thinking = extended_thinking(model, thinking_tokens=20, way="prompt")
    result = await ask(self_consistency(thinking, max_samples=2, stop="fixed"), LARGE)
    assert [one.reasoning for one in result.candidates] == ["It is simple."] * 2
    assert [one.usage.calls for one in result.candidates] == [2, 2]


async def test_what_a_run_notes_is_told_with_its_name():
    chains = refine(saying("The answer is 2"), three, max_revisions=1)
    result = await ask(self_consistency(chains, max_samples=2, stop="fixed"), LARGE)
    assert "refine: revising ended with max_revisions=1 (2 times)" in result.notes
    assert [note for note in result.notes if "auto" in note] == [
        'answer="auto" read the answers as number'
    ]


async def test_chains_of_revisions_side_by_side_are_refinements_that_are_sampled():
    model = Told(decide=lambda prompt, number: f"The answer is {len(prompt)}")
    chains = refine(model, tenths, max_revisions=2, repeats=9, answer="number")
    result = await ask(self_consistency(chains, max_samples=4, stop="fixed"), LARGE)
    assert len(model.calls) == result.usage.calls == 4 * 3
    assert result.agreement == 1


@pytest.mark.parametrize("inner", ["refine", "best_of_n", "ab_mcts"])
async def test_the_first_run_has_room_for_all_its_calls_and_later_ones_for_what_was_needed(inner):
    model = saying()
    technique = INNER[inner](model)
    whole = technique.technique.at_most(endpoint(model).counter.prompt_bound([]) + 20)
    graph = self_consistency(technique, max_samples=8, stop="fixed", answer="text")
    result = await ask(graph, Budget(tokens=whole.tokens))
    assert result.candidates[0].cut_off_by is None
    assert len(result.candidates) > 1, "what the first did not use pays for others"
    assert result.usage.tokens <= whole.tokens


async def test_a_run_that_is_cut_off_by_its_lease_gives_the_best_answer_that_it_has():
    model = numbering(3, 1, 4, 2, 6)
    chains = refine(model, tenths, repeats=9, answer="number")
    result = await ask(best_of_n(chains, tenths, n=1, answer="number"), Budget(calls=3))
    assert (result.answer, result.usage.calls) == ("4", 3)
    assert (result.status, result.cut_off_by) == ("cut_off", "calls")


async def test_a_budget_of_its_own_limits_each_of_its_runs():
    model = saying("The answer is 2")
    inner = refine(model, three, repeats=9, budget=Budget(calls=2))
    result = await ask(self_consistency(inner, max_samples=3, stop="fixed"), LARGE)
    assert [one.usage.calls for one in result.candidates] == [2, 2, 2]
    assert (result.status, result.cut_off_by) == ("complete", None), "the request's is not used up"
    assert "refine: cut off by its own calls=2 (3 times)" in result.notes


async def test_a_run_that_fails_is_a_sample_that_failed():
    model = saying(fail=1.0)
    with pytest.raises(
        SamplingError, match="all 2 samples failed, the last with self_consistency: all 3"
    ):
        await ask(self_consistency(INNER["self_consistency"](model), max_samples=2), LARGE)


async def test_a_run_that_raises_costs_what_its_calls_did():
    model = saying()
    inner = self_consistency(model, max_samples=2, vote="logprob")
    with pytest.raises(SamplingError, match="self_consistency failed: MissingLogprobs") as caught:
        await ask(self_consistency(inner, max_samples=1), Budget(tokens=5_000))
    assert (caught.value.usage.calls, caught.value.usage.tokens) == (2, billed(model))


async def test_at_the_deadline_each_run_has_what_it_came_to():
    model = numbering(4, 5, 6, 7, 8, delay=0.3)
    chains = refine(model, tenths, repeats=9, answer="number")
    result = await ask(best_of_n(chains, tenths, n=1, answer="number"), Budget(seconds=0.8))
    assert (result.answer, result.cut_off_by) == ("5", "seconds")
    assert result.usage.calls == len(model.calls)


class Seeded(Told):
    """Takes a seed."""

    seed: int | None = None


async def test_a_seed_makes_runs_repeat_and_differ_from_one_another():
    async def seeds(seed):
        model = Seeded(decide=lambda prompt, number: "The answer is 2")
        inner = refine(model, three, max_revisions=1)
        await ask(self_consistency(inner, max_samples=3, stop="fixed", seed=seed), LARGE)
        return sorted(options["seed"] for options in model.options)

    first = await seeds(1)
    assert first == await seeds(1) != await seeds(2)
    assert len(set(first)) == 6


async def test_the_model_whose_price_is_not_known_is_named():
    graph = self_consistency(refine(refine(saying(), three), three))
    with pytest.raises(ValueError, match="the price of scripted is not known"):
        await ask(graph, Budget(usd=1))
    priced = saying(metadata={"usd_per_million_tokens": {"input": 1.0, "output": 2.0}})
    result = await ask(self_consistency(refine(priced, three), max_samples=2), Budget(usd=1))
    assert result.usage.usd == pytest.approx(
        sum(call.prompt_tokens + 2 * call.output_tokens for call in priced.calls) * 1e-6
    )


async def test_a_judge_may_be_a_technique_too():
    asked = saying('{"score": 10}')
    panel = judge(self_consistency(asked, max_samples=3, stop="fixed", answer="text"))
    result = await ask(best_of_n(saying(), panel, n=2, stop="fixed"), LARGE)
    assert result.verdict.score == 1
    assert len(asked.calls) == 3
    assert result.usage.calls == 2 + 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda t: extended_thinking(t), "extended_thinking needs a chat model, got the technique"),
        (lambda t: beam_search(t, three), "beam_search needs a chat model, got the technique refi"),
        (lambda t: lats(t), "lats needs a chat model, got the technique refine"),
        (lambda t: label_steps(t), "label_steps needs a chat model, got the technique refine"),
        (lambda t: self_consistency(StateGraph(MessagesState)), "a technique's graph, or a string"),
    ],
)
def test_where_only_a_chat_model_will_do_that_is_said_at_once(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(refine(saying(), three))


async def test_who_streams_the_run_sees_the_steps_inside():
    graph = self_consistency(refine(saying(), three), max_samples=2, stop="fixed").compile()
    asked = {"messages": [("user", QUESTION)], "budget": LARGE}
    outer, inner = [], []
    async for path, told in graph.astream(asked, stream_mode="custom", subgraphs=True):
        if "sample" in told:
            (inner if path else outer).append(told["sample"]["text"])
    assert outer == inner == ["The answer is 3"] * 2
    told = [told async for told in graph.astream(asked, stream_mode="custom")]
    assert sum("sample" in one for one in told) == 2


@pytest.mark.parametrize("after", [0.05, 0.15, 0.25, 0.35, 0.45])
async def test_a_run_that_is_stopped_goes_on_inside_and_pays_for_nothing_twice(after):
    model = saying("The answer is 2", delay=0.1)
    inner = refine(model, three, max_revisions=3, repeats=9)
    graph = self_consistency(inner, max_samples=3, stop="fixed").compile(
        checkpointer=InMemorySaver()
    )
    thread = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", QUESTION)], "budget": Budget(calls=40)}
    running = asyncio.ensure_future(graph.ainvoke(asked, thread, durability="sync"))
    await asyncio.sleep(after)
    running.cancel()
    await asyncio.wait({running})
    result = (await graph.ainvoke(None, thread, durability="sync"))["result"]
    assert len(model.calls) <= result.usage.calls <= 3 * 5, "one call of each was lost at most"
    assert [one.error for one in result.candidates] == [None] * 3


async def test_it_may_be_a_node_of_ones_own_graph():
    graph = StateGraph(MessagesState)
    graph.add_node("solve", best_of_n(refine(saying(), three), three, budget=LARGE).compile())
    graph.add_edge(START, "solve")
    out = await graph.compile().ainvoke({"messages": [("user", QUESTION)]})
    assert out["messages"][-1].text == "The answer is 3"


class Paced(Told):
    """Takes its time over the third and the fourth call."""

    async def _agenerate(self, messages, stop=None, run_manager=None, **options):
        number = self.started
        self.started += 1
        await asyncio.sleep(60.0 if number in (2, 3) else 0.02)
        return await super()._agenerate(messages, stop, run_manager, **options)

    started: int = 0


async def test_parallel_thinking_ends_all_chains_when_the_first_have_finished():
    model = Paced(decide=lambda prompt, number: "So it is 3.</think>The answer is 3")
    chains = extended_thinking(model, thinking_tokens=20, way="prompt")
    graph = self_consistency(chains, max_samples=4, stop="first_to_finish:2")
    result = await asyncio.wait_for(ask(graph, LARGE), timeout=20)
    assert result.answer == "3"
    assert sum(one.discarded is None for one in result.candidates) == 2
    assert sum(one.discarded is not None for one in result.candidates) == 2
    assert model.in_flight == 0
