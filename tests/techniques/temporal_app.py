"""What a Temporal worker and a client share: a technique, and the workflow that runs it."""

from datetime import timedelta

from temporalio import workflow
from temporalio.langgraph import LangGraphPlugin, graph

with workflow.unsafe.imports_passed_through():
    from langchain_openai import ChatOpenAI

    from tscale_graph import (
        ab_mcts,
        aggregate_recursively,
        beam_search,
        best_of_n,
        cascade,
        extended_thinking,
        lats,
        refine,
        self_consistency,
    )
    from tscale_graph.techniques.labelling.graph import label_steps

QUEUE = "tscale"


class OneByOne(ChatOpenAI):
    """A provider that answers a prompt once a request, so that each sample is an activity."""


def three(question: str, answer: str) -> bool:
    return answer == "3"


def by_length(question: str, answer: str) -> float:
    return min(0.9, len(answer) / 100)


def look() -> str:
    """Look around."""
    return "nothing"


def plugin(url: str) -> LangGraphPlugin:
    model = OneByOne(model="fake", base_url=url, api_key="none")
    return LangGraphPlugin(
        graphs={
            "self_consistency": self_consistency(model, max_samples=6, stop="fixed"),
            "best_of_n": best_of_n(model, three, n=4),
            "ab_mcts": ab_mcts(model, by_length, max_nodes=6, batch=2, answer="text", seed=1),
            "beam_search": beam_search(
                model, by_length, beams=1, width=2, max_steps=3, answer="text", seed=1
            ),
            "label_steps": label_steps(model, solutions=3, steps="line", max_output_tokens=32),
            "refine": refine(model, by_length, chains=2, max_revisions=2, repeats=9, answer="text"),
            "critic": refine(model, max_revisions=2, repeats=9, answer="text"),
            "aggregate_recursively": aggregate_recursively(
                model, population=3, generations=2, answer="text"
            ),
            "cascade": cascade([model, model], accept=1.01),
            "extended_thinking": extended_thinking(model, thinking_tokens=50),
            "lats": lats(model, value=by_length, tools=[look], width=2, max_nodes=6, answer="text"),
        },
        default_activity_options={"start_to_close_timeout": timedelta(seconds=30)},
    )


@workflow.defn
class Ask:
    """Runs one technique."""

    @workflow.run
    async def run(self, technique: str, question: str, calls: int) -> dict:
        """Answer a question under a budget of calls."""
        compiled = graph(technique).compile()
        out = await compiled.ainvoke(
            {"messages": [{"role": "user", "content": question}], "budget": {"calls": calls}}
        )
        result = out["result"]
        result = result if isinstance(result, dict) else result.model_dump(mode="json")
        return {"answer": result["answer"], "usage": result["usage"], "status": result["status"]}


@workflow.defn
class Label:
    """Labels the steps of solutions of one question."""

    @workflow.run
    async def run(self, question: str, gold: str, calls: int) -> dict:
        """Label under a budget of calls."""
        out = (
            await graph("label_steps")
            .compile()
            .ainvoke(
                {
                    "messages": [{"role": "user", "content": question}],
                    "budget": {"calls": calls},
                    "gold": gold,
                }
            )
        )
        return out["labels"]
