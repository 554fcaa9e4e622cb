"""What comes of asking another technique as a whole: its result, and its message."""

from __future__ import annotations

from langchain_core.messages import AIMessage

from tscale_graph.budget import Budget, BudgetExceeded, Usage
from tscale_graph.candidates import Result, SamplingError
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.choosing import answer_message

_NOTHING = Usage()


def its_result(said: Completion, *, budget: Budget, beside: Usage = _NOTHING) -> Result:
    """The result of a technique that was asked.

    Args:
        said: what came back from it.
        budget: of the request.
        beside: what the request had spent before.

    Raises:
        BudgetExceeded: when the budget ended before there was any answer.
        SamplingError: when there was none for another reason.
    """
    if said.result is not None:
        return said.result
    told, usage = said.error or "there is no answer", said.usage + beside
    if said.cut_off_by is None:
        raise SamplingError(told, usage)
    raise BudgetExceeded(told, limit=said.cut_off_by, budget=budget, usage=usage)


def its_message(said: Completion, result: Result) -> AIMessage:
    """A result as a message, with the tool calls and the reasoning of the technique's own.

    Args:
        said: what came back from it.
        result: what was made of its result.
    """
    thought = {"reasoning_content": said.reasoning} if said.reasoning else {}
    update = {"tool_calls": list(said.tool_calls), "additional_kwargs": thought}
    return answer_message(result, None).model_copy(update=update)
