"""Review by a person: a run stops for one where its answer is not sure enough."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONFIG_KEY_CHECKPOINTER
from langgraph.graph import END, START
from langgraph.graph.message import add_messages
from langgraph.types import interrupt
from typing_extensions import TypedDict

from tscale_graph.candidates import Result
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.nested import Technique, TechniqueGraph
from tscale_graph.models.pricing import unknown_price
from tscale_graph.rating import rate_result
from tscale_graph.techniques.admission import find_budget
from tscale_graph.techniques.asked_whole import its_message, its_result
from tscale_graph.techniques.choosing import answer_message
from tscale_graph.techniques.nodes import add_edges, add_node
from tscale_graph.techniques.state import Answered, Question, RequestBudget, question_of

_REPLIES = 'True to accept, a text or {"answer": text, "note": text} to correct, False to refuse'


class ReviewState(TypedDict, total=False):
    """Between the question and the answer; private to the graph.

    Attributes:
        messages: the conversation.
        budget: as the request gave it.
        held: the technique's message, until its answer stands.
        result: the technique's, then what the review made of it.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    budget: NotRequired[RequestBudget]
    held: AIMessage | None
    result: Result


@dataclass(frozen=True)
class Reviewer:
    """Asks a person about answers that are not sure enough.

    Attributes:
        technique: whose answers they are.
        threshold: how sure an answer has to be to stand without a person, from 0 to 1.
    """

    technique: Endpoint
    threshold: float

    async def ask(self, state: ReviewState, config: RunnableConfig) -> dict[str, Any]:
        """Have the technique answer.

        Raises:
            ValueError: when there is no question, no budget, no price to keep to it by, or no
                checkpointer, without which nobody can be waited for.
            BudgetExceeded: when the budget ended before there was any answer.
            SamplingError: when there was none for another reason.
        """
        now, messages = time.time(), state.get("messages", [])
        if not messages:
            raise ValueError('no question: "messages" is empty')
        inner = self.technique.nested
        budget = find_budget(state, config, inner and inner.technique.budget)
        if budget.usd is not None and (unpriced := self.technique.unpriced) is not None:
            raise ValueError(unknown_price(unpriced))
        if not (config.get("configurable") or {}).get(CONFIG_KEY_CHECKPOINTER):
            raise ValueError(
                "a run that waits for a person needs a checkpointer: "
                "compile the outermost graph with checkpointer=…"
            )
        request = Request(messages=list(messages), goes_on=True)
        deadline = None if budget.seconds is None else now + budget.seconds
        [said] = await complete(self.technique, request, budget, deadline=deadline)
        result = its_result(said, budget=budget)
        return {"result": result, "held": its_message(said, result)}

    async def route(self, state: ReviewState) -> Literal["review", "finish"]:
        """To a person, unless the answer is sure enough."""
        rating = rate_result(_result(state))
        sure = rating is not None and (rating.passed or rating.value >= self.threshold)
        return "finish" if sure else "review"

    async def review(self, state: ReviewState) -> dict[str, Any]:
        """Stop the run until a person has said what to make of the answer."""
        result = _result(state)
        rating = rate_result(result)
        shown: dict[str, Any] = {
            "question": question_of(state.get("messages", [])),
            "answer": result.answer,
            "text": result.text,
            "confidence": rating and round(rating.value, 4),
            "by": rating and rating.by,
            "ask_human_below": self.threshold,
            "votes": [{"answer": one.answer, "count": one.count} for one in result.votes],
            "notes": result.notes,
            "reply": _REPLIES,
        }
        reply: object = interrupt(shown)
        while (reviewed := _reviewed(result, reply)) is None:
            reply = interrupt({**shown, "problem": f"not understood: {reply!r:.100}"})
        held = state.get("held")
        kept = reviewed.text == result.text and held is not None
        return {"result": reviewed, "held": held if kept else answer_message(reviewed, None)}

    async def finish(self, state: ReviewState) -> dict[str, Any]:
        """Give the answer."""
        return {"messages": [state.get("held")], "held": None}


def human_review(technique: Askable, *, ask_human_below: float = 0.6) -> TechniqueGraph:
    """A graph that has a technique answer, and a person look at what is not sure enough.

    Input: `messages` and `budget`. Output: `messages` with the answer appended, and `result`. Where
    the technique's own rating of its answer (its verdict, else the agreement of its samples) is
    below `ask_human_below`, or nothing is known of it, the run stops with an interrupt that holds
    question, answer, confidence and votes. Resume it with `Command(resume=…)`: True accepts the
    answer, a text or {"answer": text, "note": text} puts another one in its place, False refuses it
    (`result.answer` is None). No model is asked again; the time that it takes is not the budget's.

        START → ask (→ review) → finish → END

    Args:
        technique: the graph of a technique whose results say how good they are.
        ask_human_below: from 0, where nobody is asked unless nothing is known, to 1.

    Returns:
        An uncompiled graph: the outermost one needs a checkpointer.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
    """
    asked = endpoint(technique)
    if asked.nested is None:
        raise ValueError("technique must be a technique's graph, such as self_consistency(…)")
    inner = asked.nested.technique
    if not inner.rates:
        raise ValueError(f"technique must say how good its answers are, and {inner.name} does not")
    if not 0 <= ask_human_below <= 1:
        raise ValueError(f"ask_human_below must be from 0 to 1, got {ask_human_below!r}")
    return _graph(Reviewer(asked, ask_human_below), inner)


def _graph(reviewer: Reviewer, inner: Technique) -> TechniqueGraph:
    state = ReviewState
    notes = {"review": f"below {reviewer.threshold:g}"}
    known = replace(inner, name=f"human_review({inner.name})", asked_in=("ask",), notes=notes)
    graph = TechniqueGraph(state, known, input_schema=Question, output_schema=Answered)
    add_node(graph, "ask", reviewer.ask, execute_in="activity", state=state)
    add_node(graph, "review", reviewer.review, execute_in="workflow", state=state)
    add_node(graph, "finish", reviewer.finish, execute_in="workflow", state=state)
    graph.add_edge(START, "ask")
    add_edges(graph, "ask", reviewer.route, ["review", "finish"])
    graph.add_edge("review", "finish")
    graph.add_edge("finish", END)
    return graph


def _reviewed(result: Result, reply: object) -> Result | None:
    """What a person's reply makes of a result; None where it is not understood."""
    if reply is True:
        return _noted(result, "accepted by a person")
    if reply is False:
        update: dict[str, Any] = {"answer": None, "text": "", "verdict": None}
        return _noted(result, "refused by a person").model_copy(update=update)
    note = ""
    if isinstance(reply, Mapping):
        given = dict(reply)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        reply, note = given.pop("answer", None), str(given.pop("note", ""))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType, reportUnknownMemberType]
        if given:
            return None
    if not isinstance(reply, str) or not reply.strip():
        return None
    told = "corrected by a person" + (f": {note}" if note else "")
    update = {"answer": reply.strip(), "text": reply, "verdict": None}
    return _noted(result, told).model_copy(update=update)


def _noted(result: Result, note: str) -> Result:
    return result.model_copy(update={"notes": [*result.notes, note]})


def _result(state: ReviewState) -> Result:
    return Result.model_validate(state.get("result"))
