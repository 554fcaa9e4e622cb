"""A process that works ahead is killed; what it left is whole, and the next one goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from langgraph.store.sqlite import SqliteStore

from tests.reader import written
from tscale_graph.sleep_store import ROOT
from tscale_graph.sleeping.books import Books, Use
from tscale_graph.sleeping.entries import Dense, Page

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]
PRICES = {f"dish{n}": n for n in range(1, 13)}
SLEEP = f"""
import sys
from langgraph.store.sqlite import SqliteStore
from tests.reader import Reader
from tscale_graph import Budget, sleep_time
with SqliteStore.from_conn_string(sys.argv[1]) as store:
    store.setup()
    graph = sleep_time(Reader(delay=0.004), samples=3, patience=99, rounds=99).compile(store=store)
    print("began", flush=True)
    while True:
        graph.invoke({{"context": {written(PRICES)!r}, "budget": Budget(tokens=90_000)}})
"""
KINDS = {"pages": Page, "dense": Dense, "books": Books, "uses": Use}


def test_killed_at_any_point_there_are_only_whole_entries(tmp_path):
    where, rng, seen = tmp_path / "store.sqlite", random.Random(0), set()
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", SLEEP, str(where)],
            cwd=HERE,
            env={**os.environ, "PYTHONPATH": str(HERE)},
            stdout=subprocess.PIPE,
        )
        assert process.stdout.readline() == b"began\n"
        time.sleep(rng.uniform(0.05, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with SqliteStore.from_conn_string(str(where)) as store:
            for item in store.search((ROOT,), limit=1000):
                entry = KINDS[item.namespace[2]].model_validate(item.value["entry"])
                seen.add(type(entry))
                for one in getattr(entry, "questions", ()) if isinstance(entry, Page) else ():
                    thing = one.question.removesuffix("?").split()[-1]
                    assert one.answer in (None, str(PRICES[thing]))
    assert seen == {Page, Dense, Books}
