"""What an agent acts on while its actions are searched."""

import asyncio
import threading
import time

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import ToolException, tool
from pydantic import BaseModel

from tests.techniques.key_value_store import AsyncStore, Store, get, put
from tscale_graph.techniques.environments import Environment, actor


def calls(*actions):
    return [
        {"name": name, "args": args, "id": f"call-{place}", "type": "tool_call"}
        for place, (name, args) in enumerate(actions)
    ]


def writes(key, value):
    return ("put", {"key": key, "value": value})


def reads(key):
    return ("get", {"key": key})


async def act(acting, *actions, snapshot=None, first=None, deadline=None):
    first = snapshot is None if first is None else first
    return await acting.act(calls(*actions), snapshot=snapshot, first=first, deadline=deadline)


def said(acted):
    return [message.text for message in acted.messages]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    await asyncio.sleep(0)
    return a * b


async def test_tools_without_an_environment_are_run_as_they_are():
    acting = actor([add, multiply], None)
    acted = await act(acting, ("add", {"a": 2, "b": 3}), ("multiply", {"a": 2, "b": 3}))
    assert said(acted) == ["5", "6"]
    assert [message.tool_call_id for message in acted.messages] == ["call-0", "call-1"]
    assert acted.snapshot is None


@pytest.mark.parametrize("environment", [Store, AsyncStore, Store(), lambda: Store()])
async def test_a_turn_starts_where_its_attempt_had_come_to(environment):
    acting = actor([put, get], environment)
    one = await act(acting, writes("a", "1"))
    two = await act(acting, writes("b", "2"), reads("a"), snapshot=one.snapshot)
    assert said(two) == ["written", "1"]
    assert (one.snapshot, two.snapshot) == ({"a": "1"}, {"a": "1", "b": "2"})


async def test_what_another_branch_wrote_is_never_seen():
    acting = actor([put, get], Store)
    root = await act(acting, writes("a", "1"))
    wrong = await act(acting, writes("a", "wrong"), snapshot=root.snapshot)
    right = await act(acting, reads("a"), snapshot=root.snapshot)
    assert (said(right), wrong.snapshot["a"], root.snapshot["a"]) == (["1"], "wrong", "1")
    fresh = await act(acting, reads("a"))
    assert said(fresh) == ["nothing is there"]


async def test_branches_side_by_side_do_not_meet():
    class Slow(Store):
        async def step(self, action):
            await asyncio.sleep(0.001)
            return Store.step(self, action)

    acting = actor([put, get], Slow)
    root = await act(acting, writes("n", "0"))
    acted = await asyncio.gather(
        *(
            act(acting, writes("n", str(number)), reads("n"), snapshot=root.snapshot)
            for number in range(20)
        )
    )
    assert [said(one)[1] for one in acted] == [str(number) for number in range(20)]
    assert root.snapshot == {"n": "0"}


async def test_the_environment_that_was_given_is_left_as_it_is():
    store = Store()
    store.values["a"] = "before"
    acted = await act(actor([put, get], store), reads("a"), writes("a", "after"))
    assert (said(acted)[0], store.values) == ("before", {"a": "before"})


async def test_a_tool_that_the_environment_does_not_know_is_run_as_it_is():
    acted = await act(actor([put, add], Store), ("add", {"a": 1, "b": 1}), writes("a", "1"))
    assert (said(acted), acted.snapshot) == (["2", "written"], {"a": "1"})


async def test_an_observation_may_be_a_message_a_text_or_plain_data():
    class Talkative(Store):
        def step(self, action):
            observed = {"message": ToolMessage("as it is", tool_call_id=action["id"])}
            return observed.get(action["name"], {"name": action["name"]})

    acted = await act(actor([], Talkative), ("message", {}), ("other", {}))
    assert said(acted) == ["as it is", '{"name": "other"}']


async def test_a_step_that_returns_something_to_be_awaited_is_awaited():
    class Wrapped(Store):
        def step(self, action):
            async def later():
                return Store.step(self, action)

            return later()

    assert said(await act(actor([put], Wrapped), writes("a", "1"))) == ["written"]


async def test_a_synchronous_step_does_not_hold_up_the_others():
    together = threading.Barrier(5, timeout=20)

    class Blocking(Store):
        def step(self, action):
            together.wait()
            return "done"

    acting = actor([], Blocking)
    acted = await asyncio.gather(*(act(acting, ("wait", {})) for _ in range(5)))
    assert [said(one) for one in acted] == [["done"]] * 5


async def test_a_tool_that_does_not_exist_is_an_error_that_says_which_do():
    with pytest.raises(ValueError, match="there is no tool named 'divide': there are add, multi"):
        await act(actor([add, multiply], None), ("divide", {}))
    with pytest.raises(ValueError, match="there is no tool named 'divide': there are none"):
        await act(actor([], None), ("divide", {}))


async def test_a_tool_that_handles_its_own_errors_observes_them():
    @tool
    def picky(x: int) -> str:
        """Refuses."""
        raise ToolException("not that one")

    picky.handle_tool_error = True
    assert said(await act(actor([picky], None), ("picky", {"x": 1}))) == ["not that one"]


@pytest.mark.parametrize("state", [{0: "a"}, {"a": {1: 2}}, [{None: 1}]])
async def test_a_snapshot_that_json_would_change_is_an_error(state):
    class Keyed(Store):
        def snapshot(self):
            return state

    with pytest.raises(ValueError, match="keys of a dict must be strings"):
        await act(actor([], Keyed), writes("a", "1"))


async def test_tuples_of_a_snapshot_come_back_as_lists():
    class Tupled(Store):
        def snapshot(self):
            return {"at": (1, (2, 3))}

    assert (await act(actor([], Tupled), writes("a", "1"))).snapshot == {"at": [1, [2, 3]]}


async def test_a_snapshot_that_is_no_plain_data_is_an_error():
    class Opaque(Store):
        def snapshot(self):
            return {"values": {1, 2}}

    with pytest.raises(ValueError, match="an environment's snapshot must be plain data: "):
        await act(actor([put], Opaque), writes("a", "1"))


async def test_at_the_deadline_it_gives_up():
    async def forever() -> str:
        """Never returns."""
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await act(actor([forever], None), ("forever", {}), deadline=time.time() + 0.02)


def test_a_tool_with_side_effects_needs_an_environment():
    message = "tool 'put' is declared to have side effects, .* give environment= something that"
    with pytest.raises(ValueError, match=message):
        actor([put], None)
    assert actor([put], Store).make is Store


@pytest.mark.parametrize(
    "metadata", [{"side_effects": True}, {"destructiveHint": True}, {"readOnlyHint": False}]
)
def test_side_effects_are_declared_in_the_tools_metadata(metadata):
    @tool
    def delete(path: str) -> str:
        """Delete a file."""
        return "gone"

    actor([delete], None)
    delete.metadata = metadata
    with pytest.raises(ValueError, match="tool 'delete' is declared to have side effects"):
        actor([delete], None)


@pytest.mark.parametrize(
    ("tools", "environment", "message"),
    [
        ([42], None, "tools must be LangChain tools or functions, got 42"),
        ([add, add], None, "tools must have different names, got 'add' twice"),
        ([], 42, "environment must have snapshot, restore and step, or be a function that makes"),
        ([], "store", "environment must have snapshot, restore and step"),
    ],
)
def test_what_is_no_tool_or_no_environment_is_refused(tools, environment, message):
    with pytest.raises(ValueError, match=message) as caught:
        actor(tools, environment)
    assert "\n" not in str(caught.value)


def test_anything_with_the_three_methods_is_an_environment():
    assert isinstance(Store(), Environment)
    assert isinstance(AsyncStore(), Environment)
    assert not isinstance(object(), Environment)


class Remember(BaseModel):
    """Remember a word."""

    word: str


async def test_what_only_an_environment_can_do_is_told_by_a_schema():
    class Memory(Store):
        def step(self, action):
            return f"{action['name']}: {action['args']['word']}"

    made = actor([Remember], Memory)
    assert made.offered == [Remember]
    assert said(await act(made, ("Remember", {"word": "mill"}))) == ["Remember: mill"]


def test_a_schema_without_an_environment_is_refused():
    with pytest.raises(ValueError, match="'Remember' is a schema without a function"):
        actor([Remember], None)
    with pytest.raises(ValueError, match="different names, got 'Remember' twice"):
        actor([Remember, Remember], Store)
