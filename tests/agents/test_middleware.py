"""In an agent: which calls are scaled, what is kept of the model's own, and where the budget is."""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel

from tests.agents.shop import (
    ADD,
    ASKED,
    PLENTY,
    SAID,
    Shop,
    agent_of,
    never,
    on_turns,
    technique,
    turns,
)
from tests.scripted_calls import ScriptedCalls, StreamingCalls, calling
from tscale_graph import Budget, BudgetExceeded, Policy, ScalingMiddleware, lats, router


def kinds(out):
    return [(call.kind, call.usage.calls) for call in out["scaling"].calls.values()]


@pytest.mark.parametrize("cls", [ScriptedCalls, StreamingCalls])
@pytest.mark.parametrize("asynchronous", [True, False])
async def test_the_calls_that_deserve_it_are_scaled_and_tools_run_once(cls, asynchronous):
    shop, inner = Shop(), turns(ADD, ADD, ADD, ADD, SAID, cls=cls)
    agent = agent_of(inner, shop=shop)
    out = await agent.ainvoke(ASKED) if asynchronous else agent.invoke(ASKED)
    assert shop.done == [(2, 3)] * 2
    assert out["messages"][-1].text == SAID
    assert kinds(out) == [("scaled", 3), ("model", 1), ("model", 1)]
    assert out["scaling"].usage.calls == len(inner.calls) == 5
    assert out["messages"][1].response_metadata["technique"] == "self_consistency"


async def test_without_a_predicate_every_call_is_scaled():
    inner = turns(*[ADD] * 3, *[SAID] * 3)
    out = await agent_of(inner, when=None).ainvoke(ASKED)
    assert kinds(out) == [("scaled", 3), ("scaled", 3)]


async def test_the_predicate_sees_the_request():
    seen = []
    await agent_of(turns(SAID), when=lambda request: bool(seen.append(request))).ainvoke(ASKED)
    [request] = seen
    assert request.messages[0].text == ASKED["messages"][0][1]
    assert [one.name for one in request.tools] == ["add"]


async def test_a_router_picks_a_technique_for_each_call():
    arguments = {"max_samples": 2, "stop": "fixed"}
    sums = {"technique": "self_consistency", "arguments": arguments, "budget": {"calls": 9}}
    policy = {"default_class": "sums", "classes": {"sums": sums}}
    inner = turns(ADD, ADD, SAID, SAID)
    middleware = ScalingMiddleware(
        router(Policy.model_validate(policy), model=inner), budget=PLENTY
    )
    out = await create_agent(inner, Shop().tools(), middleware=[middleware]).ainvoke(ASKED)
    assert kinds(out) == [("scaled", 2), ("scaled", 2)]
    with pytest.raises(ValueError, match=r"^technique of sums must be one of self_consistency"):
        ScalingMiddleware({**policy, "classes": {"sums": {"technique": "nothing"}}})


async def test_a_call_of_its_own_has_the_models_own_message():
    class Blocks(ScriptedCalls):
        def finish(self, call, text):
            result = super().finish(call, text)
            message = result.generations[0].message
            message.content = [
                {"type": "thinking", "thinking": "hm", "signature": "abc"},
                {"type": "text", "text": text},
            ]
            message.response_metadata = {"model_name": "own", "service_tier": "flex"}
            return result

    out = await agent_of(turns(SAID, cls=Blocks), when=never).ainvoke(ASKED)
    message = out["messages"][-1]
    assert message.content[0]["signature"] == "abc"
    assert message.response_metadata == {"model_name": "own", "service_tier": "flex"}


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_own_calls_stream_their_tokens_and_scaled_ones_their_answer(asynchronous):
    inner = turns(ADD, ADD, ADD, SAID, cls=StreamingCalls)
    agent = agent_of(inner)
    if asynchronous:
        told = [part async for part in agent.astream(ASKED, stream_mode="messages")]
    else:
        told = list(agent.stream(ASKED, stream_mode="messages"))
    pieces = [m for m, _ in told if m.type == "AIMessageChunk"]
    by_id = {}
    for piece in pieces:
        by_id.setdefault(piece.id, []).append(piece)
    scaled, own = by_id.values()
    assert len([one for one in scaled if one.tool_call_chunks]) == 1
    assert len([one for one in own if one.text]) > 2
    assert "".join(one.text for one in own) == SAID


async def test_traces_have_the_names_that_they_would_have_without_it():
    agent = agent_of(turns(ADD, ADD, ADD, SAID))
    events = [one async for one in agent.astream_events(ASKED, version="v2")]
    began = [one["name"] for one in events if one["event"] == "on_chat_model_start"]
    assert began == ["ScaledChatModel", "ScriptedCalls"]


async def test_callbacks_hear_of_a_call_once():
    from langchain_core.callbacks import BaseCallbackHandler

    class Heard(BaseCallbackHandler):
        def __init__(self):
            self.ended = []

        def on_llm_end(self, response, **kwargs):
            self.ended.append(response.generations[0][0].message)

    heard = Heard()
    out = await agent_of(turns(ADD, ADD, ADD, SAID)).ainvoke(ASKED, {"callbacks": [heard]})
    said = [one for one in out["messages"] if isinstance(one, AIMessage)]
    assert [one.tool_calls or one.text for one in heard.ended] == [
        one.tool_calls or one.text for one in said
    ]


@pytest.mark.parametrize("calls", range(1, 9))
async def test_a_run_never_makes_one_call_more_than_its_budget(calls):
    inner = turns(*[ADD] * 20)
    agent = agent_of(inner, when=on_turns(0, 2), budget=Budget(calls=calls))
    with pytest.raises(BudgetExceeded) as raised:
        await agent.ainvoke(ASKED)
    assert (raised.value.limit, len(inner.calls)) == ("calls", calls)


async def test_a_run_that_is_cut_off_can_end_with_a_message():
    inner = turns(*[ADD] * 20)
    agent = agent_of(inner, budget=Budget(calls=4), on_exceeded="return")
    out = await agent.ainvoke(ASKED)
    assert out["scaling"].cut_off_by == "calls"
    assert out["scaling"].usage.calls == len(inner.calls) == 4
    assert out["messages"][-1].text.startswith("No answer: the budget of the agent's run ended")
    assert out["messages"][-1].response_metadata["cut_off_by"] == "calls"


async def test_the_most_that_one_call_may_spend():
    inner = turns(ADD, ADD, SAID)
    out = await agent_of(inner, per_call=Budget(calls=2)).ainvoke(ASKED)
    assert kinds(out) == [("scaled", 2), ("model", 1)]
    assert out["messages"][1].response_metadata["calls"] == 2


@pytest.mark.parametrize("where", ["input", "config", "context"])
async def test_a_run_brings_its_budget(where):
    given = {"calls": 2}
    agent = agent_of(turns(*[ADD] * 9), budget=None, when=never)
    asked = {**ASKED, **({"budget": given} if where == "input" else {})}
    config = {"configurable": {"budget": given}} if where == "config" else {}
    context = {"context": {"budget": given}} if where == "context" else {}
    with pytest.raises(BudgetExceeded) as raised:
        await agent.ainvoke(asked, config, **context)
    assert raised.value.usage.calls == 2


async def test_a_run_brings_its_budget_past_whatever_comes_before_and_the_next_has_its_own():
    class First(AgentMiddleware):
        def before_agent(self, state, runtime):
            return None

    inner, saver = turns(*[ADD] * 9), InMemorySaver()
    agent = agent_of(
        inner, when=never, before=[First()], on_exceeded="return", beside={"checkpointer": saver}
    )
    config = {"configurable": {"thread_id": "1"}}
    out = await agent.ainvoke({**ASKED, "budget": {"calls": 2}}, config)
    assert out["scaling"].usage.calls == len(inner.calls) == 2
    assert "budget" not in out
    await agent.aupdate_state(config, {"messages": []})
    assert (await agent.aget_state(config)).values["budget"] is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"budget": {"calls": 0}}, "^budget: calls: .*got 0$"),
        ({"per_call": {}}, "^budget: a budget needs at least one of"),
        ({"on_exceeded": "end"}, """^on_exceeded must be "raise" or "return", got 'end'$"""),
        ({"max_output_tokens": 0}, "^max_output_tokens must be at least 1, got 0$"),
        ({"deliberate": "lats"}, "^technique must be the graph of a technique"),
    ],
)
def test_what_is_wrong_is_told_when_it_is_made(wrong, told):
    with pytest.raises(ValueError, match=told):
        ScalingMiddleware(technique(turns()), **wrong)


async def test_what_a_run_lacks_is_told_before_any_call():
    inner = turns(SAID)
    with pytest.raises(ValueError, match=r"^no budget: put one into the input"):
        await agent_of(inner, budget=None).ainvoke(ASKED)
    with pytest.raises(ValueError, match="price"):
        await agent_of(inner, when=never, budget=Budget(usd=1)).ainvoke(ASKED)
    searching = ScalingMiddleware(lats(inner))
    agent = create_agent(inner, Shop().tools(), middleware=[searching])
    with pytest.raises(ValueError, match="tools"):
        await agent.ainvoke({**ASKED, "budget": PLENTY})
    assert not inner.calls


async def test_a_run_that_waits_for_a_person_goes_on_with_what_is_left(monkeypatch):
    monkeypatch.setattr("langgraph._internal._serde.STRICT_MSGPACK_ENABLED", True)
    monkeypatch.setattr("langgraph.graph.state._serde.STRICT_MSGPACK_ENABLED", True)
    shop, inner = Shop(), turns(*[ADD] * 9)
    person = HumanInTheLoopMiddleware(interrupt_on={"add": True})
    saver = InMemorySaver()
    agent = agent_of(
        inner, shop=shop, before=[person], budget=Budget(calls=5), beside={"checkpointer": saver}
    )
    config = {"configurable": {"thread_id": "1"}}
    out = await agent.ainvoke(ASKED, config)
    assert out["__interrupt__"]
    assert len(inner.calls) == 3
    approved = Command(resume={"decisions": [{"type": "approve"}]})
    await agent.ainvoke(approved, config)
    await agent.ainvoke(approved, config)
    with pytest.raises(BudgetExceeded):
        await agent.ainvoke(approved, config)
    assert len(inner.calls) == 5
    assert len(shop.done) == 3

    out = await agent.ainvoke({**ASKED, "budget": {"calls": 3}}, config)
    assert out["scaling"].usage.calls == 1, "the next run has books of its own"


async def test_calls_that_failed_and_were_made_anew_are_counted():
    class Fails(ScriptedCalls):
        def begin(self, messages, options):
            call, text = super().begin(messages, options)
            if len(self.calls) in (1, 2):
                self.end(call, "failed")
                raise RuntimeError("no luck")
            return call, text

    again = ModelRetryMiddleware(max_retries=2, initial_delay=0.0)
    inner = turns(SAID, SAID, SAID, cls=Fails)
    budget = Budget(calls=10)
    out = await agent_of(inner, when=never, before=[again], budget=budget).ainvoke(ASKED)
    assert out["messages"][-1].text == SAID
    assert out["scaling"].usage.calls == len(inner.calls) == 3


async def test_another_model_takes_over_under_the_same_budget():
    class Refuses(ScriptedCalls):
        def begin(self, messages, options):
            raise RuntimeError("not today")

    spare = turns(SAID)
    agent = agent_of(turns(cls=Refuses), when=never, before=[ModelFallbackMiddleware(spare)])
    out = await agent.ainvoke(ASKED)
    assert out["messages"][-1].text == SAID
    assert out["scaling"].usage.calls == 2
    with pytest.raises(RuntimeError, match="not today"):
        await agent_of(turns(cls=Refuses), when=never).ainvoke(ASKED)


async def test_structured_output_is_parsed_and_voted_on():
    class Price(BaseModel):
        """A price."""

        pounds: int

    said = [calling(("Price", {"pounds": n})) for n in (4, 5, 5)]
    beside = {"response_format": ToolStrategy(Price)}
    out = await agent_of(turns(*said), beside=beside).ainvoke(ASKED)
    assert out["structured_response"] == Price(pounds=5)
    out = await agent_of(turns(said[0]), when=never, beside=beside).ainvoke(ASKED)
    assert out["structured_response"] == Price(pounds=4)


async def test_a_providers_own_structured_output_is_bound_by_the_model_itself():
    class Price(BaseModel):
        """A price."""

        pounds: int

    inner = turns('{"pounds": 5}')
    beside = {"response_format": ProviderStrategy(Price)}
    out = await agent_of(inner, when=never, beside=beside, tools=[]).ainvoke(ASKED)
    assert out["structured_response"] == Price(pounds=5)
    [(_, options)] = inner.seen
    assert options["tools"] == [], "bind_tools was asked, as without the middleware"
    assert options["response_format"]


async def test_a_stream_that_is_left_early_is_cancelled():
    inner = turns("The answer is long " * 50, cls=StreamingCalls, pause=0.01)
    stream = agent_of(inner, when=never).astream(ASKED, stream_mode="messages")
    await anext(stream)
    await stream.aclose()
    assert inner.calls[0].fate == "cancelled"


async def test_runs_side_by_side_keep_their_own_books():
    def agent(calls):
        return agent_of(turns(*[ADD] * 9), budget=Budget(calls=calls), on_exceeded="return")

    one = agent(4)
    outs = await asyncio.gather(*[one.ainvoke(ASKED) for _ in range(5)])
    assert [out["scaling"].usage.calls for out in outs] == [4] * 5
