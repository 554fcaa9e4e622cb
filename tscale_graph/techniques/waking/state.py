"""The state of a run that answers from what was prepared: plain data."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel
from typing_extensions import TypedDict

from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import Result
from tscale_graph.sleeping.books import Served
from tscale_graph.sleeping.entries import Anticipated
from tscale_graph.techniques.state import RequestBudget


class WokenQuestion(TypedDict):
    """What goes in.

    Attributes:
        messages: the conversation, without the context.
        budget: of this request.
        context: what it is about; by default that which `wake` was given.
        name: what its books are kept under.
        owner: whose it is.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: NotRequired[RequestBudget]
    context: NotRequired[Any]
    name: NotRequired[str]
    owner: NotRequired[str | list[str]]


class Recalled(BaseModel):
    """What is known of a request before it is answered.

    Attributes:
        owner: whose the context is.
        budget: of the request.
        opened_at: seconds since the epoch.
        served: what it is answered from.
        found: the anticipated question that it is, or None.
        instead: dense texts, by the name of the document that they stand in for.
        spent: what finding all that has cost.
        use: tells this use from all others.
        notes: what was found.
    """

    owner: tuple[str, ...] = ()
    budget: Budget
    opened_at: float
    served: Served = "full"
    found: Anticipated | None = None
    instead: dict[str, str] = {}
    spent: Usage = Usage()
    use: str
    notes: list[str] = []

    @property
    def deadline(self) -> float | None:
        """When its time is up, or None."""
        seconds = self.budget.seconds
        return None if seconds is None else self.opened_at + seconds


class WakingState(TypedDict, total=False):
    """Between the question and the answer; private to the graph.

    Attributes:
        messages: the conversation.
        budget: as the request gave it.
        context: the same.
        name: the same.
        owner: the same.
        recalled: what was found for it; nothing once it is answered.
        result: written by the last node.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: RequestBudget
    context: Any
    name: str
    owner: str | list[str]
    recalled: Recalled | None
    result: Result
