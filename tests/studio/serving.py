"""`langgraph dev` as users start it, in a process of its own and with no network to go to."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

EXAMPLE = Path(__file__).parents[2] / "examples/studio/langgraph.json"
OFFLINE = {
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "NO_COLOR": "1",
}
KEYS = ("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "LANGGRAPH_CLOUD_LICENSE_KEY")


@contextlib.contextmanager
def langgraph_dev(model_url, *, folder, config=EXAMPLE):
    """The address of a server whose OpenAI models are behind `model_url`.

    What it writes is in `folder`: its log in `log.txt`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--config", str(config)]
    command += ["--no-browser", "--no-reload", "--host", "127.0.0.1", "--port", str(port)]
    kept = {name: value for name, value in os.environ.items() if name not in KEYS}
    env = kept | OFFLINE | {"OPENAI_BASE_URL": model_url, "OPENAI_API_KEY": "none"}
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [*command, "--n-jobs-per-worker", "8"],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ok(url, server, folder / "log.txt")
        yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ok(url, server, log, *, seconds=90):
    give_up = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/ok", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")
