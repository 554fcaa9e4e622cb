"""A graph of your own, with a router as one of its nodes.

    python examples/graph_with_a_router.py [openai:gpt-5-mini]

Homework comes in; a node of yours looks up worked examples, the router has each question answered
by the technique that homework.yaml names for its class, and nodes of yours send the answer, or hand
it to a teacher when it is not sure enough. The state is yours too: `mapped` says which of its keys
the router reads and writes. Without an argument it runs on the embedded model, with no key: that
one counts letters badly, and solves equations because a verifier checks what it guesses.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from tscale_graph import Policy, Result, mapped, router

HERE = Path(__file__).parent
WORKED = [json.loads(line) for line in (HERE / "worked.jsonl").read_text("utf-8").splitlines()]
QUESTIONS = (
    "Which city is the capital of France?",
    "How many times does the letter p appear in pattern?",
    "How many times does the letter a appear in carrot?",
    "Solve 3x + 5 = 26 for x.",
    "Solve 5x + 13 = 43 for x.",
)
SURE = 0.6
"""The share of the votes that an answer needs where nothing has checked it; a vote is no proof."""


class Homework(TypedDict, total=False):
    """The state: what was asked, what the model is shown, what came of it, what is sent."""

    question: str
    shown: list[BaseMessage]
    result: Result
    reply: str


def look_up(state: Homework) -> Homework:
    """Worked examples that begin with the same word, and then the question."""
    question = state["question"]
    alike = [one for one in WORKED if one["question"].split()[0] == question.split()[0]]
    if not alike:
        return {"shown": [HumanMessage(question)]}
    examples = "".join(f"Q: {one['question']}\nA: {one['answer']}\n" for one in alike)
    return {"shown": [SystemMessage(examples), HumanMessage(f"Q: {question}\nA:")]}


def sure_enough(state: Homework) -> Literal["send", "ask_a_teacher"]:
    """Whether the answer passed its check or, where there is none, has votes enough."""
    result = state["result"]
    if result.verdict is not None:
        return "send" if result.verdict.passed else "ask_a_teacher"
    return "send" if (result.agreement or 0) >= SURE else "ask_a_teacher"


def send(state: Homework) -> Homework:
    """The answer alone, or all that was said where there is no short one."""
    result = state["result"]
    return {"reply": result.answer or result.text.strip()}


def ask_a_teacher(state: Homework) -> Homework:
    """Somebody else's turn."""
    return {"reply": f"for a teacher (perhaps {state['result'].answer})"}


def homework_graph(model: Any) -> Any:
    """START → look_up → think → send or ask_a_teacher → END."""
    think = router(Policy.load(HERE / "homework.yaml"), model=model)
    graph = StateGraph(Homework)
    graph.add_node("look_up", look_up)
    graph.add_node("think", mapped(think, question="shown", result="result"))
    graph.add_node("send", send)
    graph.add_node("ask_a_teacher", ask_a_teacher)
    graph.add_edge(START, "look_up")
    graph.add_edge("look_up", "think")
    graph.add_conditional_edges("think", sure_enough)
    graph.add_edge("send", END)
    graph.add_edge("ask_a_teacher", END)
    return graph.compile()


def main(model: Any = "local", questions: tuple[str, ...] = QUESTIONS) -> None:
    """Answer each question, and print which way it went and what that took."""
    graph = homework_graph(model)
    for question in questions:
        done = graph.invoke({"question": question})
        result, usage = done["result"], done["result"].usage
        spent = f"{usage.calls} calls, {usage.tokens:,} tokens, {usage.seconds:.1f} s"
        print(f"{question}\n  {done['reply']}")
        cut = f", cut off by {result.cut_off_by}" if result.cut_off_by else ""
        print(f"  ({result.task_class}: {result.technique}, {spent}{cut})")


if __name__ == "__main__":
    main(*sys.argv[1:2])
