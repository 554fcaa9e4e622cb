"""A process that works ahead is killed; what it left is whole, and the next one goes on."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from langgraph.store.sqlite import SqliteStore

from tests.reader import Reader, written
from tscale_graph import Budget, sleep_time
from tscale_graph.sleep_store import ROOT, SleepStore
from tscale_graph.sleeping.books import Books, Use
from tscale_graph.sleeping.contexts import StandingContext
from tscale_graph.sleeping.entries import Dense, Page

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]
PRICES = {f"dish{n}": n for n in range(1, 13)}
VERSIONS = (PRICES, {**PRICES, "dish12": 30})
SLEEP = f"""
import sys
from langgraph.store.sqlite import SqliteStore
from tests.reader import Reader
from tscale_graph import Budget, self_consistency, sleep_time, wake
with SqliteStore.from_conn_string(sys.argv[1]) as store:
    store.setup()
    sleep = sleep_time(Reader(delay=0.004), samples=3, patience=99, rounds=99).compile(store=store)
    woken = wake(self_consistency(Reader(), max_samples=1)).compile(store=store)
    print("began", flush=True)
    while True:
        for text in {tuple(map(written, VERSIONS))!r}:
            given = {{"context": text, "name": "cafe", "budget": Budget(tokens=90_000)}}
            print("slept", sleep.invoke(given)["slept"].usage.calls, flush=True)
            woken.invoke({{**given, "messages": [("user", "How much is dish12?")]}})
            print("asked", 1, flush=True)
"""
KINDS = {"pages": Page, "dense": Dense, "books": Books, "uses": Use}


def test_killed_at_any_point_there_are_only_whole_entries_and_all_are_known(tmp_path):
    where, rng, seen = tmp_path / "store.sqlite", random.Random(0), set()
    prices = {StandingContext.of(written(known)).key: known for known in VERSIONS}
    said = {"slept": 0, "asked": 0}
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", SLEEP, str(where)],
            cwd=HERE,
            env={**os.environ, "PYTHONPATH": str(HERE)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "began\n"
        time.sleep(rng.uniform(0.05, 2.0))
        process.send_signal(signal.SIGKILL)
        for line in process.stdout.read().splitlines():
            kind, count = line.split()
            said[kind] += int(count)
        process.wait()
        process.stdout.close()
        with SqliteStore.from_conn_string(str(where)) as store:
            for item in store.search((ROOT,), limit=1000):
                entry = KINDS[item.namespace[2]].model_validate(item.value["entry"])
                seen.add(type(entry))
                for one in getattr(entry, "questions", ()) if isinstance(entry, Page) else ():
                    thing = one.question.removesuffix("?").split()[-1]
                    assert one.answer in (None, str(prices[entry.source][thing]))
    assert seen >= {Page, Dense, Books}
    with SqliteStore.from_conn_string(str(where)) as store:
        graph = sleep_time(Reader(), patience=99).compile(store=store)
        given = {"context": written(PRICES), "name": "cafe", "budget": Budget(tokens=90_000)}
        said["slept"] += graph.invoke(given)["slept"].usage.calls
        [books] = asyncio.run(SleepStore(store).contexts())
        kept = store.search((ROOT,), limit=1000)
    assert books.slept.calls >= said["slept"], "what was begun and not ended counts, too"
    assert said["asked"] <= books.questions <= said["asked"] + 8
    assert {item.key for item in kept if item.namespace[2] in ("pages", "dense")} == books.keys
    assert len(books.versions) == 1
