"""Between a conversation with a chat model and one with a graph."""

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph.message import add_messages

from tscale_graph.models.conversations import as_chunk, told_apart, with_call_ids

IDS = st.sampled_from([None, "", "a", "b", "c"])


@given(st.lists(IDS, max_size=6))
def test_a_graph_keeps_every_message_of_a_conversation_and_the_callers_stay_as_they_are(ids):
    asked = [HumanMessage(f"{place}", id=own) for place, own in enumerate(ids)]
    kept = add_messages([], told_apart(asked))
    assert [message.text for message in kept] == [message.text for message in asked]
    assert [message.id for message in asked] == ids


@given(st.lists(IDS, max_size=5), st.sets(st.sampled_from(["a", "b"])))
def test_no_two_calls_have_one_id_and_those_that_are_fine_stay(ids, taken):
    calls = [{"name": "f", "args": {}, "id": own, "type": "tool_call"} for own in ids]
    made = [call["id"] for call in with_call_ids(calls, set(taken))]
    assert all(made)
    assert len({*made, *taken}) == len(made) + len(taken)
    fresh = [own for own in dict.fromkeys(ids) if own and own not in taken]
    assert [own for own in made if own in ("a", "b", "c")] == fresh


def test_a_chunk_is_the_message():
    calls = [
        {"name": "f", "args": {"a": [1, {"b": "é"}]}, "id": "1", "type": "tool_call"},
        {"name": "g", "args": {}, "id": "2", "type": "tool_call"},
    ]
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    thought = {"reasoning_content": "hm"}
    told = AIMessage("x", tool_calls=calls, usage_metadata=usage, additional_kwargs=thought)
    chunk = as_chunk(told).message
    for name in ("text", "tool_calls", "usage_metadata", "additional_kwargs"):
        assert getattr(chunk, name) == getattr(told, name)
