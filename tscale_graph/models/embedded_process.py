"""The server of the embedded model, from the side of the program that needs it.

llama.cpp's server runs in a process of its own on loopback. It is started when it is first
needed, shared by everything in this process, restarted when it has died, and gone when this
process is.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tscale_graph.models.weights import MODEL_NAME, LocalModelError, local_weights

_START_SECONDS = 120


class EmbeddedServer:
    """One server process, started when its address is first asked for."""

    def __init__(
        self, *, slots: int, tokens_per_slot: int, threads: int, states: bool = False
    ) -> None:
        """Prepare a server; nothing is started.

        Args:
            slots: requests that it works on side by side.
            tokens_per_slot: the context of each of them.
            threads: that it computes with.
            states: whether it tells the hidden states of texts instead of completing them.
        """
        self.key = secrets.token_hex(16)
        self._settings = {
            "slots": slots,
            "tokens_per_slot": tokens_per_slot,
            "threads": threads,
            "states": states,
        }
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._address = ""

    def address(self) -> str:
        """Where the server listens, as "http://127.0.0.1:port"; starts it where it is not alive.

        Raises:
            LocalModelError: when the weights cannot be had or the server does not start.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._address = self._start()
            return self._address

    def ask(self, path: str, asked: dict[str, Any], *, seconds: float = 60.0) -> Any:
        """The server's JSON on one request, beside the completions.

        Args:
            path: of the endpoint.
            asked: the JSON to send.
            seconds: the longest silence that is borne.

        Raises:
            LocalModelError: when it refuses, or cannot be had.
        """
        where = urlsplit(self.address())
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=seconds)
        try:
            headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}
            connection.request("POST", path, json.dumps(asked), headers)
            response = connection.getresponse()
            body = response.read()
        except OSError as error:
            raise LocalModelError(f"the embedded model is gone from {path}: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise LocalModelError(f"the embedded model refused {path}: {body[:200]!r}")
        return json.loads(body)

    def stop(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.communicate()
                self._process = None

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None when it was not started."""
        return self._process.pid if self._process is not None else None

    def _start(self) -> str:
        self._discard()
        settings = {
            "parent": os.getpid(),
            "path": str(local_weights()),
            "name": MODEL_NAME,
            "key": self.key,
            **self._settings,
        }
        with tempfile.TemporaryFile("w+", errors="replace") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own file
                [sys.executable, str(Path(__file__).with_name("embedded_server.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            self._process = process
            address = _first_line(process, json.dumps(settings))
            if not address:
                process.kill()
                process.communicate()
                log.seek(0)
                raise LocalModelError(f"the embedded model did not start: {_last_line(log.read())}")
        return address

    def _discard(self) -> None:
        """Close the pipes of a process that has died."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def _first_line(process: subprocess.Popen[str], settings: str) -> str:
    """Tell the server what to serve, and wait for its address; "" when it does not come."""
    if process.stdin is None or process.stdout is None:
        return ""
    impatient = threading.Timer(_START_SECONDS, process.kill)
    impatient.start()
    try:
        process.stdin.write(settings + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()
    except OSError:
        return ""
    finally:
        impatient.cancel()


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it ended without a word"
