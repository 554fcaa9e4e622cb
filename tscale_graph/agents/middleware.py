"""Test-time compute as middleware of `create_agent`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, cast

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import (
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    OmitFromInput,
    OmitFromOutput,
)
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool
from langgraph.config import get_config
from langgraph.runtime import Runtime
from langgraph.types import Command

from tscale_graph.agents.deliberating import deliberate_tool
from tscale_graph.agents.models import LeasedModel, ScaledModel
from tscale_graph.agents.runs import AgentRun, Step, StepBook, joined
from tscale_graph.budget import Budget, BudgetExceeded
from tscale_graph.chat_model import Technique
from tscale_graph.models.endpoint import Askable, Endpoint, endpoint
from tscale_graph.models.pricing import unknown_price
from tscale_graph.techniques.admission import find_budget

Request = ModelRequest[Any]
When = Callable[[Request], bool]
OnExceeded = Literal["raise", "return"]

_BOOKED = "_tscale_calls"
"""In the state that a node of an agent was given: the calls of all that it tried so far."""
_MOST_MODELS = 16


class ScalingState(AgentState[Any]):
    """What the middleware adds to the state of an agent.

    Attributes:
        budget: of this run, where it brings one; the next on the thread does not inherit it.
        scaling: the run, in the output too; a step is what is added to it.
    """

    budget: NotRequired[Annotated[Budget | dict[str, Any] | None, OmitFromOutput]]
    scaling: NotRequired[Annotated[AgentRun | Step, OmitFromInput, joined]]


class ScalingMiddleware(AgentMiddleware[ScalingState, Any, Any]):
    """Has a technique answer those calls of an agent's model that deserve it, under one budget.

        middleware = [ScalingMiddleware(self_consistency(model), budget=Budget(tokens=100_000))]
        agent = create_agent(model, tools, middleware=middleware)

    The budget is that of the whole run: of scaled calls, of `deliberate`, and of the agent's own
    calls, which it cuts off as well. It is looked for in the input (`"budget"`), in
    `config["configurable"]["budget"]`, in the run's context, and last here. Its seconds begin with
    the run, go on while tools run or a person is waited for, and end calls of models, not of tools.
    In the output, `scaling` is an `AgentRun`: the budget and the usage of each call.

    Give it the last place in the list: then whatever other middleware asks again is counted too.
    What these ask of models of their own is not.

    Args:
        technique: the graph of a technique, or a policy for the router; see `ScaledChatModel` for
            those that can call tools. It asks its own models.
        when: of a request to the model, whether the technique should answer it; None has it answer
            all of them.
        budget: of a run that brings none.
        per_call: the most that one call may spend, or None.
        deliberate: the graph of a technique, or a policy, for a tool of that name: the agent hands
            it a question, and gets an answer. None gives it no such tool.
        on_exceeded: when the budget ends: "raise" raises `BudgetExceeded`; "return" ends the run
            with a message that says so, and the limit in `out["scaling"].cut_off_by`.
        max_output_tokens: the most tokens of one of the agent's own calls, where its model has no
            limit of its own.
        clock: seconds since the epoch.

    Raises:
        ValueError: for a bad argument, in one line.
    """

    state_schema = ScalingState
    tools: Sequence[BaseTool] = ()

    def __init__(
        self,
        technique: Technique,
        *,
        when: When | None = None,
        budget: Budget | Mapping[str, Any] | None = None,
        per_call: Budget | Mapping[str, Any] | None = None,
        deliberate: Technique | None = None,
        on_exceeded: OnExceeded = "raise",
        max_output_tokens: int = 4096,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        if on_exceeded not in ("raise", "return"):
            raise ValueError(f'on_exceeded must be "raise" or "return", got {on_exceeded!r}')
        if max_output_tokens < 1:
            raise ValueError(f"max_output_tokens must be at least 1, got {max_output_tokens}")
        self.when = when
        self.budget = None if budget is None else Budget.of(budget)
        self.per_call = None if per_call is None else Budget.of(per_call)
        self.on_exceeded: OnExceeded = on_exceeded
        self.max_output_tokens = max_output_tokens
        self._clock = clock
        self._scaled = ScaledModel(technique)
        self._endpoints: dict[int, tuple[Askable, Endpoint]] = {}
        asked = None if deliberate is None else ScaledModel(deliberate)
        self.tools = [] if asked is None else [deliberate_tool(asked, clock)]

    def before_agent(self, state: ScalingState, runtime: Runtime[Any]) -> dict[str, Any]:
        """Find the budget of the run, and open its books.

        Raises:
            ValueError: when there is none.
        """
        budget = find_budget(cast(dict[str, Any], state), get_config(), self.budget)
        return {"scaling": AgentRun(budget=budget, opened_at=self._clock()), "budget": None}

    async def abefore_agent(self, state: ScalingState, runtime: Runtime[Any]) -> dict[str, Any]:
        """The same."""
        return self.before_agent(state, runtime)

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], ModelResponse[Any]]
    ) -> ExtendedModelResponse[Any]:
        """Answer a call of the model, by the technique or by the model itself.

        Raises:
            BudgetExceeded: when the budget ends, unless `on_exceeded` is "return".
        """
        book = self._book(request)
        try:
            return _told(book, handler(self._in_place(request, book)))
        except BudgetExceeded as error:
            return self._ended(book, error)

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[ModelResponse[Any]]]
    ) -> ExtendedModelResponse[Any]:
        """The same without holding up the event loop."""
        book = self._book(request)
        try:
            return _told(book, await handler(self._in_place(request, book)))
        except BudgetExceeded as error:
            return self._ended(book, error)

    def _book(self, request: Request) -> StepBook:
        state = cast(dict[str, Any], request.state)
        calls = state.setdefault(_BOOKED, {})  # outlives an attempt, and ends with the node
        return StepBook(state["scaling"], self._clock, self.per_call, calls=calls)

    def _in_place(self, request: Request, book: StepBook) -> Request:
        """The request to whoever answers it."""
        if self.when is None or self.when(request):
            return request.override(model=self._scaled.on(book, "scaled"))
        asked = self._endpoint(request.model)
        if book.run.budget.usd is not None and (unpriced := asked.unpriced) is not None:
            raise ValueError(unknown_price(unpriced))
        own = LeasedModel.of(asked, book, max_output_tokens=self.max_output_tokens)
        return request.override(model=own)

    def _endpoint(self, model: Askable) -> Endpoint:
        known = self._endpoints.get(id(model))
        if known is not None and known[0] is model:
            return known[1]
        while len(self._endpoints) >= _MOST_MODELS:
            self._endpoints.pop(next(iter(self._endpoints)), None)
        made = endpoint(model)
        self._endpoints[id(model)] = (model, made)
        return made

    def _ended(self, book: StepBook, error: BudgetExceeded) -> ExtendedModelResponse[Any]:
        if self.on_exceeded == "raise":
            raise error
        about = {"status": "cut_off", "cut_off_by": error.limit}
        message = AIMessage(f"No answer: {error}.", response_metadata=about)
        update = {"scaling": book.step(cut_off_by=error.limit)}
        return ExtendedModelResponse(ModelResponse([message]), Command(update=update))


def _told(book: StepBook, response: ModelResponse[Any]) -> ExtendedModelResponse[Any]:
    """The response, and the calls that it took."""
    [first, *_] = response.result
    cut_off_by = first.response_metadata.get("cut_off_by")
    command = Command(update={"scaling": book.step(cut_off_by=cut_off_by)})
    return ExtendedModelResponse(response, command)
