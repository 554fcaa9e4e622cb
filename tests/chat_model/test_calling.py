"""A chat model of a technique as any other: its budget, callbacks, streams, and its end."""

import asyncio
import time
from contextvars import ContextVar

import pytest
from langchain_core.callbacks import (
    BaseCallbackHandler,
    UsageMetadataCallbackHandler,
    get_usage_metadata_callback,
)
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers import LangChainTracer
from langchain_core.tracers.context import collect_runs
from langgraph.graph import START, MessagesState, StateGraph
from langsmith import Client, tracing_context

from tests.scripted import Scripted, Streaming, Synchronous
from tscale_graph import (
    Budget,
    BudgetExceeded,
    SamplingError,
    ScaledChatModel,
    best_of_n,
    extended_thinking,
    refine,
    self_consistency,
)

QUESTION = "How many r's are in strawberry?"
ANSWERS = ["The answer is 2", "The answer is 3", "The answer is 3"]
BUDGET = Budget(tokens=20_000)


def model_of(inner, *, budget=BUDGET, **more) -> ScaledChatModel:
    return ScaledChatModel(
        self_consistency(inner, max_samples=3, stop="fixed", **more), budget=budget
    )


async def test_it_is_the_seam_of_three_lines():
    model = ScaledChatModel(self_consistency(Scripted(answers=ANSWERS)), budget=BUDGET)
    assert (await model.ainvoke(QUESTION)).text == "The answer is 3"


async def test_a_message_says_what_the_run_came_to_and_what_all_of_its_calls_cost():
    inner = Scripted(answers=ANSWERS)
    message = await model_of(inner).ainvoke(QUESTION)
    about = message.response_metadata
    assert message.usage_metadata["total_tokens"] == sum(call.billed for call in inner.calls)
    assert about["technique"] == "self_consistency"
    assert about["model_name"] == "tscale/self_consistency"
    assert (about["status"], about["cut_off_by"]) == ("complete", None)
    assert about["agreement"] == pytest.approx(2 / 3)
    assert (about["answer"], about["calls"]) == ("3", 3)
    assert 'answer="auto" read the answers as number' in about["notes"]


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_batches_keep_their_order_and_each_call_has_the_whole_budget(asynchronous):
    inner = Scripted(answers=["The answer is 3"])
    model, asked = model_of(inner, budget=Budget(calls=3)), [QUESTION] * 4
    messages = await model.abatch(asked) if asynchronous else model.batch(asked)
    assert [message.text for message in messages] == ["The answer is 3"] * 4
    assert [message.response_metadata["calls"] for message in messages] == [3] * 4
    assert len(inner.calls) == 12


@pytest.mark.parametrize("cls", [Scripted, Streaming, Synchronous])
async def test_it_works_in_synchronous_code_also_where_a_loop_is_running(cls):
    assert model_of(cls(answers=ANSWERS)).invoke(QUESTION).text == "The answer is 3"


# The budget


@pytest.mark.parametrize(
    ("own", "brought", "calls"),
    [
        (None, {"budget": Budget(calls=2)}, 2),
        (None, {"config": {"configurable": {"budget": {"calls": 2}}}}, 2),
        (Budget(calls=1), {"budget": Budget(calls=2)}, 1),
        (Budget(calls=2), {"config": {"configurable": {"budget": Budget(calls=1)}}}, 1),
        (Budget(calls=2), {"budget": Budget(tokens=10_000)}, 2),
        (Budget(calls=9), {}, 3),
        (None, {"budget": {"calls": 1}, "config": {"configurable": {"budget": {"calls": 2}}}}, 1),
    ],
)
async def test_a_call_may_lower_the_budget_or_bring_one(own, brought, calls):
    for ask in ("invoke", "ainvoke", "stream", "astream", "batch", "astream_events"):
        inner = Scripted(answers=ANSWERS)
        model = model_of(inner, budget=own)
        asked = [QUESTION] if ask == "batch" else QUESTION
        got = getattr(model, ask)(asked, **brought)
        if ask in ("astream", "astream_events"):
            async for _ in got:
                pass
        elif ask == "ainvoke":
            await got
        else:
            list(got)
        assert len(inner.calls) == calls, ask


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_the_third_version_of_events_takes_a_budget_too():
    inner = Scripted(answers=ANSWERS)
    config = {"configurable": {"budget": Budget(calls=1)}}
    stream = await model_of(inner).astream_events(QUESTION, config, version="v3")
    assert (await stream.output).text == "The answer is 2"
    assert len(inner.calls) == 1


async def test_it_finds_the_budget_of_a_chain_and_of_a_graph_that_it_is_called_in():
    inner = Scripted(answers=ANSWERS)
    model = model_of(inner, budget=None)
    chain = ChatPromptTemplate.from_messages([("human", "{question}")]) | model
    config = {"configurable": {"budget": Budget(calls=1)}}
    await chain.ainvoke({"question": QUESTION}, config)
    assert len(inner.calls) == 1
    await in_a_graph(model).ainvoke({"messages": QUESTION}, config)
    assert len(inner.calls) == 2


async def test_the_budget_of_the_technique_is_the_last_resort():
    inner = Scripted(answers=ANSWERS)
    model = model_of(inner, budget=None)
    with pytest.raises(ValueError, match=r"no budget: .* or the chat model budget="):
        await model.ainvoke(QUESTION)
    with pytest.raises(ValueError, match="no budget"):
        model.invoke(QUESTION)
    assert inner.calls == []
    graph = self_consistency(inner, max_samples=3, budget=Budget(calls=1))
    await ScaledChatModel(graph).ainvoke(QUESTION)
    assert len(inner.calls) == 1


async def test_what_is_cut_off_says_by_what_and_without_an_answer_it_raises():
    inner = Scripted(answers=ANSWERS)
    message = await model_of(inner).ainvoke(QUESTION, budget=Budget(calls=2))
    assert message.response_metadata["status"] == "cut_off"
    assert message.response_metadata["cut_off_by"] == "calls"
    with pytest.raises(BudgetExceeded, match="tokens=3 is too little") as raised:
        await model_of(inner).ainvoke(QUESTION, budget=Budget(tokens=3))
    assert raised.value.limit == "tokens"


async def test_dollars_are_kept_to_where_prices_are_known():
    inner = Scripted(answers=ANSWERS)
    with pytest.raises(ValueError, match="the price of scripted is not known"):
        await model_of(inner, budget=Budget(usd=1)).ainvoke(QUESTION)
    assert inner.calls == []


async def test_where_every_sample_fails_so_does_the_call():
    with pytest.raises(SamplingError, match=r"all 3 samples failed, .*the scripted failure"):
        await model_of(Scripted(fail=1.0)).ainvoke(QUESTION)


async def test_a_run_that_is_interrupted_says_that_it_cannot_go_on():
    graph = self_consistency(Scripted()).compile(interrupt_before=["finish"])
    with pytest.raises(ValueError, match="was interrupted, and a chat model cannot go on"):
        await ScaledChatModel(graph, budget=BUDGET).ainvoke(QUESTION)


@pytest.mark.parametrize(
    ("technique", "told"),
    [
        (Scripted(), "technique must be the graph of a technique, .*, got Scripted"),
        ("self_consistency", "or a Policy, got str"),
        (StateGraph(MessagesState), "got StateGraph"),
    ],
)
def test_what_is_no_technique_is_refused(technique, told):
    with pytest.raises(ValueError, match=told):
        ScaledChatModel(technique, budget=BUDGET)


def test_so_are_a_budget_that_is_none_a_model_beside_a_graph_and_an_unknown_name():
    graph = self_consistency(Scripted())
    with pytest.raises(ValueError, match="budget: tokens: Input should be greater than 0, got 0"):
        ScaledChatModel(graph, budget={"tokens": 0})
    with pytest.raises(ValueError, match="model is for a policy"):
        ScaledChatModel(graph, model=Scripted())
    with pytest.raises(ValueError, match="budgett"):
        ScaledChatModel(graph, budgett=BUDGET)


def test_it_stands_in_no_model_of_a_technique_whose_calls_would_not_be_counted():
    inner = model_of(Scripted())
    with pytest.raises(ValueError, match="give the technique itself"):
        self_consistency(inner)
    with pytest.raises(ValueError, match="give the technique itself"):
        refine(inner.bind(stop=["#"]))


@pytest.mark.parametrize("technique", [refine, extended_thinking])
async def test_every_technique_answers(technique):
    inner = Scripted(answers=["The answer is 3"])
    message = await ScaledChatModel(technique(inner), budget=BUDGET).ainvoke(QUESTION)
    assert message.text.endswith("The answer is 3")
    assert message.response_metadata["technique"] == technique.__name__


async def test_stop_and_max_tokens_are_those_of_each_sample():
    inner = Scripted(answers=["The answer is 3"])
    graph = self_consistency(inner, max_samples=2, stop="fixed")
    await ScaledChatModel(graph, budget=BUDGET, max_tokens=2).ainvoke(QUESTION)
    assert [call.max_tokens for call in inner.calls] == [2, 2]
    await ScaledChatModel(graph, budget=BUDGET).ainvoke(QUESTION, max_tokens=3)
    assert [call.max_tokens for call in inner.calls[2:]] == [3, 3]


def test_tokens_are_counted_as_the_models_count_them():
    model = model_of(Scripted())
    assert model.get_num_tokens("abcdefgh") == 2
    assert model.get_num_tokens_from_messages([]) == Scripted().prompt_tokens([])


# Callbacks


class Heard(BaseCallbackHandler):
    def __init__(self):
        self.started = []
        self.tokens = []

    def on_chat_model_start(self, serialized, messages, **more):
        self.started.append(more["invocation_params"])

    def on_llm_new_token(self, token, **more):
        self.tokens.append(token)


def in_a_graph(model, *, asynchronous=True):
    async def call(state: MessagesState):
        asked = state["messages"]
        said = await model.ainvoke(asked) if asynchronous else model.invoke(asked)
        return {"messages": [said]}

    return StateGraph(MessagesState).add_node(call).add_edge(START, "call").compile()


class Named(Scripted):
    """Says its name, without which nobody counts its usage."""

    def finish(self, call, text):
        result = super().finish(call, text)
        result.generations[0].message.response_metadata["model_name"] = "scripted"
        return result


async def test_usage_is_counted_once_whoever_counts_it():
    inner = Named(answers=ANSWERS)
    model = model_of(inner)
    given, around = UsageMetadataCallbackHandler(), UsageMetadataCallbackHandler()
    with get_usage_metadata_callback() as ambient:
        await model.ainvoke(QUESTION, {"callbacks": [given]})
        await in_a_graph(model).ainvoke({"messages": QUESTION}, {"callbacks": [around]})
        await RunnableLambda(model.ainvoke).ainvoke(QUESTION)
        model.invoke(QUESTION)
    spent = sum(call.billed for call in inner.calls)

    def told(handler):
        return {name: usage["total_tokens"] for name, usage in handler.usage_metadata.items()}

    assert told(ambient) == {"tscale/self_consistency": spent}
    assert told(given) == told(around) == {"tscale/self_consistency": spent // 4}


async def test_callbacks_and_tracers_are_told_of_one_call():
    heard, model = Heard(), model_of(Streaming(answers=ANSWERS))
    with collect_runs() as runs:
        await model.ainvoke(QUESTION, {"callbacks": [heard], "run_name": "scaled"})
    assert [run.name for run in runs.traced_runs] == ["scaled"]
    assert runs.traced_runs[0].child_runs == []
    assert runs.traced_runs[0].extra["metadata"]["ls_provider"] == "tscale"
    assert len(heard.started) == 1
    assert heard.tokens == []
    await ScaledChatModel(
        self_consistency(Streaming(answers=ANSWERS)), budget=BUDGET, streaming=True
    ).ainvoke(QUESTION, {"callbacks": [heard]})
    assert heard.tokens == ["The answer is 3"]


async def test_callbacks_of_the_models_that_are_asked_hear_their_calls():
    heard = Heard()
    inner = Scripted(answers=ANSWERS, callbacks=[heard])
    await model_of(inner).ainvoke(QUESTION)
    assert len(heard.started) == 3


async def test_langsmith_is_told_of_one_call(monkeypatch):
    traced = []
    for when in ("_persist_run_single", "_update_run_single"):
        monkeypatch.setattr(LangChainTracer, when, lambda self, run: traced.append(run.name))
    nowhere = Client("http://127.0.0.1:9", api_key="none", auto_batch_tracing=False)
    with tracing_context(enabled=True, client=nowhere):
        await model_of(Scripted(answers=ANSWERS)).ainvoke(QUESTION)
    assert traced == ["ScaledChatModel"] * 2  # it began, and it ended


async def test_what_users_keep_in_context_variables_reaches_their_verifiers():
    tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
    seen = []

    def check(question: str, answer: str) -> bool:
        seen.append(tenant.get())
        return True

    tenant.set("me")
    model = ScaledChatModel(best_of_n(Scripted(answers=ANSWERS), check), budget=BUDGET)
    await model.ainvoke(QUESTION)
    assert seen == ["me"]


# Streams


async def told_on(agent, mode, config=None):
    streaming = agent.astream({"messages": QUESTION}, config, stream_mode=mode, subgraphs=True)
    return [part async for _, part in streaming]


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize("cls", [Scripted, Streaming])
async def test_a_graphs_messages_have_the_answer_and_no_sample(cls, asynchronous):
    agent = in_a_graph(model_of(cls(answers=ANSWERS)), asynchronous=asynchronous)
    told = await told_on(agent, "messages")
    assert {about["langgraph_node"] for _, about in told} == {"call"}
    assert "".join(chunk.text for chunk, _ in told) == "The answer is 3"
    assert await told_on(agent, "custom") == []


async def test_unless_all_samples_are_asked_for():
    agent = in_a_graph(model_of(Streaming(answers=ANSWERS)))
    told = await told_on(agent, "messages", {"configurable": {"stream_samples": True}})
    samples: dict[str, str] = {}
    for chunk, about in told:
        if about["langgraph_node"] == "sample":
            samples[chunk.id] = samples.get(chunk.id, "") + chunk.text
    assert sorted(samples.values()) == sorted(ANSWERS)


async def test_a_stream_is_the_answer_with_the_usage_of_all_calls():
    inner = Scripted(answers=ANSWERS)
    chunks = [chunk async for chunk in model_of(inner).astream(QUESTION)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.text == "The answer is 3"
    assert whole.usage_metadata["total_tokens"] == sum(call.billed for call in inner.calls)


# Cancelling


@pytest.mark.parametrize("how", ["ainvoke", "astream", "graph"])
@pytest.mark.parametrize("cls", [Scripted, Streaming])
async def test_a_caller_that_is_cancelled_cancels_every_call_in_flight(cls, how):
    inner = cls(answers=ANSWERS, hang=1.0)
    model = model_of(inner)

    async def ask():
        if how == "astream":
            return [chunk async for chunk in model.astream(QUESTION)]
        if how == "graph":
            return await in_a_graph(model).ainvoke({"messages": QUESTION})
        return await model.ainvoke(QUESTION)

    asking = asyncio.create_task(ask())
    while inner.in_flight < 3:
        await asyncio.sleep(0.005)
    began = time.perf_counter()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert time.perf_counter() - began < 0.1
    assert [call.fate for call in inner.calls] == ["cancelled"] * 3


async def test_so_does_a_deadline():
    inner = Streaming(answers=ANSWERS, hang=1.0)
    with pytest.raises(BudgetExceeded):
        await model_of(inner).ainvoke(QUESTION, budget=Budget(seconds=0.2))
    assert [call.fate for call in inner.calls] == ["cancelled"] * 3
