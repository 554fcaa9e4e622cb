"""The loop of tree searches as a building block."""

from dataclasses import dataclass

import pytest
from langchain_core.messages import HumanMessage

from tests.techniques.searching import ask, told
from tscale_graph import Budget, Usage, blocks, solve
from tscale_graph.search.uct import UCT


@dataclass(frozen=True)
class Letters(blocks.Growth):
    """Every node is one more letter; three of them are a word."""

    def prompt(self, messages, trail, *, reflections):
        return [*messages, HumanMessage("So far: " + "".join(node.added for node in trail))]

    async def grow(self, task, completion, index):
        node = blocks.bare_node(task.expansion, completion, index)
        if not completion.text.isalpha():
            return blocks.failed(node, "no letter")
        word = "".join(node.added for node in task.trail) + completion.text[:1]
        return node.model_copy(
            update={
                "candidate": node.candidate.model_copy(update={"text": word}),
                "added": completion.text[:1],
                "key": word,
                "complete": len(word) == 3,
            }
        )

    def judged_text(self, trail):
        return trail[-1].candidate.text


async def test_a_policy_and_a_growth_make_a_technique():
    def right(question, word):
        return sum(a == b for a, b in zip(word, "cat", strict=False)) / 3

    model = told(lambda prompt, number: "ca-t"[number % 4])
    settings = blocks.search_settings(
        [model], policy=UCT(width=3), growth=Letters(), verifier=right, max_nodes=60, answer="text"
    )
    result = await ask(blocks.search_loop(settings, technique="letters"), Budget(calls=60))
    assert (result.answer, result.technique, result.verdict.passed) == ("cat", "letters", True)
    assert result.usage.calls == len(model.calls) < 60
    assert {node.note for node in result.tree.nodes if node.status == "failed"} == {"no letter"}
    assert Usage.total(node.usage for node in result.tree.nodes).calls == result.usage.calls


def test_every_name_that_is_promised_is_there():
    assert all(getattr(blocks, name) is not None for name in blocks.__all__)
    with pytest.raises(AttributeError, match="no attribute 'search_tree'"):
        _ = blocks.search_tree


def test_a_scorer_and_a_verifier_are_one_too_many():
    given = {"scorer": "countdown", "verifier": "exact", "budget": Budget(calls=1)}
    with pytest.raises(ValueError, match="give beam_search a scorer or a verifier, not both"):
        solve("Use 2 and 3 to make 5.", "beam-search", **given)
