"""What is tried again, how often, after which pause, and what every attempt costs."""

import random

import pytest
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour
from tests.models.calling import LEASE, PROMPT, client, connection
from tscale_graph import Budget
from tscale_graph.models import calls
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import HONOURS_KEY, endpoint


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts, which take no time."""
    taken = []

    async def wait(seconds, *, halts):
        taken.append(seconds)

    monkeypatch.setattr(calls, "pause", wait)
    return taken


@pytest.mark.parametrize("fault", ["429", "500", "503"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_what_is_transient_is_tried_again_and_every_attempt_is_a_call(
    server, pauses, fault, stream
):
    server.reset(Behaviour(script=[fault, fault]))
    request = Request(messages=PROMPT, max_output_tokens=50, stream=stream)
    [completion] = await complete(client(server), request, LEASE)
    ledger = server.ledger()
    assert (completion.text, completion.error) == ("The answer is 3", None)
    assert [r.fate for r in ledger.requests] == ["error_status", "error_status", "completed"]
    assert completion.usage.calls == len(pauses) + 1 == 3
    assert completion.usage.tokens == ledger.billed_tokens


@pytest.mark.parametrize("allowed", [1, 2, 3, 8])
async def test_there_are_as_many_attempts_as_the_lease_has_calls_and_at_most_three(
    server, pauses, allowed
):
    server.reset(Behaviour(script=["503"] * 9))
    [completion] = await complete(client(server), Request(messages=PROMPT), Budget(calls=allowed))
    assert completion.status == 503
    assert len(server.ledger().requests) == completion.usage.calls == min(3, allowed)


async def test_what_is_not_transient_is_not_tried_again(server, pauses):
    server.reset(Behaviour(script=["400"]))
    [completion] = await complete(client(server), Request(messages=PROMPT), LEASE)
    assert (completion.status, pauses) == (400, [])
    assert len(server.ledger().requests) == completion.usage.calls == 1


async def test_pauses_grow_and_are_spread_by_the_generator_that_was_given(server, pauses):
    for _ in range(2):
        server.reset(Behaviour(script=["503"] * 3))
        rng = random.Random(5)
        await complete(client(server), Request(messages=PROMPT), LEASE, rng=rng)
    assert pauses[:2] == pauses[2:]
    assert 0.125 <= pauses[0] <= 0.375
    assert 0.25 <= pauses[1] <= 0.75


async def test_a_provider_is_given_the_time_that_it_asks_for(server, pauses):
    server.reset(Behaviour(script=["429-retry-after"] * 2))
    [completion] = await complete(client(server), Request(messages=PROMPT), LEASE)
    assert completion.text == "The answer is 3"
    assert all(1.0 <= pause < 1.1 for pause in pauses)
    assert len(pauses) == 2


async def test_a_lost_call_leaves_a_second_attempt_only_what_its_lease_did_not_pay(server, pauses):
    """The fate of the first is unknown: it counts as a whole one."""
    server.reset(Behaviour(script=["reset", None]))
    model = endpoint(ChatOpenAI(**connection(server), metadata={HONOURS_KEY: True}))
    bound = model.counter.prompt_bound(PROMPT)
    request = Request(messages=PROMPT, max_output_tokens=50)
    [completion] = await complete(model, request, Budget(calls=3, tokens=2 * bound + 50 + 20))
    requests = server.ledger(settle=2).requests
    assert [r.max_tokens for r in requests] == [50, 20]
    assert completion.usage.tokens == bound + 50 + requests[1].billed_tokens


async def test_what_a_lost_call_left_too_little_for_is_not_tried_again(server, pauses):
    server.reset(Behaviour(script=["reset", None]))
    model = endpoint(ChatOpenAI(**connection(server), metadata={HONOURS_KEY: True}))
    bound = model.counter.prompt_bound(PROMPT)
    request = Request(messages=PROMPT, max_output_tokens=50)
    [completion] = await complete(model, request, Budget(calls=3, tokens=2 * bound + 50))
    assert completion.error is not None
    assert len(server.ledger(settle=2).requests) == 1
    assert completion.usage.tokens == bound + 50


@pytest.mark.parametrize(
    ("refused", "asked"),
    [
        ("temperature", {"temperature": 0.7}),
        ("seed", {"seed": 5}),
        ("logprobs", {"logprobs": 2}),
        ("stop", {"stop": ["\n"]}),
    ],
)
async def test_an_option_that_is_refused_is_left_out_and_the_refusal_is_a_call(
    server, pauses, refused, asked
):
    server.reset(Behaviour(refuses=[refused]))
    [completion] = await complete(client(server), Request(messages=PROMPT, **asked), LEASE)
    ledger = server.ledger()
    assert completion.text == "The answer is 3"
    assert completion.notes == (f"fake does not take {refused}: asked without it",)
    assert (len(ledger.requests), completion.usage.calls, pauses) == (2, 2, [0.0])
    assert completion.usage.tokens == ledger.billed_tokens


async def test_a_refused_option_is_not_tried_again_where_the_lease_has_no_call_left(server, pauses):
    server.reset(Behaviour(refuses=["temperature"]))
    request = Request(messages=PROMPT, temperature=0.7)
    [completion] = await complete(client(server), request, Budget(calls=1))
    assert (completion.status, completion.usage.calls) == (400, 1)
    assert len(server.ledger().requests) == 1
