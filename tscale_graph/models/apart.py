"""Runs inside of one that tells of them itself: who listens to that one hears nothing of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from langchain_core.tracers.context import (
    _configure_hooks,  # pyright: ignore[reportPrivateUsage]
    tracing_v2_callback_var,
)
from langsmith import tracing_context  # pyright: ignore[reportUnknownVariableType]

from tscale_graph.models.attempts import STREAM_SAMPLES
from tscale_graph.models.nested import unsaved_config

T = TypeVar("T")


async def apart(run: Callable[[], Coroutine[Any, Any, T]], *, shown: bool | None = None) -> T:
    """Run something that has no part in the checkpoints of the run that it is called in.

    Nor is it shown to that run's callbacks, tracers and streams, unless the run's configuration
    has `stream_samples`. What else users keep in context variables is there as ever. When the
    caller is cancelled, so is the run.

    Args:
        run: begins it.
        shown: whether they are shown it; None asks the configuration.
    """
    return await asyncio.create_task(_apart(run, shown))  # in a context of its own


async def _apart(run: Callable[[], Coroutine[Any, Any, T]], shown: bool | None) -> T:
    config = ensure_config()
    if shown is None:
        shown = bool((config.get("configurable") or {}).get(STREAM_SAMPLES))
    var_child_runnable_config.set(unsaved_config(config, shown=shown))
    if shown:
        return await run()
    for handler, *_ in _configure_hooks:
        handler.set(None)
    tracing_v2_callback_var.set(None)
    with tracing_context(enabled=False, parent=False):
        return await run()
