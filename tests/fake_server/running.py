"""The fake server from a test's side: started, asked for its ledger, and ended."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fake_server.behaviour import Behaviour
from tests.fake_server.ledger import Ledger, Request
from tests.fake_server.service import serve

_ROOT = Path(__file__).parents[2]


class FakeServer:
    """Runs the server for the length of a `with`: in a process of its own, or on a thread."""

    def __init__(self, behaviour: Behaviour | None = None, *, in_process: bool = False) -> None:
        self._behaviour = behaviour or Behaviour()
        self._in_process = in_process
        self.port = 0

    @property
    def url(self) -> str:
        """What OpenAI's clients call `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def ledger(self, *, settle: float = 0.0) -> Ledger:
        """The ledger; with `settle`, as soon as nothing is in flight, or after so many seconds."""
        give_up = time.monotonic() + settle
        while True:
            found = self._ask("GET", "/ledger")
            requests = [Request(**request) for request in found["requests"]]
            busy = any(request.fate == "in_flight" for request in requests)
            if not busy or time.monotonic() >= give_up:
                return Ledger(requests=requests, max_concurrency=found["max_concurrency"])
            time.sleep(0.01)

    def reset(self, behaviour: Behaviour | None = None) -> None:
        """Empties the ledger and starts the draws again, with a new behaviour if one is given."""
        self._ask("POST", "/reset", json.dumps(asdict(behaviour)) if behaviour else "")

    def __enter__(self) -> Self:
        if self._in_process:
            port: Future[int] = Future()
            self._thread = threading.Thread(target=self._run, args=(port,), daemon=True)
            self._thread.start()
            self.port = port.result(timeout=30)
        else:
            behaviour = json.dumps(asdict(self._behaviour))
            command = [sys.executable, "-m", "tests.fake_server", "--until-stdin-closes"]
            self._process = subprocess.Popen(
                [*command, "--behaviour", behaviour],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_ROOT,
            )
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError(f"the fake server ended with status {self._process.wait()}")
            self.port = int(line)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._in_process:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        else:
            self._process.kill()
            self._process.communicate()

    def _run(self, port: "Future[int]") -> None:
        async def until_stopped() -> None:
            self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
            await serve(self._behaviour, started=port.set_result, stopped=self._stopped)

        try:
            asyncio.run(until_stopped())
        except Exception as error:
            if port.done():
                raise
            port.set_exception(error)

    def _ask(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {answer.decode()}")
        return json.loads(answer)
