"""Nodes under `invoke`, wherever that is called from."""

import asyncio
import os
import signal
import threading
import time

import pytest
from langgraph.graph import StateGraph

from tests.scripted import Scripted
from tscale_graph import Budget, best_of_n, self_consistency
from tscale_graph.techniques.nodes import add_edges, add_node, run_blocking

SECONDS = 20
ASKED = {"messages": [("user", "q?")], "budget": Budget(calls=20)}


def within(seconds, function):
    """What a function returns, or a failure when it does not return in time."""
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(function()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert outcome, f"nothing came back in {seconds} s"
    return outcome[0]


async def double(state):
    await asyncio.sleep(0)
    return {"number": state["number"] * 2}


async def pure(state, config):
    return {"number": state["number"] + config["configurable"]["step"]}


async def restless(state):
    await asyncio.sleep(0)
    return {}


async def onwards(state):
    return "add" if state["number"] < 10 else "__end__"


def counting(second=pure):
    from typing_extensions import TypedDict

    class State(TypedDict):
        number: int

    graph = StateGraph(State)
    add_node(graph, "double", double, execute_in="activity", state=State)
    add_node(graph, "add", second, execute_in="workflow", state=State)
    graph.set_entry_point("double")
    add_edges(graph, "double", onwards, ["add", "__end__"])
    graph.add_edge("add", "double")
    return graph.compile()


async def test_nodes_and_edges_do_the_same_under_invoke_and_ainvoke():
    graph, config = counting(), {"configurable": {"step": 1}}
    assert await graph.ainvoke({"number": 1}, config) == {"number": 14}
    assert graph.invoke({"number": 1}, config) == {"number": 14}


def test_a_node_that_is_declared_pure_may_wait_for_nothing():
    with pytest.raises(RuntimeError, match="restless is declared pure but awaited something"):
        counting(restless).invoke({"number": 1})


def test_each_node_says_where_it_is_to_run():
    nodes = counting().builder.nodes
    where = {name: node.metadata["execute_in"] for name, node in nodes.items()}
    assert where == {"double": "activity", "add": "workflow"}


def test_synchronous_calls_share_one_loop():
    async def loop():
        return id(asyncio.get_running_loop())

    assert run_blocking(loop()) == run_blocking(loop())


async def invoking(_question, answer):
    """An asynchronous verifier that blocks: it invokes another technique."""
    inner = self_consistency(Scripted(answers=["The answer is 3"]), max_samples=4, stop="fixed")
    return inner.compile().invoke(ASKED)["result"].answer == answer


def test_a_verifier_that_invokes_a_graph_works_under_invoke():
    graph = best_of_n(Scripted(), invoking, n=3).compile()
    assert within(SECONDS, lambda: graph.invoke(ASKED))["result"].answer == "3"
    again = self_consistency(Scripted(), max_samples=2).compile()
    assert within(SECONDS, lambda: again.invoke(ASKED))["result"].answer == "3"


async def test_a_verifier_that_invokes_a_graph_works_under_ainvoke():
    graph = best_of_n(Scripted(), invoking, n=3).compile()
    assert (await graph.ainvoke(ASKED))["result"].answer == "3"


async def invoking_twice(question, answer):
    """Three deep: a graph whose verifier invokes a graph whose verifier invokes a graph."""
    inner = best_of_n(Scripted(answers=["The answer is 3"]), invoking, n=2)
    return inner.compile().invoke(ASKED)["result"].answer == answer


def test_graphs_may_be_invoked_from_graphs_that_are_invoked_from_graphs():
    graph = best_of_n(Scripted(), invoking_twice, n=2).compile()
    assert within(SECONDS, lambda: graph.invoke(ASKED))["result"].answer == "3"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_invokes_graphs_of_its_own():
    graph = self_consistency(Scripted(), max_samples=4, stop="fixed").compile()
    assert graph.invoke(ASKED)["result"].answer == "3"
    child = os.fork()
    if child == 0:
        answered = graph.invoke(ASKED)["result"].answer == "3"
        os._exit(0 if answered else 1)
    deadline = time.monotonic() + SECONDS
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail(f"the forked process had not answered after {SECONDS} s")
        time.sleep(0.02)
    assert os.waitstatus_to_exitcode(ended[1]) == 0
