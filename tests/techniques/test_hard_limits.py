"""Nothing exceeds a budget: 300 random scenarios of models that misbehave."""

import asyncio
import random
import time
from contextlib import asynccontextmanager

import pytest
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.scripted import Scripted, Streaming, Synchronous, SynchronousStreaming
from tscale_graph import Budget, BudgetExceeded, best_of_n, self_consistency
from tscale_graph.candidates import SamplingError
from tscale_graph.verifiers.judges import judge, listwise_judge, most_consistent, pairwise_judge

SCENARIOS = 300
PRICE = {"usd_per_million_tokens": {"input": 2.0, "output": 10.0}}
OVERRUN_SECONDS = 0.3


def a_model(rng: random.Random):
    kind = rng.choice([Scripted, Streaming, Streaming, Synchronous, SynchronousStreaming])
    long = "The answer is 3. " + "and so on " * rng.choice([0, 5, 300])
    extra = {}
    if issubclass(kind, Streaming | SynchronousStreaming):
        extra["chunk"] = rng.choice([1, 4, 40])
    return kind(
        answers=[long, "The answer is 2", ""],
        draws=random.Random(rng.random()),
        delay=rng.choice([0.0, 0.002]),
        fail=rng.choice([0.0, 0.0, 0.3]),
        hang=rng.choice([0.0, 0.0, 0.0, 0.1]),
        ignore_limit=rng.random() < 0.5,
        usage=rng.choice(["right", "none", "zero", "under"]),
        metadata=PRICE,
        **extra,
    )


def a_budget(rng: random.Random, hangs: bool) -> Budget:
    limits = {
        "calls": rng.randint(1, 80),
        "tokens": rng.choice([rng.randint(1, 300), rng.randint(300, 20_000)]),
        "usd": rng.choice([1e-6, 1e-4, 1e-3, 0.1]) * rng.uniform(1, 10),
        "seconds": rng.choice([0.05, 0.2, 0.4]),
    }
    chosen = rng.sample(sorted(limits), rng.randint(1, 4))
    if hangs and "seconds" not in chosen:
        chosen.append("seconds")
    return Budget.model_validate({name: limits[name] for name in chosen})


def a_judge(rng: random.Random, hang: float):
    """Gives a score, a winner, a ranking or a choice, or talks; in one piece or in chunks."""
    kind = rng.choice([Scripted, Streaming])
    fields = '"score": 5, "winner": "first", "ranking": [2, 1], "choice": 2'
    return kind(
        answers=[f"{{{fields}}}", "I cannot say. " * rng.choice([1, 100]), ""],
        draws=random.Random(rng.random()),
        delay=rng.choice([0.0, 0.002]),
        fail=rng.choice([0.0, 0.3]),
        hang=hang,
        ignore_limit=rng.random() < 0.3,
        usage=rng.choice(["right", "none", "zero", "under"]),
        metadata=PRICE,
    )


def largest_chunk(model) -> int:
    """The most tokens that arrive at once beyond a limit."""
    piece = getattr(model, "chunk", None)
    whole = max(-(-len(answer) // 4) for answer in model.answers)
    return -(-piece // 4) + 1 if piece else whole if model.ignore_limit else 0


@asynccontextmanager
async def noise():
    """How much longer than asked a sleeper beside the run slept: what the machine adds."""
    late = []

    async def sleeper():
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - before - 0.01)

    sleeping = asyncio.ensure_future(sleeper())
    try:
        yield late
    finally:
        sleeping.cancel()


async def run(graph, budget):
    try:
        out = await graph.compile().ainvoke(
            {"messages": [("user", "How many r's are in strawberry?")], "budget": budget}
        )
    except (BudgetExceeded, SamplingError) as error:
        return error.usage, None
    return out["result"].usage, out["result"]


def a_scenario(seed):
    rng = random.Random(seed)
    model = a_model(rng)
    budget = a_budget(rng, hangs=model.hang > 0)
    in_flight = rng.choice([1, 2, 8, 64])
    arguments = dict(
        stop=rng.choice(["fixed", "beta"]),
        max_output_tokens=rng.choice([5, 60, 400]),
        max_parallel=in_flight,
    )
    votes = rng.random() < 0.5
    # Drawn apart, so that a scenario stays what it is when more is drawn here.
    more = random.Random(f"{seed}/more")
    asked = a_judge(more, hang=model.hang)
    arguments["speculate"] = more.choice([0, 0, 3, 10])
    if votes:
        vote = more.choice(["majority", "stated_confidence", most_consistent(asked)])
        graph = self_consistency(model, max_samples=64, vote=vote, **arguments)
    else:
        by = more.choice([at_random, judge(asked), pairwise_judge(asked), listwise_judge(asked)])
        graph = best_of_n(model, by, n=64, **arguments)
    return graph, model, asked, budget, in_flight, arguments["speculate"]


async def timed(graph, budget):
    async with noise() as late:
        started = time.monotonic()
        usage, result = await run(graph, budget)
        elapsed = time.monotonic() - started
    return usage, result, elapsed, sum(late)


@pytest.mark.parametrize("seed", range(SCENARIOS))
@pytest.mark.slow
async def test_no_limit_is_exceeded_and_the_usage_is_true(seed):
    graph, model, asked, budget, in_flight, speculate = a_scenario(seed)
    usage, result, elapsed, lag = await timed(graph, budget)
    if budget.seconds is not None and elapsed > budget.seconds + OVERRUN_SECONDS + lag:
        # A machine that stood still is asked once more; a limit that is not kept fails twice.
        graph, model, asked, budget, in_flight, speculate = a_scenario(seed)
        usage, result, elapsed, lag = await timed(graph, budget)

    calls = [*model.calls, *asked.calls]
    assert model.most_in_flight <= in_flight
    assert usage.calls == len(calls)
    if budget.calls is not None:
        assert len(calls) <= budget.calls
    # Overshoot: at most one chunk for each call in flight. A model that answers in one piece
    # and ignores its limit sends one chunk, the whole answer.
    over = in_flight * largest_chunk(model) + asked.most_in_flight * largest_chunk(asked)
    billed = sum(call.billed for call in calls)
    if budget.tokens is not None:
        assert billed <= budget.tokens + over
    if budget.usd is not None:
        dollars = sum(
            2e-6 * call.prompt_tokens + 10e-6 * call.output_tokens
            for call in calls
            if call.fate != "failed"
        )
        assert dollars <= budget.usd + over * 10e-6 + 1e-9
    if budget.seconds is not None:
        assert elapsed <= budget.seconds + OVERRUN_SECONDS + lag
    # The accounts: exact where every call's fate is known, never below what was billed. A call
    # that was given up on, at the deadline or in a thread of a race that was settled without it,
    # may go on behind our back, by what an overshoot may be.
    given_up = budget.seconds is not None and elapsed >= budget.seconds
    given_up |= speculate > 0 and isinstance(model, Synchronous)
    assert usage.tokens >= billed - (over if given_up else 0)
    if all(call.fate in ("completed", "failed") for call in calls) and not given_up:
        assert usage.tokens == billed
    if result is not None:
        reason = result.cut_off_by
        assert (result.status == "cut_off") == (reason is not None)
        assert reason is None or getattr(budget, reason) is not None


async def at_random(question: str, answer: str) -> float:
    return (len(answer) % 7) / 10


@pytest.fixture(scope="module")
def server():
    with FakeServer(in_process=False) as running:
        yield running


@pytest.mark.parametrize("seed", range(40))
async def test_the_same_over_http_with_a_real_client(server, seed):
    rng = random.Random(f"http/{seed}")
    faults = rng.choice(
        [
            {},
            {"429": 0.3},
            {"500": 0.2, "503": 0.1},
            {"reset": 0.2},
            {"reset-mid-stream": 0.2},
            {"truncated": 0.2},
            {"malformed": 0.2},
            {"empty": 0.5},
        ]
    )
    server.reset(
        Behaviour(
            seed=seed,
            latency=(0.0, 0.02),
            faults=faults,
            chunk_chars=rng.choice([1, 16]),
            answers={"The answer is 3": 0.7, "The answer is 2": 0.3},
            completion_tokens=rng.choice([None, (5, 200)]),
            n=rng.choice(["yes", "one", "error"]),
            usage=rng.choice(["right", "right", "none"]),
        )
    )
    model = ChatOpenAI(model="fake", base_url=server.url, api_key="none", metadata=PRICE)
    budget = a_budget(rng, hangs=False)
    graph = self_consistency(
        model,
        max_samples=rng.choice([1, 8, 32]),
        stop=rng.choice(["fixed", "beta"]),
        max_output_tokens=rng.choice([20, 100]),
    )
    usage, _ = await run(graph, budget)
    ledger = server.ledger(settle=0.5)
    asked = sum(request.n for request in ledger.requests)
    assert usage.calls == asked
    if budget.calls is not None:
        assert asked <= budget.calls
    if budget.tokens is not None:
        assert ledger.billed_tokens <= budget.tokens
    # Where this server reports no usage its own tokenizer is unknown, so counts are estimates.
    if all(request.reported_tokens is not None for request in ledger.requests):
        assert usage.tokens >= ledger.billed_tokens


async def test_a_run_of_one_second_against_a_server_that_hangs_returns_in_time(server):
    server.reset(Behaviour(faults={"hang": 1.0}))
    model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
    started = time.monotonic()
    with pytest.raises(BudgetExceeded):
        await (
            self_consistency(model)
            .compile()
            .ainvoke({"messages": [("user", "How many?")], "budget": Budget(seconds=1)})
        )
    assert time.monotonic() - started < 1.3


async def test_many_requests_at_once_keep_to_their_own_budgets():
    model = Scripted(delay=0.005, draws=random.Random(1), answers=["The answer is 3", "It is 2"])
    graph = self_consistency(model, max_samples=16, stop="fixed").compile()
    budgets = [Budget(calls=random.Random(k).randint(1, 16)) for k in range(32)]
    outs = await asyncio.gather(
        *(
            graph.ainvoke({"messages": [("user", "How many?")], "budget": budget})
            for budget in budgets
        )
    )
    assert [out["result"].usage.calls for out in outs] == [budget.calls for budget in budgets]
    assert len(model.calls) == sum(budget.calls for budget in budgets)
