"""The process that runs the embedded model: llama.cpp's OpenAI-compatible server on loopback.

Started by path, not with `-m`, so that it loads in the time that the weights take and not in the
time that LangGraph takes. It reads one line of JSON from standard input, says its address on
standard output, and lives until standard input ends or its parent is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

_PARENT_CHECK_SECONDS = 0.5


def main() -> None:
    """Serve until the parent goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to answer
    settings: dict[str, Any] = json.loads(sys.stdin.readline())
    announce = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the library prints belongs in the log
    watcher = threading.Thread(target=_leave_at_end_of_input, daemon=True)
    watcher.start()
    if os.name == "posix":
        # A forked sibling may hold our standard input open after the parent was killed.
        threading.Thread(target=_leave_with, args=(settings["parent"],), daemon=True).start()
    server = _serve(settings)
    print(server.listening_address, file=announce, flush=True)
    announce.close()
    watcher.join()


def _serve(settings: dict[str, Any]) -> Any:
    import xllamacpp  # pyright: ignore[reportMissingTypeStubs]

    library: Any = xllamacpp
    params = library.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["key"]]
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["tokens_per_slot"]
    # One pool of context for all slots: one alone may use as much of it as the model was
    # trained for, and completions of one prompt share the prompt's part.
    params.kv_unified = True
    params.cache_ram_mib = 0
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    params.warmup = False
    params.fit_params = False
    params.ui = False
    params.verbosity = 1
    if settings["states"]:
        params.embedding = True
        params.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
        # Flash attention rounds by how long a text is: the states of a beginning would be some
        # per cent away from those of the whole, and without it they are the same.
        params.flash_attn_type = library.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        # A text whose every token is told has to fit into one batch.
        params.n_batch = params.n_ubatch = settings["tokens_per_slot"]
    return library.Server(params)


def _leave_at_end_of_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main()
