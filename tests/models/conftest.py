"""A server that is asked in the tests of calls."""

import pytest

from tests.fake_server import Behaviour, FakeServer


@pytest.fixture(scope="module")
def running():
    with FakeServer(in_process=True) as server:
        yield server


@pytest.fixture
def server(running):
    running.reset(Behaviour())
    return running
