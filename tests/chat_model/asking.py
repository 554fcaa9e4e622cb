"""A question, answers to vote over, and chat models that do."""

from langgraph.graph import START, MessagesState, StateGraph

from tscale_graph import Budget, ScaledChatModel, self_consistency

QUESTION = "How many r's are in strawberry?"
ANSWERS = ["The answer is 2", "The answer is 3", "The answer is 3"]
BUDGET = Budget(tokens=20_000)


def model_of(inner, *, budget=BUDGET, **more) -> ScaledChatModel:
    return ScaledChatModel(
        self_consistency(inner, max_samples=3, stop="fixed", **more), budget=budget
    )


def in_a_graph(model, *, asynchronous=True):
    async def call(state: MessagesState):
        asked = state["messages"]
        said = await model.ainvoke(asked) if asynchronous else model.invoke(asked)
        return {"messages": [said]}

    return StateGraph(MessagesState).add_node(call).add_edge(START, "call").compile()
