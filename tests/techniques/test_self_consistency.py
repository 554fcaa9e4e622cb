import asyncio
import time

import pytest
from langchain_core.messages import AIMessage

from tests.scripted import Scripted, Streaming, Synchronous, SynchronousStreaming
from tscale_graph import Budget, BudgetExceeded, self_consistency
from tscale_graph.candidates import SamplingError

QUESTION = "How many r's are in strawberry?"


def asked(budget=None, question=QUESTION):
    state = {"messages": [("user", question)]}
    return state if budget is None else {**state, "budget": budget}


async def ask(model, budget=None, **arguments):
    graph = self_consistency(model, **arguments).compile()
    out = await graph.ainvoke(asked(budget or Budget(tokens=50_000)))
    return out["result"]


async def test_the_answer_that_most_samples_agree_on_is_returned_with_its_cost():
    model = Scripted(answers=["The answer is 3", "The answer is 2", "It is 3"])
    graph = self_consistency(model, max_samples=9, stop="fixed").compile()
    out = await graph.ainvoke(asked(Budget(tokens=50_000)))
    result, message = out["result"], out["messages"][-1]
    assert (result.answer, result.status, result.cut_off_by) == ("3", "complete", None)
    assert result.usage.calls == 9 == len(model.calls)
    assert result.usage.tokens == sum(call.billed for call in model.calls)
    assert isinstance(message, AIMessage)
    assert message.usage_metadata["total_tokens"] == result.usage.tokens
    assert [(t.answer, t.count) for t in result.votes] == [("3", 6), ("2", 3)]
    assert result.agreement == 6 / 9
    assert 'answer="auto" read the answers as number' in result.notes


@pytest.mark.parametrize("kind", [Scripted, Streaming, Synchronous, SynchronousStreaming])
def test_it_works_from_invoke_and_from_ainvoke_with_any_kind_of_model(kind):
    for run in ("invoke", "ainvoke"):
        graph = self_consistency(kind(), max_samples=16).compile()
        out = getattr(graph, run)(asked(Budget(tokens=50_000)))
        out = asyncio.run(out) if run == "ainvoke" else out
        assert (out["result"].answer, out["result"].usage.calls) == ("3", 4)


async def test_sampling_stops_when_the_answer_is_settled():
    result = await ask(Scripted(), max_samples=16)
    assert (result.usage.calls, result.status) == (4, "complete")


async def test_a_contested_answer_takes_longer():
    result = await ask(Scripted(answers=["The answer is 3", "The answer is 2"]), max_samples=16)
    assert result.usage.calls == 16


async def test_no_more_samples_are_in_flight_than_max_parallel():
    model = Scripted(delay=0.01)
    await ask(model, max_samples=20, stop="fixed", max_parallel=3)
    assert (model.most_in_flight, len(model.calls)) == (3, 12)


async def test_no_more_samples_are_in_flight_than_the_leases_allow():
    model = Scripted(delay=0.01)
    whole = model.prompt_tokens([AIMessage(QUESTION)]) + 100
    await ask(model, Budget(tokens=5 * whole), max_samples=12, stop="fixed", max_output_tokens=100)
    assert model.most_in_flight == 5
    assert len(model.calls) > 5, "what the first wave did not use pays for later ones"


@pytest.mark.parametrize("under", ["state", "configurable", "context", "default", "dict"])
async def test_the_budget_is_found_wherever_it_was_put(under):
    budget = Budget(calls=2)
    technique = {"budget": budget} if under == "default" else {}
    graph = self_consistency(Scripted(), stop="fixed", **technique).compile()
    config, context = {}, None
    state = asked(budget if under == "state" else {"calls": 2} if under == "dict" else None)
    if under == "configurable":
        config = {"configurable": {"budget": budget}}
    if under == "context":
        context = {"budget": budget}
    out = await graph.ainvoke(state, config, context=context)
    assert (out["result"].usage.calls, out["result"].cut_off_by) == (2, "calls")


async def test_the_budget_in_the_state_comes_first():
    graph = self_consistency(Scripted(), stop="fixed", budget=Budget(calls=5)).compile()
    out = await graph.ainvoke(asked(Budget(calls=1)), {"configurable": {"budget": Budget(calls=3)}})
    assert out["result"].usage.calls == 1


@pytest.mark.parametrize("run", ["invoke", "ainvoke"])
def test_without_a_budget_no_call_is_made_and_the_error_says_where_to_put_one(run):
    model = Scripted()
    graph = self_consistency(model).compile()
    with pytest.raises(ValueError, match="no budget: put one into the input"):
        asyncio.run(graph.ainvoke(asked())) if run == "ainvoke" else graph.invoke(asked())
    assert model.calls == []


async def test_a_question_longer_than_the_budget_is_never_sent():
    model = Scripted()
    graph = self_consistency(model).compile()
    with pytest.raises(BudgetExceeded, match="too little for the question alone") as error:
        await graph.ainvoke(asked(Budget(tokens=5)))
    assert model.calls == []
    assert (error.value.limit, error.value.usage.calls) == ("tokens", 0)


async def test_on_exceeded_return_gives_a_result_without_an_answer():
    result = await ask(Scripted(), Budget(tokens=5), on_exceeded="return")
    assert (result.answer, result.status, result.cut_off_by) == (None, "cut_off", "tokens")


async def test_a_usd_limit_with_an_unknown_price_is_refused_before_the_first_call():
    model = Scripted()
    with pytest.raises(ValueError, match=r"price of scripted is not known.*usd_per_million_tokens"):
        await ask(model, Budget(usd=1))
    assert model.calls == []


async def test_dollars_are_counted_and_limited_at_the_models_price():
    price = {"usd_per_million_tokens": {"input": 10.0, "output": 100.0}}
    model = Scripted(metadata=price)
    result = await ask(model, Budget(usd=0.05), stop="fixed", max_output_tokens=100)
    inputs = sum(call.prompt_tokens for call in model.calls)
    outputs = sum(call.output_tokens for call in model.calls)
    assert result.usage.usd == pytest.approx((10 * inputs + 100 * outputs) / 1e6)
    assert result.usage.usd <= 0.05
    assert result.status == "complete"
    tight = await ask(
        Scripted(metadata=price), Budget(usd=0.012), stop="fixed", max_output_tokens=100
    )
    assert (tight.cut_off_by, tight.usage.usd <= 0.012) == ("usd", True)


async def test_one_failed_sample_costs_one_sample():
    class FailsOnce(Scripted):
        def begin(self, messages, options):
            self.fail = 1.0 if len(self.calls) == 5 else 0.0
            return super().begin(messages, options)

    result = await ask(FailsOnce(), max_samples=16, stop="fixed")
    assert (result.answer, result.status) == ("3", "complete")
    assert [bool(c.error) for c in result.candidates].count(True) == 1
    assert result.votes[0].count == 15
    assert any("1 of 16 samples failed" in note for note in result.notes)


async def test_when_all_samples_fail_the_last_error_is_raised_with_the_usage():
    with pytest.raises(SamplingError, match=r"all 4 samples failed.*the scripted failure") as error:
        await ask(Scripted(fail=1.0), max_samples=4, stop="fixed")
    assert error.value.usage.calls == 4


@pytest.mark.parametrize("kind", [Scripted, Streaming, Synchronous, SynchronousStreaming])
async def test_a_hanging_server_is_given_up_on_at_the_deadline(kind):
    started = time.monotonic()
    with pytest.raises(BudgetExceeded, match="seconds") as error:
        await ask(kind(hang=1.0), Budget(seconds=0.5), max_samples=8)
    assert time.monotonic() - started < 0.8
    assert error.value.usage.calls == 4, "what was in flight counts"


async def test_what_had_been_streamed_at_the_deadline_is_kept():
    slow = Streaming(answers=["The answer is 3. " + "Because so it is. " * 50], pause=0.02)
    result = await ask(slow, Budget(seconds=0.5), max_samples=1)
    assert (result.answer, result.status, result.cut_off_by) == ("3", "cut_off", "seconds")
    assert result.candidates[0].truncated


async def test_a_model_that_ignores_its_limit_is_cut_off_mid_stream():
    endless = Streaming(answers=["The answer is 3. " + "more " * 10_000], ignore_limit=True)
    result = await ask(endless, Budget(tokens=1_000), max_samples=4, max_output_tokens=100)
    assert result.answer == "3"
    assert result.usage.tokens <= 1_000
    assert all(call.output_tokens <= 101 for call in endless.calls), "one chunk over, at most"


async def test_a_system_prompt_is_put_before_the_conversation():
    seen = []

    class Sees(Scripted):
        def begin(self, messages, options):
            seen.append([(m.type, m.content) for m in messages])
            return super().begin(messages, options)

    await ask(Sees(), max_samples=1, system="Be brief.")
    assert seen == [[("system", "Be brief."), ("human", QUESTION)]]


async def test_a_second_question_on_the_same_thread_starts_afresh():
    from langgraph.checkpoint.memory import InMemorySaver

    graph = self_consistency(Scripted(), max_samples=16).compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    for _ in range(2):
        out = await graph.ainvoke(asked(Budget(calls=16)), thread)
        assert (out["result"].usage.calls, len(out["result"].candidates)) == (4, 4)
    assert len(out["messages"]) == 4


async def test_a_question_after_one_that_was_abandoned_starts_afresh():
    from langgraph.checkpoint.memory import InMemorySaver

    model = Scripted(fail=1.0)
    graph = self_consistency(model, max_samples=16).compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    with pytest.raises(SamplingError):
        await graph.ainvoke(asked(Budget(calls=20)), thread)
    model.fail = 0.0
    out = await graph.ainvoke(asked(Budget(calls=16)), thread)
    assert (out["result"].usage.calls, len(out["result"].candidates)) == (4, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_samples": 0}, "max_samples must be at least 1, got 0"),
        ({"max_output_tokens": -5}, "max_output_tokens must be at least 1, got -5"),
        ({"max_parallel": 0}, "max_parallel must be at least 1, got 0"),
        ({"temperature": 3}, "temperature must be between 0 and 2, got 3"),
        ({"stop": "never"}, "stop must be one of fixed, beta, dirichlet"),
        ({"stop": "first_pass"}, "needs a verifier"),
        ({"answer": "haiku"}, "answer must be one of auto, number"),
        ({"on_exceeded": "ignore"}, 'on_exceeded must be "raise" or "return"'),
        ({"budget": {"tokens": -1}}, "tokens"),
    ],
)
def test_a_bad_argument_fails_when_the_graph_is_built(arguments, message):
    with pytest.raises(ValueError, match=message):
        self_consistency(Scripted(), **arguments)


def test_something_that_is_no_model_is_refused_when_the_graph_is_built():
    with pytest.raises(ValueError, match="model must be a chat model"):
        self_consistency(42)
    with pytest.raises(ValueError, match="got 'nobody:nothing'"):
        self_consistency("nobody:nothing")


async def test_cancelling_the_caller_cancels_every_call_in_flight():
    model = Scripted(hang=1.0)
    running = asyncio.create_task(ask(model, max_samples=8, stop="fixed"))
    while len(model.calls) < 8:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.1)
    assert {call.fate for call in model.calls} == {"cancelled"}


async def test_the_picture_of_the_graph_shows_every_branch():
    picture = self_consistency(Scripted()).compile().get_graph()
    edges = {(edge.source, edge.target) for edge in picture.edges}
    assert edges == {
        ("__start__", "admit"),
        ("admit", "sample"),
        ("admit", "finish"),
        ("sample", "decide"),
        ("decide", "admit"),
        ("decide", "finish"),
        ("finish", "__end__"),
    }
