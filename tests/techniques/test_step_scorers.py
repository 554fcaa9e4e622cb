"""Searches with verifiers of steps: a trained model, one on a server, and a model that judges."""

import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage

from tests.techniques.searching import acts, ask, billed, told
from tests.verifiers.judges.readers import fenced, reader
from tests.verifiers.judges.test_stepwise import says
from tests.verifiers.process.test_model import MODEL, QUESTION
from tests.verifiers.process.test_remote import pooled_steps
from tests.verifiers.rewards.test_model import serving
from tscale_graph import Budget, beam_search, lats
from tscale_graph.verifiers import remote_process_reward_model, step_judge


def finds_9(prompt):
    """The first step in which something is 9."""
    steps = re.findall(r"^\[(\d+)\] (.*)$", fenced(prompt)["solution"], re.MULTILINE)
    return says(next((number for number, step in steps if "= 9" in step), 0))


def dislikes_9(step):
    return [0.875, 0.125] if "= 9" in step else [0.25, 0.75]


@asynccontextmanager
async def step_scorer(kind, *, steps="line"):
    """A verifier that finds what is 9 wrong, and the model that it asks, if any."""
    if kind == "trained":
        yield replace(MODEL, aggregate="min"), None
    elif kind == "judge":
        model = reader(finds_9)
        yield step_judge(model, steps=steps, aggregate="last"), model
    else:
        async with serving(replies=pooled_steps(dislikes_9)) as server:
            url = f"{server.url}/pooling"
            yield remote_process_reward_model(url, steps=steps, aggregate="last"), None


KINDS = pytest.mark.parametrize("kind", ["trained", "judge", "remote"])


def note(line: str) -> str:
    """Write a line down."""
    return "noted"


def agent(prompt, number):
    """Says a step, rightly or wrongly, and notes it; then answers from what it said."""
    said = [message.text for message in prompt if message.type == "ai"]
    if said:
        return f"{said[0][-1]} - 2 = {int(said[0][-1]) - 2}\nThe answer is {int(said[0][-1]) - 2}"
    step = "3 + 4 = 9" if number % 2 else "3 + 4 = 7"
    return AIMessage(step, tool_calls=acts("note", line=step).tool_calls)


def searched(model, value):
    settings = {"width": 2, "value_weight": 1, "reflections": 0, "max_nodes": 4}
    return lats(model, value=value, tools=[note], answer="number", **settings)


@KINDS
async def test_lats_takes_it_as_its_value_function(kind):
    async with step_scorer(kind, steps="paragraph") as (value, judge):
        model = told(agent)
        result = await ask(searched(model, value), question=QUESTION)
    turns = {node.text.split("\n")[0]: node for node in result.tree.nodes if node.depth == 1}
    assert turns["3 + 4 = 7"].score > 0.5 > turns["3 + 4 = 9"].score
    assert result.tree.nodes[result.tree.best].parent == turns["3 + 4 = 7"].index
    assert (result.answer, result.verdict.score > 0.5) == ("5", True)
    asked = [model, *([judge] if judge else [])]
    assert result.usage.calls == sum(len(one.calls) for one in asked)
    assert result.usage.tokens >= billed(*asked)


@pytest.mark.parametrize("kind", ["judge", "remote"])
async def test_a_turn_of_an_attempt_is_a_paragraph_and_the_newest_counts_last(kind):
    async with step_scorer(kind, steps="paragraph") as (value, _):
        result = await ask(searched(told(agent), value), question=QUESTION)
    scores = [node.score for node in result.tree.nodes[1:] if node.score is not None]
    assert len(result.verdict.step_scores) == 2, "what was noted, and the answer"
    assert result.verdict.score == result.verdict.step_scores[-1] == max(scores)


@KINDS
async def test_beam_search_goes_on_from_the_steps_that_it_likes(kind):
    def decide(prompt, number):
        so_far = prompt[-1].text
        if "7 - 2" in so_far:
            return "The answer is 5"
        if "3 + 4" in so_far:
            return "7 - 2 = 5"
        return "3 + 4 = 9" if number % 2 else "3 + 4 = 7"

    async with step_scorer(kind) as (scorer, judge):
        model = told(decide)
        search = beam_search(model, scorer, beams=1, width=4, steps="line", answer="number")
        result = await ask(search, question=QUESTION)
    assert result.text.splitlines() == ["3 + 4 = 7", "7 - 2 = 5", "The answer is 5"]
    assert (result.answer, result.verdict.score > 0.5) == ("5", True)
    assert result.usage.calls == len(model.calls) + (len(judge.calls) if judge else 0)


@pytest.mark.parametrize("limit", [{"calls": 7}, {"calls": 12}, {"tokens": 6_000}])
@pytest.mark.parametrize("technique", ["lats", "beam_search"])
async def test_what_a_judge_of_steps_spends_is_within_the_budget(technique, limit):
    model, judge = told(agent), reader(finds_9)
    scorer = step_judge(judge, steps="line", max_output_tokens=32, samples=2, temperature=1.0)
    settings = {"answer": "number", "max_output_tokens": 32, "on_exceeded": "return"}
    graph = (
        lats(model, value=scorer, tools=[note], width=2, **settings)
        if technique == "lats"
        else beam_search(model, scorer, beams=2, width=2, steps="line", **settings)
    )
    budget = Budget.model_validate(limit)
    result = await ask(graph, budget, question=QUESTION)
    calls, tokens = len(model.calls) + len(judge.calls), billed(model, judge)
    assert budget.calls is None or calls <= budget.calls
    assert budget.tokens is None or tokens <= budget.tokens
    assert result.usage.calls == calls
    assert budget.tokens is None or tokens <= result.usage.tokens <= budget.tokens


async def test_a_judge_of_steps_that_cannot_be_read_is_said_in_the_tree():
    judge = reader(json.dumps({"verdict": "fine, fine, fine"}))
    scorer = step_judge(judge, steps="line")
    search = beam_search(told(agent), scorer, beams=1, width=1, steps="line", on_exceeded="return")
    with pytest.raises(RuntimeError, match="no first_wrong_step in the reply"):
        await ask(search, Budget(calls=20), question=QUESTION)


async def test_steps_are_cut_and_their_scores_aggregated_as_the_scorer_does_it():
    lines = ["3 + 4 = 7", "7 - 2 = 5", "The answer is 5."]

    def decide(prompt):
        so_far = prompt[-1].text if isinstance(prompt[-1], AIMessage) else ""
        return "\n".join(lines)[len(so_far) :].lstrip("\n")

    scorer = replace(MODEL, aggregate="prod")
    model = told(decide, metadata={"continues_assistant_message": True})
    graph = beam_search(model, scorer, beams=1, width=1, answer="number")
    result = await ask(graph, question=QUESTION)
    assert model.options[0]["stop_at"] == ["\n"]
    assert result.answer == "5"
    first = scorer(QUESTION, lines[0]).step_scores
    assert result.tree.nodes[1].score == pytest.approx(first[0])
    every = scorer(QUESTION, "\n".join(lines)).step_scores
    assert result.tree.nodes[3].score == pytest.approx(every[0] * every[1] * every[2])
