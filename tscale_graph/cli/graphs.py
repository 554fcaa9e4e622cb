"""A graph that a file or a module holds, named as in langgraph.json."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from tscale_graph.drawing.picture import Drawable
from tscale_graph.models.failures import one_line


def loaded_graph(named: str) -> Drawable:
    """The graph in a variable, or from a function, of a file or a module.

    Args:
        named: "path/to/file.py:graph" or "package.module:graph".

    Raises:
        ValueError: when there is none, in one line.
    """
    where, _, variable = named.rpartition(":")
    if not where or not variable.isidentifier():
        raise ValueError(
            "name a technique (see tscale techniques), path/to/file.py:graph or "
            f"package.module:graph, got {named!r}"
        )
    with _imports_from(Path(where).parent if _is_file(where) else Path()):
        module = _module(where)
        if not hasattr(module, variable):
            raise ValueError(f"{where} has no variable {variable}")
        found = getattr(module, variable)
        if inspect.isfunction(found):
            found = _told(named, lambda: _made(found))
    if not isinstance(found, StateGraph | Pregel):
        raise ValueError(f"{named} must be a LangGraph graph, got {type(found).__name__}")
    return cast(Drawable, found)


def _is_file(where: str) -> bool:
    return where.endswith(".py") or "/" in where


def _module(where: str) -> ModuleType:
    if not _is_file(where):
        return _told(where, lambda: importlib.import_module(where))
    path = Path(where)
    if not path.is_file():
        raise ValueError(f"there is no file {where}")
    spec = importlib.util.spec_from_file_location(f"tscale_drawn_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{where} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses and pydantic look for names
    loader = spec.loader
    _told(where, lambda: loader.exec_module(module))
    return module


def _made(function: Callable[..., Any]) -> Any:
    """What a function returns that makes a graph, with a configuration if it takes one."""
    needed = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    return function(*({} for _ in needed[:1]))


def _told(name: str, run: Callable[[], Any]) -> Any:
    """Run what others wrote; what it prints goes to standard error.

    Raises:
        ValueError: when it fails, with what it said.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return run()
    except (Exception, SystemExit) as error:
        raise ValueError(f"{name} failed: {one_line(error)}") from error


@contextlib.contextmanager
def _imports_from(folder: Path) -> Generator[None]:
    """Modules are found in the working directory, and beside the file."""
    before = list(sys.path)
    sys.path[:0] = [str(folder.resolve()), str(Path.cwd())]
    try:
        yield
    finally:
        sys.path[:] = before
