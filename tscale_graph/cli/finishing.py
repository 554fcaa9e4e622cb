"""How a command ends: what a long run came to, or one line on why it came to nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tscale_graph.candidates import SamplingError
from tscale_graph.cli.main import FAILED, WRONG_USE
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.weights import LocalModelError, local_weights

Done = TypeVar("Done")


def finished(run: Callable[[], Coroutine[Any, Any, Done]], *, model: str | Askable) -> Done | int:
    """Do what takes long; what it came to, or the exit status where why not was told.

    Args:
        run: begins it.
        model: whose weights may have to be fetched first.
    """
    try:
        if isinstance(model, str):
            fetch_weights(model)
        return asyncio.run(run())
    except (SamplingError, LocalModelError) as error:
        return complain(error, FAILED)
    except (ValueError, ImportError, OSError) as error:
        return complain(error, WRONG_USE)


def fetch_weights(model: str) -> None:
    """Have the embedded model's weights, before a display that their progress bar would disturb.

    Raises:
        LocalModelError: when they cannot be had.
    """
    if "local" in model.split(","):
        local_weights()


def complain(problem: object, status: int) -> int:
    """Say in one line what went wrong; returns the status."""
    print(f"tscale: {problem}", file=sys.stderr)
    return status
