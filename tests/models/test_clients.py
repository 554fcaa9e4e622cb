"""Connections of one event loop are never used on another, whatever the provider's class."""

import asyncio
import gc
import http.server
import json
import socketserver
import threading
from collections import Counter
from contextlib import contextmanager, suppress

import openai
import pytest
from google.genai._api_client import BaseApiClient
from langchain_anthropic import ChatAnthropic
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted
from tscale_graph import Budget, self_consistency
from tscale_graph.models.clients import on_running_loop
from tscale_graph.models.failures import failure

SAMPLES = 4


class OneByOne(ChatOpenAI):
    """A provider that answers a prompt once a request."""


@pytest.fixture
def server():
    with FakeServer(Behaviour(latency=0.02), in_process=True) as server:
        yield server


def chat_openai(url, cls=OneByOne, **more):
    return cls(model="fake", api_key="none", base_url=url, **more)


def request_on(budget):
    return {"messages": [("user", "q?")], "budget": budget}


def sampling(model, samples=16):
    return self_consistency(model, max_samples=samples, stop="fixed", answer="number").compile()


def outcome(result):
    return result["result"].usage.calls, sum(bool(c.error) for c in result["result"].candidates)


@pytest.mark.parametrize("invoked", ["ainvoke, then ainvoke", "invoke, then ainvoke"])
def test_a_run_on_another_loop_costs_the_server_what_it_reports(server, invoked):
    graph, state = sampling(chat_openai(server.url)), request_on(Budget(calls=16))
    first = (
        graph.invoke(state) if invoked.startswith("invoke") else asyncio.run(graph.ainvoke(state))
    )
    second = asyncio.run(graph.ainvoke(state))
    assert (outcome(first), outcome(second)) == ((16, 0), (16, 0))
    assert len(server.ledger().requests) == 32


def test_many_connections_of_earlier_loops_are_no_calls(server):
    model = chat_openai(server.url)

    async def bare():
        await asyncio.gather(*(model.ainvoke("q?") for _ in range(32)))

    asyncio.run(bare())
    together = sampling(chat_openai(server.url, ChatOpenAI))
    result = asyncio.run(together.ainvoke(request_on(Budget(calls=16))))
    assert outcome(result) == (16, 0)
    assert sum(request.n for request in server.ledger().requests[32:]) == 16


def test_an_ainvoke_of_the_users_before_and_after_an_invoke_is_undisturbed(server):
    model = chat_openai(server.url)
    graph = sampling(model, samples=2)

    async def both():
        await model.ainvoke("q?")
        ours = await asyncio.to_thread(graph.invoke, request_on(Budget(calls=2)))
        await model.ainvoke("q?")
        return ours

    assert outcome(asyncio.run(both())) == (2, 0)


async def test_one_loop_has_one_pool_for_all_models_with_the_same_settings(server):
    models = [chat_openai(server.url) for _ in range(3)]
    connected = [await on_running_loop(model) for model in models for _ in range(2)]
    assert len({id(model.root_async_client._client) for model in connected}) == 1
    other = await on_running_loop(chat_openai(server.url, timeout=7))
    assert other.root_async_client._client is not connected[0].root_async_client._client


def test_loops_do_not_share_pools(server):
    model = chat_openai(server.url)

    async def pool():
        return (await on_running_loop(model)).root_async_client._client

    assert asyncio.run(pool()) is not asyncio.run(pool())


def test_a_pool_is_closed_with_its_loop(server):
    model = chat_openai(server.url)

    async def used():
        connected = await on_running_loop(model)
        await connected.ainvoke("q?")
        return connected.root_async_client._client

    assert asyncio.run(used()).is_closed


async def test_a_pool_is_closed_when_its_models_are_gone(server):
    timeout = openai.Timeout(5)  # unhashable, so LangChain makes a client for this model alone
    model = chat_openai(server.url, timeout=timeout)
    connected = await on_running_loop(model)
    await connected.ainvoke("q?")
    pool = connected.root_async_client._client
    del model, connected
    gc.collect()
    for _ in range(100):
        if pool.is_closed:
            break
        await asyncio.sleep(0.01)
    assert pool.is_closed


def test_a_loop_that_was_closed_in_the_middle_leaves_nothing_behind(server):
    model, loop = chat_openai(server.url), asyncio.new_event_loop()
    loop.run_until_complete(on_running_loop(model))
    loop.close()

    async def ask():
        return (await (await on_running_loop(model)).ainvoke("q?")).text

    assert asyncio.run(ask()) == "The answer is 3"


async def test_the_users_settings_are_kept():
    model = ChatOpenAI(
        model="fake",
        api_key="secret",
        base_url="http://127.0.0.1:9/v1",
        timeout=7,
        organization="us",
        default_headers={"x-team": "blue"},
        default_query={"v": "1"},
        http_socket_options=[(1, 9, 1)],
    )
    ours, theirs = (await on_running_loop(model)).root_async_client, model.root_async_client
    assert ours.api_key == "secret"
    for name in ("base_url", "timeout", "organization", "default_query"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.default_headers["x-team"] == "blue"
    assert ours._client.timeout == theirs._client.timeout
    assert ours._client._transport._pool._socket_options == [(1, 9, 1)]
    assert ours._client is not theirs._client


async def test_a_proxy_is_kept():
    model = chat_openai("http://127.0.0.1:9/v1", openai_proxy="http://127.0.0.1:8/")
    ours = (await on_running_loop(model)).root_async_client._client
    assert ours is not model.root_async_client._client
    proxies = {str(t._pool._proxy_url.host, "ascii") for t in ours._mounts.values() if t}
    assert proxies == {"127.0.0.1"}


async def test_an_http_client_of_the_users_is_used_as_it_is(server):
    async with openai.DefaultAsyncHttpxClient() as own:
        model = chat_openai(server.url, http_async_client=own)
        assert (await on_running_loop(model)).root_async_client._client is own


async def test_azure_gets_a_pool_of_the_loop():
    model = AzureChatOpenAI(
        azure_endpoint="https://example.invalid",
        api_version="2024-06-01",
        api_key="none",
        azure_deployment="d",
    )
    ours = (await on_running_loop(model)).root_async_client
    assert type(ours) is openai.AsyncAzureOpenAI
    assert ours.base_url == model.root_async_client.base_url
    assert ours._client is not model.root_async_client._client


async def test_a_class_without_connections_is_left_as_it_is():
    model = Scripted()
    assert await on_running_loop(model) is model


@pytest.mark.parametrize(
    "message",
    ["Event loop is closed", "<Lock> is bound to a different event loop"],
)
def test_a_client_on_a_loop_that_is_not_its_own_may_have_sent_the_request(message):
    try:
        try:
            raise RuntimeError(message)
        except RuntimeError as error:
            raise openai.APIConnectionError(request=None) from error
    except openai.APIConnectionError as error:
        found = failure(error)
    assert (found.fate_known, found.sent) == (False, True)
    assert not failure(RuntimeError(message)).fate_known


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers in the protocols of Anthropic, Google and Ollama, and keeps connections open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.answered[self.path.partition("?")[0]] += 1
        body = json.dumps(self.reply()).encode() + b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply(self):
        if self.path.startswith("/api/chat"):
            message = {"role": "assistant", "content": "The answer is 3"}
            stats = {"prompt_eval_count": 3, "eval_count": 4, "done_reason": "stop"}
            return {"model": "m", "message": message, "done": True, **stats}
        if self.path.startswith("/v1/messages"):
            return {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [{"type": "text", "text": "The answer is 3"}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 3, "output_tokens": 4},
            }
        content = {"role": "model", "parts": [{"text": "The answer is 3"}]}
        counts = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
        return {
            "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
            "usageMetadata": counts,
        }

    def handle(self):
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_):
        pass


class Providers(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def providers():
    server = Providers(("127.0.0.1", 0), Provider)
    server.answered = Counter()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


MODELS = {
    "anthropic": lambda url: ChatAnthropic(model="claude-m", api_key="k", base_url=url),
    "google": lambda url: ChatGoogleGenerativeAI(
        model="gemini-2.5-flash", google_api_key="k", base_url=url
    ),
    "ollama": lambda url: ChatOllama(model="m", base_url=url),
}


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@pytest.mark.parametrize("provider", MODELS)
def test_every_provider_answers_on_every_loop(provider, monkeypatch):
    # Google's library keeps a session for each loop where aiohttp is installed.
    monkeypatch.setattr(BaseApiClient, "_use_aiohttp", lambda self: False)
    with providers() as (server, url):
        graph = sampling(MODELS[provider](url), samples=SAMPLES)
        for _ in range(3):
            result = asyncio.run(graph.ainvoke(request_on(Budget(calls=SAMPLES))))
            assert outcome(result) == (SAMPLES, 0)
        assert server.answered.total() == 3 * SAMPLES
