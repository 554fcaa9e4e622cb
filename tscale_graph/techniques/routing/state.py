"""The state of a router: plain data, between the question and the answer."""

from __future__ import annotations

from typing import Annotated, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from tscale_graph.budget import Usage
from tscale_graph.candidates import Result
from tscale_graph.techniques.state import RequestBudget

NODES = ("classify", "report")
"""What a router's own nodes are called; the others are called like the classes."""


class RoutedQuestion(TypedDict):
    """What goes in; `task_class` and `technique` are for callers who know better."""

    messages: Annotated[list[AnyMessage], add_messages]
    budget: NotRequired[RequestBudget]
    task_class: NotRequired[str | None]
    technique: NotRequired[str | None]


class RoutingState(TypedDict, total=False):
    """Between the question and the answer.

    Attributes:
        messages: the conversation.
        budget: as the request gave it; then what telling the class has left of it.
        task_class: the caller's own word.
        technique: the same, for the technique.
        route: the class whose technique runs.
        reasons: why, for the result.
        spent: what telling the class has cost.
        result: the technique's, and then with what the router has to say.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    task_class: str | None
    technique: str | None
    route: str
    reasons: list[str]
    spent: Usage
    result: Result
