"""An agent in a shop: what its tools did is remembered, and its turns are told in advance."""

from langchain.agents import create_agent
from langchain_core.tools import tool

from tests.scripted_calls import ScriptedCalls, calling
from tscale_graph import Budget, ScalingMiddleware, self_consistency

ASKED = {"messages": [("user", "How much are 2 and 3 apples?")]}
ADD = calling(("add", {"a": 2, "b": 3}))
SAID = "The answer is 5"
PLENTY = Budget(calls=1_000, tokens=10_000_000, seconds=600)


class Shop:
    """Tools that remember what was done."""

    def __init__(self):
        self.done = []

    def tools(self):
        @tool
        def add(a: int, b: int) -> int:
            """Add two numbers."""
            self.done.append((a, b))
            return a + b

        return [add]


def technique(inner, **more):
    return self_consistency(inner, max_samples=3, stop="fixed", **more)


def never(request):
    return False


def on_turns(*turns):
    """The turns of the agent that are scaled, from 0."""
    return lambda request: sum(one.type == "ai" for one in request.messages) in turns


def agent_of(inner, *, shop=None, scaled=None, beside=(), before=(), tools=None, **more):
    """An agent whose model is `inner`, which answers scaled calls too unless others do."""
    middleware = ScalingMiddleware(
        technique(scaled or inner), **{"budget": PLENTY, "when": on_turns(0), **more}
    )
    tools = (shop or Shop()).tools() if tools is None else tools
    return create_agent(inner, tools, middleware=[*before, middleware], **dict(beside))


def turns(*answers, cls=ScriptedCalls, **more):
    return cls(answers=list(answers), **more)
