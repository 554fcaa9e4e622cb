"""What a request cost: reported, counted, or the whole lease where nobody can know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_openai import ChatOpenAI

from tests.scripted import Scripted, count
from tscale_graph.budget import Budget, Usage
from tscale_graph.models.attempts import UNWANTED, Attempt, Request
from tscale_graph.models.endpoint import endpoint
from tscale_graph.models.failures import Billed, Failure
from tscale_graph.models.replies import Completion
from tscale_graph.models.settlement import settle, settle_uncounted, share

PROMPT = [HumanMessage("How many r's are in strawberry?")]
PRICE = {"usd_per_million_tokens": {"input": 2.0, "output": 10.0}}
BOUND, LIMIT = 30, 50
UNKNOWN = Failure("ReadError: gone", transient=True, fate_known=False)
KNOWN = Failure("InternalServerError: busy", transient=True, fate_known=True, status=500)


def attempt(*messages, n=1, model=None, **more):
    model = model or Scripted(metadata=PRICE)
    replies = [m for m in messages if not isinstance(m, AIMessageChunk)]
    chunks = [m for m in messages if isinstance(m, AIMessageChunk)]
    request = Request(messages=PROMPT, n=n, max_output_tokens=LIMIT)
    return Attempt(endpoint(model), request, LIMIT, BOUND, replies, chunks, **more)


def settled(sent, *, expired=False):
    return settle(sent, seconds=0.5, expired=expired)


def whole_lease(n=1):
    return Usage(
        calls=n,
        input_tokens=BOUND,
        output_tokens=n * LIMIT,
        usd=(2 * BOUND + 10 * n * LIMIT) / 1e6,
        seconds=0.5,
    )


def reported(prompt, output, *, cached=0, reasoning=0):
    return {
        "input_tokens": prompt,
        "output_tokens": output,
        "total_tokens": prompt + output,
        "input_token_details": {"cache_read": cached},
        "output_token_details": {"reasoning": reasoning},
    }


def test_what_was_reported_is_what_it_cost():
    reply = AIMessage("3", usage_metadata=reported(20, 9, reasoning=8))
    [completion], usage = settled(attempt(reply))
    assert completion.prompt_tokens == 20
    assert usage == Usage(
        calls=1, input_tokens=20, output_tokens=9, reasoning_tokens=8, usd=130e-6, seconds=0.5
    )


def test_cached_tokens_cost_what_cached_tokens_cost():
    """Of gpt-4o: 2.50 dollars a million, 1.25 where they were cached, and 10 for the output."""
    usage = of_gpt_4o(cached=1_600)
    assert usage.usd == pytest.approx((400 * 2.5 + 1_600 * 1.25 + 10.0) / 1e6, abs=1e-9)
    assert usage.input_tokens == 2_000


def test_no_more_tokens_can_be_cached_than_the_prompt_has():
    assert of_gpt_4o(cached=10_000).usd == of_gpt_4o(cached=2_000).usd > 0


def of_gpt_4o(*, cached):
    reply = AIMessage("3", usage_metadata=reported(2_000, 1, cached=cached))
    _, usage = settled(attempt(reply, model=ChatOpenAI(model="gpt-4o", api_key="none")))
    return usage


def test_what_was_not_reported_is_counted():
    [completion], usage = settled(attempt(AIMessage("The answer is 3")))
    assert completion.prompt_tokens is None
    assert usage.output_tokens == count("The answer is 3")
    assert usage.input_tokens == endpoint(Scripted()).counter.prompt(PROMPT)


def test_several_completions_of_one_request_pay_for_its_prompt_once():
    of_all = reported(20, 12)
    replies = [AIMessage("The answer", usage_metadata=of_all) for _ in range(4)]
    completions, usage = settled(attempt(*replies, n=4))
    assert len(completions) == 4
    assert (usage.calls, usage.input_tokens, usage.output_tokens) == (4, 20, 12)


@pytest.mark.parametrize("known", [True, False])
def test_an_unknown_fate_costs_the_whole_lease_and_a_known_one_only_the_call(known):
    sent = attempt(failure=KNOWN if known else UNKNOWN, n=3)
    completions, usage = settled(sent)
    assert [c.error for c in completions] == [sent.failure.message] * 3
    assert usage == (Usage(calls=3, seconds=0.5) if known else whole_lease(3))


def test_what_was_never_sent_was_no_call():
    never = Failure("ConnectError: refused", transient=True, fate_known=True, sent=False)
    _, usage = settled(attempt(failure=never))
    assert usage == Usage(seconds=0.5)


def test_what_the_provider_billed_for_a_reply_that_its_client_refused_is_charged():
    unusable = Failure("too short", transient=False, fate_known=False, billed=Billed(20, 7))
    _, usage = settled(attempt(failure=unusable))
    assert (usage.input_tokens, usage.output_tokens, usage.usd) == (20, 7, 110e-6)


@pytest.mark.parametrize(
    "arrived",
    [
        {"content": "The answer"},
        {"content": "", "additional_kwargs": {"reasoning_content": "Let me think. " * 9}},
        {
            "content": "",
            "tool_call_chunks": [{"name": "add", "args": '{"a": 1', "id": "1", "index": 0}],
        },
    ],
    ids=["text", "reasoning", "tool call"],
)
@pytest.mark.parametrize("ending", [KNOWN, UNKNOWN], ids=["status 500", "lost"])
def test_a_stream_that_failed_after_something_came_costs_its_whole_lease(arrived, ending):
    """Servers report errors in the middle of a stream too, with a status or without."""
    [completion], usage = settled(attempt(AIMessageChunk(**arrived), failure=ending))
    assert usage == whole_lease()
    assert completion.text == arrived["content"]


def test_a_reply_without_any_completion_may_have_been_billed():
    sent = attempt()
    [completion], usage = settled(sent)
    assert completion.error == "the model returned no completion"
    assert sent.failure.transient
    assert usage == whole_lease()


def test_what_had_come_at_the_deadline_is_kept_at_the_price_of_the_lease():
    late = Failure("cut off at the deadline", transient=False, fate_known=False)
    [completion], usage = settled(attempt(AIMessageChunk("The ans"), failure=late), expired=True)
    assert (completion.text, completion.truncated, completion.cut_off_by) == (
        "The ans",
        True,
        "seconds",
    )
    assert usage == whole_lease()


def test_a_stream_over_its_limit_costs_what_was_said_where_that_is_more():
    said = "and so on " * 60
    [completion], usage = settled(attempt(AIMessageChunk(said), cut="limit"))
    assert (completion.truncated, completion.cut_off_by) == (True, "tokens")
    assert usage.output_tokens == count(said) > LIMIT


def test_what_nobody_wanted_any_more_is_discarded_at_its_whole_lease():
    [completion], usage = settled(attempt(AIMessageChunk("The ans"), cut="unwanted"))
    assert (completion.text, completion.discarded) == ("The ans", UNWANTED)
    assert usage == whole_lease()


UNREADABLE = {"logprobs": {"content": [{"token": "3", "logprob": "unknown"}]}}


def test_one_reply_of_several_that_cannot_be_read_costs_one_completion():
    good = AIMessage("3", usage_metadata=reported(20, 8))
    bad = AIMessage("3", usage_metadata=reported(20, 8), response_metadata=UNREADABLE)
    completions, usage = settled(attempt(good, bad, good, n=3))
    assert [c.text for c in completions] == ["3", "", "3"]
    assert completions[1].error.startswith("the reply cannot be read: ValueError: could not")
    assert usage == whole_lease(3)


class Uncountable(Scripted):
    usage: str = "none"

    def get_num_tokens(self, text):
        raise OverflowError("too long")


@pytest.mark.parametrize("expired", [False, True])
def test_a_reply_that_cannot_be_counted_is_a_failure_at_its_whole_lease(expired):
    sent = attempt(AIMessage("3"), model=Uncountable(metadata=PRICE), n=2)
    completions, usage = settled(sent, expired=expired)
    assert [c.error for c in completions] == [
        "the reply cannot be read: OverflowError: too long"
    ] * 2
    assert [c.cut_off_by for c in completions] == ["seconds" if expired else None] * 2
    assert not sent.failure.transient
    assert usage == whole_lease(2)


@pytest.mark.parametrize("kind", [AIMessage, AIMessageChunk])
def test_what_there_was_no_time_to_count_is_kept_at_its_whole_lease(kind):
    [completion], usage = settle_uncounted(attempt(kind("The answer is 3")), seconds=0.5)
    assert (completion.text, completion.error) == ("The answer is 3", None)
    assert completion.notes == ("the deadline came before the reply was counted",)
    assert usage == whole_lease()


def test_where_nothing_had_come_that_there_was_no_time_for_is_cut_off():
    [completion], usage = settle_uncounted(attempt(failure=UNKNOWN), seconds=0.5)
    assert completion.cut_off_by == "seconds"
    assert usage == whole_lease()


TOOL = {"name": "note", "args": {"text": "and so on " * 400}, "id": "1"}
BROKEN = {"name": "note", "args": '{"text": "' + "and so on " * 400, "id": "1", "error": None}


@pytest.mark.parametrize(
    "reply",
    [
        AIMessage("", tool_calls=[TOOL]),
        AIMessage("", invalid_tool_calls=[BROKEN]),
        AIMessageChunk(
            "", tool_call_chunks=[{"name": "note", "args": BROKEN["args"], "id": "1", "index": 0}]
        ),
    ],
    ids=["whole", "broken", "streamed"],
)
@pytest.mark.parametrize("told", [None, 0])
def test_the_arguments_of_tools_are_counted_where_they_are_not_reported(reply, told):
    usage_metadata = None if told is None else reported(20, told)
    reply = reply.model_copy(update={"usage_metadata": usage_metadata})
    _, usage = settled(attempt(reply))
    assert usage.output_tokens >= count("and so on " * 400)


completions = st.lists(
    st.builds(Completion, text=st.text(max_size=30), reasoning=st.text(max_size=30)),
    min_size=1,
    max_size=8,
)
usages = st.builds(
    Usage,
    calls=st.integers(0, 20),
    input_tokens=st.integers(0, 10_000),
    output_tokens=st.integers(0, 10_000),
    usd=st.floats(0, 5),
    seconds=st.floats(0, 100),
)


def shared(some, spent, lease, clipped_by=None):
    return share(some, spent, lease, clipped_by=clipped_by, notes=("n",), output_tokens=100)


@given(completions, usages)
def test_i3_the_shares_of_a_request_add_up_to_what_it_cost(some, spent):
    parts = shared(some, spent, Budget(calls=1))
    assert Usage.total(part.usage for part in parts) == spent
    assert [part.text for part in parts] == [one.text for one in some]
    assert [part.notes for part in parts] == [("n",)] + [()] * (len(some) - 1)


@given(completions, usages, st.integers(1, 20_000))
def test_only_what_is_beyond_the_lease_is_overshoot(some, spent, tokens):
    parts = shared(some, spent, Budget(tokens=tokens))
    assert sum(part.overshoot_tokens for part in parts) == max(0, spent.tokens - tokens)


def test_whoever_said_more_pays_more_whatever_it_was():
    spent = Usage(output_tokens=300)
    talk, call = Completion(text="ab"), Completion(tool_text="a" * 295)
    small, large = shared([talk, call], spent, Budget(calls=9))
    assert (small.usage.output_tokens, large.usage.output_tokens) == (4, 296)


def test_an_answer_that_the_user_wanted_short_was_not_cut_off_by_the_budget():
    short = Completion(text="ab", truncated=True)
    [kept] = shared([short], Usage(), Budget(tokens=9))
    assert kept.cut_off_by is None
    [cut] = shared([short], Usage(), Budget(tokens=9), clipped_by="tokens")
    assert cut.cut_off_by == "tokens"
