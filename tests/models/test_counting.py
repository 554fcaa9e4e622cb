"""Prompts and replies that cannot be counted, or not in time."""

import asyncio
import threading
import time
from typing import ClassVar

import pytest
from pydantic import Field

from tests.models.calling import LEASE, PROMPT
from tests.scripted import Scripted, Streaming
from tscale_graph import Budget, Usage
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import endpoint


class Uncountable(Scripted):
    def get_num_tokens(self, text):
        raise OverflowError("too long")


async def test_a_prompt_that_cannot_be_counted_is_a_failed_completion_and_is_not_sent():
    model = Uncountable()
    [completion] = await complete(endpoint(model), Request(messages=PROMPT), LEASE)
    assert completion.error == "the prompt cannot be counted: OverflowError: too long"
    assert (model.calls, completion.usage) == ([], Usage())


@pytest.mark.parametrize("kind", [Scripted, Streaming])
async def test_a_reply_that_cannot_be_counted_is_a_failed_completion_at_its_whole_lease(kind):
    class Spoilt(kind):
        def get_num_tokens(self, text):
            raise OverflowError("too long")

    model = Spoilt(usage="none")
    request = Request(messages=PROMPT, max_output_tokens=50, prompt_tokens=20)
    [completion] = await complete(endpoint(model), request, Budget(calls=3, tokens=500))
    assert "OverflowError: too long" in completion.error
    assert (len(model.calls), completion.usage.calls, completion.usage.tokens) == (1, 1, 70)


class CountedElsewhere(Scripted):
    """Its server counts, and takes its time over what it was told to be slow at."""

    counts_by_server: ClassVar[bool] = True
    slow_at: str = "nothing"
    patience: threading.Event = Field(default_factory=threading.Event)

    def get_num_tokens(self, text):
        if self.slow_at in text:
            self.patience.wait(30)
        return super().get_num_tokens(text)


@pytest.fixture
def elsewhere():
    model = CountedElsewhere(usage="none")
    yield model
    model.patience.set()


async def beats(work):
    """The outcome of some work, and the longest time that the event loop stood still for it."""
    task, longest, before = asyncio.ensure_future(work), 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0.01)
        longest, before = max(longest, time.monotonic() - before), time.monotonic()
    return await task, longest


async def test_a_prompt_that_is_not_counted_in_time_is_cut_off_by_seconds(elsewhere):
    elsewhere.slow_at = "strawberry"
    request = Request(messages=PROMPT)
    work = complete(endpoint(elsewhere), request, Budget(calls=3, seconds=0.2))
    [completion], stood_still = await beats(work)
    assert completion.cut_off_by == "seconds"
    assert (elsewhere.calls, completion.usage) == ([], Usage())
    assert stood_still < 5, "of the thirty seconds that counting takes"


async def test_a_reply_that_is_not_counted_in_time_is_kept_at_its_whole_lease(elsewhere):
    elsewhere.slow_at = "answer"
    request = Request(messages=PROMPT, max_output_tokens=50)
    bound = endpoint(elsewhere).counter.prompt_bound(PROMPT)
    work = complete(endpoint(elsewhere), request, Budget(calls=3, seconds=0.3))
    [completion], stood_still = await beats(work)
    assert (completion.text, completion.error) == ("The answer is 3", None)
    assert (completion.usage.calls, completion.usage.tokens) == (1, bound + 50)
    assert stood_still < 5, "of the thirty seconds that counting takes"


async def test_where_a_server_counts_in_time_its_count_is_what_is_charged(elsewhere):
    request = Request(messages=PROMPT, max_output_tokens=50)
    [completion] = await complete(endpoint(elsewhere), request, Budget(calls=3, seconds=30))
    assert completion.usage.tokens == elsewhere.calls[0].billed
