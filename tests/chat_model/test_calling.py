"""A chat model of a technique as any other: how it is made, and what it says."""

import pytest
from langgraph.graph import MessagesState, StateGraph

from tests.chat_model.asking import ANSWERS, BUDGET, QUESTION, model_of
from tests.scripted import Scripted, Streaming, Synchronous
from tscale_graph import (
    Budget,
    SamplingError,
    ScaledChatModel,
    extended_thinking,
    refine,
    self_consistency,
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
