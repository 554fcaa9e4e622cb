"""Callbacks and tracers hear of one call, and count it once."""

from contextvars import ContextVar

from langchain_core.callbacks import (
    BaseCallbackHandler,
    UsageMetadataCallbackHandler,
    get_usage_metadata_callback,
)
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers import LangChainTracer
from langchain_core.tracers.context import collect_runs
from langsmith import Client, tracing_context

from tests.chat_model.asking import ANSWERS, BUDGET, QUESTION, in_a_graph, model_of
from tests.scripted import Scripted, Streaming
from tscale_graph import ScaledChatModel, best_of_n, self_consistency


class Heard(BaseCallbackHandler):
    def __init__(self):
        self.started = []
        self.tokens = []

    def on_chat_model_start(self, serialized, messages, **more):
        self.started.append(more["invocation_params"])

    def on_llm_new_token(self, token, **more):
        self.tokens.append(token)


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
