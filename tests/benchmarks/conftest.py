"""What benchmarks promise is tested apart from the fast part."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
ELSEWHERE = {"slow", "model", "distributed", "benchmark"}
"""Marks of tests that are not in the fast part anyway."""


def pytest_collection_modifyitems(items):
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if HERE in item.path.parents and not marks & ELSEWHERE:
            item.add_marker(pytest.mark.slow)
