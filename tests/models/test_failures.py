"""What becomes of refusals: asked again without what was refused, or given up on."""

import time
from types import SimpleNamespace

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph.budget import Budget
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint

ASKED = Request(messages=[HumanMessage("q?")], max_output_tokens=50)


class Busy(Scripted):
    """Answers 429 and says how long to wait."""

    retry_after: str = "0"

    async def _agenerate(self, messages, stop=None, run_manager=None, **options):
        self.calls.append(options)
        error = RuntimeError("too many requests")
        error.status_code = 429
        error.response = SimpleNamespace(headers={"retry-after": self.retry_after})
        raise error


@pytest.mark.parametrize("patience", ["61", "86400", "inf"])
async def test_a_provider_that_asks_for_too_much_patience_is_given_up_on(patience):
    model = Busy(retry_after=patience)
    started = time.monotonic()
    completions = await complete(endpoint(model), ASKED, Budget(calls=10))
    assert completions[0].error == "RuntimeError: too many requests"
    assert (len(model.calls), completions[0].usage.calls) == (1, 1)
    assert time.monotonic() - started < 10


async def test_a_provider_that_asks_for_a_little_is_asked_again():
    model = Busy(retry_after="0.01")
    completions = await complete(endpoint(model), ASKED, Budget(calls=10))
    assert len(model.calls) == completions[0].usage.calls == 3


async def test_a_server_that_does_not_take_stream_options_is_asked_without_them():
    with FakeServer(Behaviour(refuses=["stream_options"]), in_process=True) as server:
        known = endpoint(ChatOpenAI(model="fake", api_key="none", base_url=server.url))
        completions = await complete(known, ASKED, Budget(calls=4, seconds=30))
        requests = server.ledger(settle=1).requests
    assert completions[0].text == "The answer is 3"
    assert completions[0].notes == ("fake does not take stream_options: asked without it",)
    assert len(requests) == completions[0].usage.calls == 2
    assert completions[0].usage.output_tokens > 0, "counted, because it was not reported"


async def test_a_refusal_of_what_was_not_sent_is_a_failure():
    with FakeServer(Behaviour(refuses=["messages"]), in_process=True) as server:
        known = endpoint(ChatOpenAI(model="fake", api_key="none", base_url=server.url))
        completions = await complete(known, ASKED, Budget(calls=4, seconds=30))
        assert len(server.ledger(settle=1).requests) == 1
    assert "messages" in completions[0].error
