"""Whatever models, tools and verifiers do, it has a defined outcome, and the search goes on."""

import re

import numpy as np
import pytest
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI

from tests.fake_server import Behaviour, FakeServer
from tests.techniques.searching import acts, ask, told
from tscale_graph import Budget, Usage, Verdict, ab_mcts, beam_search, lats
from tscale_graph.candidates import SamplingError, VerifierError

ANSWERS = [f"The answer is {number}" for number in range(1, 5)]
NOT_VERIFIED = "not verified: "


def numbered(prompt, number):
    """Another answer each time."""
    return f"The answer is {number % 4 + 1}"


def last_number(text):
    return int(re.findall(r"\d+", text)[-1])


def fails_on_2(wrong):
    """Scores numbers, but for 2, where it does something else."""

    def scorer(question, answer):
        number = last_number(answer)
        return wrong() if number == 2 else number / 10

    return scorer


def raises(error):
    def wrong():
        raise error

    return wrong


TECHNIQUES = {
    "ab_mcts": lambda model, scorer, **more: ab_mcts(
        model, scorer, max_nodes=8, batch=4, answer="number", seed=1, select="max", **more
    ),
    "beam_search": lambda model, scorer, **more: beam_search(
        model, scorer, beams=2, width=4, answer="number", select="max", **more
    ),
    "lats": lambda model, scorer, **more: lats(
        model, value=scorer, width=8, max_nodes=8, answer="number", reflections=0, **more
    ),
}
BAD_SCORES = {
    "nan": (lambda: float("nan"), "ValueError: a verifier's score must be between 0 and 1"),
    "numpy": (lambda: np.float64("nan"), "ValueError: a verifier's score must be between 0 and 1"),
    "infinite": (lambda: float("inf"), "ValueError: a verifier's score must be between 0 and 1"),
    "above": (lambda: 1.5, "ValueError: a verifier's score must be between 0 and 1, got 1.5"),
    "below": (lambda: -1, "ValueError: a verifier's score must be between 0 and 1, got -1"),
    "text": (lambda: "good", "TypeError: a verifier must return a bool, a float in [0, 1]"),
    "none": (lambda: None, "TypeError: a verifier must return a bool, a float in [0, 1]"),
    "mapping": (lambda: {"score": float("nan")}, "ValueError: a verifier's score must be"),
    "empty": (dict, "TypeError: a verifier must return"),
    "verdict": (lambda: Verdict(score=2), "ValidationError"),
    "steps": (lambda: Verdict(score=1, step_scores=(0.5, float("nan"))), "ValidationError"),
    "raises": (raises(RuntimeError("no idea")), "RuntimeError: no idea"),
    "exhausted": (raises(StopIteration("odd")), ""),
}


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("score", BAD_SCORES)
async def test_a_node_whose_score_is_none_fails_and_the_search_goes_on(technique, score):
    wrong, words = BAD_SCORES[score]
    model = told(numbered)
    result = await ask(TECHNIQUES[technique](model, fails_on_2(wrong)))
    nodes = result.tree.nodes[1:]
    failed = [node for node in nodes if node.status == "failed"]
    assert failed
    assert all(node.text.strip() == "The answer is 2" for node in failed)
    assert all(node.score is None and NOT_VERIFIED in node.note for node in failed)
    assert words in failed[0].note
    assert "\n" not in failed[0].note
    assert len(nodes) == result.usage.calls == 8
    assert (result.answer, result.status) == ("4", "complete")
    assert any(note.startswith(f"{len(failed)} of 8 nodes failed: ") for note in result.notes)


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_scores_that_no_one_checked_do_not_end_the_search(technique):
    unchecked = Verdict.model_construct(score=float("nan"), passed=None, feedback="")
    result = await ask(TECHNIQUES[technique](told(numbered), fails_on_2(lambda: unchecked)))
    assert result.answer == "4"
    statuses = {n.status for n in result.tree.nodes if n.text.strip() == "The answer is 2"}
    assert statuses == {"failed"}


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_verifier_that_always_fails_in_the_same_way_is_given_up_on(technique):
    model = told(lambda prompt, number: f"The answer is {number}")

    def broken(question, answer):
        raise RuntimeError("no connection")

    with pytest.raises(SamplingError, match="RuntimeError: no connection") as caught:
        await ask(TECHNIQUES[technique](model, broken), Budget(calls=100))
    assert caught.value.usage.calls == len(model.calls) <= 8


async def test_it_is_given_up_on_early_where_answers_repeat_too():
    model = told(lambda prompt, number: f"The answer is {number // 2}")

    def broken(question, answer):
        raise RuntimeError("no connection")

    technique = ab_mcts(model, broken, max_nodes=20, answer="number", seed=1)
    with pytest.raises(SamplingError, match="no connection"):
        await ask(technique)
    assert len(model.calls) <= 10


async def test_a_verifier_that_fails_in_different_ways_is_not_given_up_on():
    def moody(question, answer):
        if last_number(answer) < 8:
            raise RuntimeError(f"not {answer}")
        return True

    model = told(lambda prompt, number: f"The answer is {number}")
    result = await ask(ab_mcts(model, moody, max_nodes=20, answer="number", seed=1))
    assert (result.answer, result.usage.calls) == ("8", 9)


async def test_what_a_failed_verdict_cost_is_counted():
    def costly(question, answer):
        if last_number(answer) == 2:
            raise VerifierError("no verdict", Usage(calls=2, input_tokens=9))
        return 0.5

    model = told(numbered)
    result = await ask(TECHNIQUES["ab_mcts"](model, costly))
    assert result.usage.calls == 8 + 2
    [failed] = [n for n in result.tree.nodes if n.status == "failed" and n.usage.calls == 3]
    assert failed.note == "not verified: VerifierError: no verdict"


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_an_empty_answer_fails_its_node_only(technique):
    model = told(lambda prompt, number: "" if number % 4 == 1 else numbered(prompt, number))
    result = await ask(TECHNIQUES[technique](model, fails_on_2(lambda: 0.0)))
    empty = [node for node in result.tree.nodes[1:] if not node.text]
    assert len(empty) >= 2
    assert {node.status for node in empty} == {"failed"}
    assert result.answer == "4"


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_model_that_says_nothing_at_all_is_an_error_that_says_so(technique):
    model = told(lambda prompt: " \n")
    with pytest.raises(SamplingError, match=r"no (answer|step|action)"):
        await ask(TECHNIQUES[technique](model, lambda q, a: 0.5))
    assert len(model.calls) <= 9


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_model_that_fails_on_some_calls_costs_those_nodes_only(technique):
    def decide(prompt, number):
        if number % 4 == 1:
            raise RuntimeError("overloaded")
        return numbered(prompt, number)

    result = await ask(TECHNIQUES[technique](told(decide), lambda q, a: last_number(a) / 10))
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert len(failed) == 2
    assert all("overloaded" in node.note for node in failed)
    assert result.answer == "4"
    assert any("2 of 8 nodes failed" in note and "overloaded" in note for note in result.notes)


@pytest.mark.parametrize("technique", TECHNIQUES)
async def test_a_model_that_fails_on_all_calls_is_an_error_with_its_words(technique):
    model = told(lambda prompt: "", fail=1.0)
    with pytest.raises(SamplingError, match="the scripted failure") as caught:
        await ask(TECHNIQUES[technique](model, lambda q, a: 0.5), Budget(calls=100))
    assert caught.value.usage.calls == len(model.calls) <= 9


async def test_the_same_step_again_and_again_comes_to_an_end():
    model = told(lambda prompt: "let me think")
    result = await ask(
        beam_search(model, lambda q, a: 0.5, beams=2, width=2, answer="text"),
        question="Which colour?",
    )
    assert len(model.calls) <= 12
    assert {node.status for node in result.tree.nodes[1:]} >= {"duplicate", "failed"}
    assert result.tree.nodes[-1].status == "terminal", "what there is of it is completed"
    assert result.answer


async def test_a_model_that_goes_round_in_circles_is_cut_short_where_it_repeats_itself():
    model = told(lambda prompt, number: "go left" if number % 2 else "go right")
    result = await ask(
        beam_search(model, lambda q, a: 0.5, beams=1, width=1, answer="text"),
        question="Which way?",
    )
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert [node.note for node in failed] == ["the same as step 1"]
    assert len(model.calls) == 4, "two steps, the one that repeats, and the end of it"


async def test_a_cycle_of_identical_states_comes_to_an_end():
    class Corridor:
        def __init__(self):
            self.place = 0

        def snapshot(self):
            return self.place

        def restore(self, snapshot):
            self.place = snapshot

        def step(self, action):
            self.place += 1 if action["name"] == "right" else -1
            return f"place {self.place}"

    def left() -> str:
        """Go left."""
        return ""

    def right() -> str:
        """Go right."""
        return ""

    def decide(prompt, number):
        if "final answer now" in prompt[-1].text:
            return "The answer is 3"
        return acts("left" if prompt[-1].text == "place 1" else "right")

    model = told(decide)
    technique = lats(
        model,
        tools=[left, right],
        environment=Corridor,
        value=lambda q, a: 0.6,
        width=2,
        max_nodes=60,
        max_depth=20,
        answer="number",
    )
    result = await ask(technique)
    assert len(model.calls) <= 9
    assert result.answer == "3"


def a_tool(behave):
    def act(number: int) -> str:
        """Act."""
        return behave(number)

    return act


def acting(prompt, number):
    """Four different actions, of which the second is a bad one; then an answer."""
    if "final answer now" in prompt[-1].text or len(prompt) > 1:
        return "The answer is 4"
    return acts("act", number=number)


def bad_action(behave):
    def act(number):
        return behave() if number == 1 else f"did {number}"

    return a_tool(act)


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (raises(RuntimeError("the tool broke")), "RuntimeError: the tool broke"),
        (raises(TimeoutError("the tool took too long")), "the tool took too long"),
        (raises(ValueError("two\nlines")), "two"),
        (raises(KeyError("x")), "KeyError"),
    ],
)
async def test_a_turn_whose_tool_raises_fails_and_the_search_goes_on(behave, words):
    model = told(acting)
    technique = lats(
        model, tools=[bad_action(behave)], value=lambda q, a: 1.0, width=4, answer="number"
    )
    result = await ask(technique)
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert len(failed) == 1
    assert words in failed[0].note
    assert "\n" not in failed[0].note
    assert "deadline" not in failed[0].note, "there is none"
    assert result.answer == "4"


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (acts("fly", to="Rome"), "there is no tool named 'fly': there are act"),
        (acts("act"), "validation error for act"),
        (acts("act", number="many"), "validation error for act"),
    ],
)
async def test_a_turn_that_calls_no_such_tool_or_calls_it_wrongly_fails(turn, words):
    def decide(prompt, number):
        return turn if number == 1 else acting(prompt, number)

    technique = lats(
        told(decide), tools=[a_tool(str)], value=lambda q, a: 1.0, width=4, answer="number"
    )
    result = await ask(technique)
    [failed] = [node for node in result.tree.nodes if node.status == "failed"]
    assert words in failed.note
    assert result.answer == "4"


async def test_tools_that_always_fail_leave_an_answer_without_them():
    def decide(prompt, number):
        if "final answer now" in prompt[-1].text:
            return "The answer is 4"
        return acts("act", number=number)

    broken = a_tool(lambda number: raises(RuntimeError("broken"))())
    technique = lats(told(decide), tools=[broken], value=lambda q, a: 1.0, width=3, answer="number")
    result = await ask(technique)
    assert result.answer == "4"
    assert [node.status for node in result.tree.nodes[1:]] == ["failed"] * 3 + ["terminal"]


@pytest.mark.parametrize("method", ["snapshot", "restore", "step"])
async def test_an_environment_that_fails_costs_the_turn_only(method):
    class Fragile:
        def __init__(self):
            self.acted = []

        def snapshot(self):
            if method == "snapshot" and self.acted == [1]:
                raise RuntimeError("cannot be told")
            return self.acted

        def restore(self, snapshot):
            if method == "restore" and snapshot == [1]:
                raise RuntimeError("cannot go back")
            self.acted = snapshot

        def step(self, action):
            if method == "step" and action["args"]["number"] == 1:
                raise RuntimeError("cannot be done")
            self.acted.append(action["args"]["number"])
            return f"did {self.acted}"

    def decide(prompt, number):
        if len(prompt) > 4 or "final answer now" in prompt[-1].text:
            return "The answer is 4"
        return acts("act", number=number)

    technique = lats(
        told(decide),
        tools=[a_tool(str)],
        environment=Fragile,
        value=lambda q, a: 1.0,
        width=3,
        answer="number",
    )
    result = await ask(technique)
    assert result.answer == "4"
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    if method != "restore":
        assert len(failed) == 1
    assert all("cannot" in node.note for node in failed)


async def test_an_answer_that_cannot_be_read_fails_its_node_only():
    def reads(text):
        if text.endswith("2"):
            raise RuntimeError("cannot read this")
        return text.split()[-1]

    result = await ask(
        ab_mcts(told(numbered), lambda q, a: int(a) / 10, max_nodes=4, answer=reads, seed=1)
    )
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert ["cannot read this" in node.note for node in failed] == [True]
    assert result.answer == "4"


async def test_a_text_with_half_a_character_does_not_end_the_search():
    model = told(lambda prompt, number: f"\ud83d The answer is {number}")
    result = await ask(ab_mcts(model, lambda q, a: 0.5, max_nodes=3, answer="number", seed=1))
    assert "�" in result.tree.nodes[1].text


async def test_a_turn_of_calls_that_are_no_calls_fails():
    broken = AIMessage(
        "", invalid_tool_calls=[{"name": "act", "args": "{", "id": "1", "error": "no JSON"}]
    )

    def decide(prompt, number):
        return broken if number == 1 else acting(prompt, number)

    technique = lats(
        told(decide), tools=[a_tool(str)], value=lambda q, a: 1.0, width=4, answer="number"
    )
    result = await ask(technique)
    assert [n.note for n in result.tree.nodes if n.status == "failed"] == [
        "the model gave no action"
    ]
    assert result.answer == "4"


@pytest.fixture(scope="module")
def server():
    with FakeServer(in_process=True) as running:
        yield running


def client(server):
    return ChatOpenAI(model="fake", base_url=server.url, api_key="none")


SERVED = {
    "ab_mcts": lambda model: ab_mcts(
        model, lambda q, a: int(a) / 10, max_nodes=8, batch=4, answer="number", seed=1
    ),
    "beam_search": lambda model: beam_search(
        model, lambda q, a: 0.5, beams=2, width=2, max_steps=2, answer="number"
    ),
    "lats": lambda model: lats(
        model, value=lambda q, a: 0.6, width=4, max_nodes=4, answer="number", reflections=0
    ),
}


@pytest.mark.parametrize("technique", SERVED)
async def test_a_provider_that_gives_fewer_completions_than_asked_is_asked_one_by_one_then(
    technique, server
):
    server.reset(Behaviour(n="one", answers={"The answer is 1": 1, "The answer is 2": 1}))
    result = await ask(SERVED[technique](client(server)))
    requests = server.ledger().requests
    assert result.answer in ("1", "2")
    assert requests[0].n > 1
    assert all(request.n == 1 for request in requests[1:]), "it is not asked like that again"
    assert sum(request.n for request in requests) == result.usage.calls
    failed = [node for node in result.tree.nodes if node.status == "failed"]
    assert {node.note for node in failed} == {
        "the provider gave fewer completions than it was asked for"
    }


@pytest.mark.parametrize("technique", SERVED)
async def test_a_provider_that_refuses_several_completions_is_asked_one_by_one(technique, server):
    server.reset(Behaviour(n="error", answers={"The answer is 1": 1, "The answer is 2": 1}))
    result = await ask(SERVED[technique](client(server)))
    requests = server.ledger().requests
    assert result.answer in ("1", "2")
    assert [request.n > 1 for request in requests].count(True) == 1
    assert sum(request.n for request in requests) == result.usage.calls
    assert not [node for node in result.tree.nodes if node.status == "failed"]
    assert any("does not answer several times at once" in note for note in result.notes)


@pytest.mark.parametrize("technique", SERVED)
async def test_a_refusal_does_not_use_up_a_small_budget_of_calls(technique, server):
    server.reset(Behaviour(n="error", answers={"The answer is 1": 1, "The answer is 2": 1}))
    result = await ask(SERVED[technique](client(server)), Budget(calls=4))
    assert result.answer in ("1", "2")
    assert sum(request.n for request in server.ledger().requests) == result.usage.calls <= 4


@pytest.mark.parametrize("technique", SERVED)
@pytest.mark.parametrize("fault", ["malformed", "reset", "empty", "500"])
async def test_requests_that_fail_now_and_then_cost_their_nodes_only(technique, fault, server):
    server.reset(Behaviour(script=[None, fault], answers={"The answer is 1": 1}))
    result = await ask(SERVED[technique](client(server)))
    assert result.answer == "1"
    assert sum(request.n for request in server.ledger().requests) == result.usage.calls
