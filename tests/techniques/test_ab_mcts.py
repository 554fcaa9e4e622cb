"""AB-MCTS: whole answers, refined or fresh, by scripted models."""

import re

import pytest
from langchain_core.messages import HumanMessage

from tests.techniques.answering import by_table
from tests.techniques.searching import QUESTION, ask, asked_of, billed, told
from tscale_graph import Budget, Usage, Verdict, ab_mcts
from tscale_graph.search.adaptive import VARIANTS

FIRST = "The answer is 1"


def one_more(prompt):
    """The number 1, or one more than in the answer that is to be refined."""
    if prompt[-1].text == QUESTION:
        return FIRST
    return f"The answer is {int(re.findall(r'[0-9]+', prompt[-2].text)[-1]) + 1}"


def up_to(target):
    def verifier(question, answer):
        number = int(answer)
        feedback = "" if number >= target else f"{number} is too low."
        return Verdict(score=min(1.0, number / target), passed=number >= target, feedback=feedback)

    return verifier


def in_turn(*answers):
    return told(lambda prompt, number: answers[number % len(answers)])


async def test_the_first_answer_is_to_the_bare_question():
    model = told(one_more)
    await ask(ab_mcts(model, up_to(3), max_nodes=1, seed=1))
    assert asked_of(model) == [[("human", QUESTION)]]


async def test_a_refinement_is_told_the_answer_its_score_and_what_the_verifier_said():
    model = told(one_more)
    result = await ask(ab_mcts(model, up_to(3), seed=1))
    refined = [prompt for prompt in asked_of(model) if len(prompt) > 1]
    assert refined[0] == [
        ("human", QUESTION),
        ("ai", FIRST),
        (
            "human",
            "That answer is not good enough yet. A checker gave it 0.33 of 1.00 and said: "
            "1 is too low. Give a better answer, complete and in the same form.",
        ),
    ]
    assert result.answer == "3"


async def test_a_refinement_is_told_of_its_parent_only():
    model = told(one_more)
    await ask(ab_mcts(model, up_to(4), seed=1))
    assert {len(prompt) for prompt in model.prompts} == {1, 3}


async def test_a_verifier_that_says_nothing_leaves_the_score():
    model = told(one_more)
    await ask(ab_mcts(model, lambda q, a: int(a) / 10, max_nodes=12, seed=1))
    words = next(prompt[-1] for prompt in asked_of(model) if len(prompt) == 3)
    assert words[1].startswith(
        "That answer is not good enough yet. A checker gave it 0.10 of 1.00. Give a better"
    )


async def test_long_feedback_is_cut_short():
    model = told(one_more)

    def talkative(question, answer):
        return Verdict(score=int(answer) / 10, feedback="x" * 10_000)

    await ask(ab_mcts(model, talkative, max_nodes=12, seed=1))
    words = next(prompt[-1] for prompt in asked_of(model) if len(prompt) == 3)
    assert words[1].count("x") == 600


async def test_it_ends_with_the_first_answer_that_passes():
    model = told(one_more)
    result = await ask(ab_mcts(model, up_to(4), max_nodes=40, seed=1))
    assert (result.answer, result.status, result.cut_off_by) == ("4", "complete", None)
    assert result.verdict.passed
    assert result.text == "The answer is 4"
    assert result.usage.calls == len(model.calls) < 40
    path = result.tree.best_path
    assert [result.tree.nodes[index].text for index in path] == [
        QUESTION, *[f"The answer is {number}" for number in (1, 2, 3, 4)]
    ]  # fmt: skip


async def test_without_a_pass_max_nodes_are_made_and_the_best_answer_is_told():
    model = told(one_more)
    result = await ask(ab_mcts(model, lambda q, a: int(a) / 100, max_nodes=15, seed=1))
    assert (result.usage.calls, result.status) == (15, "complete")
    assert len(result.tree.nodes) == 16
    best = max(result.tree.nodes[1:], key=lambda node: node.score)
    assert result.tree.nodes[result.tree.best].score == best.score
    assert int(result.answer) / 100 == best.score


async def test_the_tree_has_every_node_with_its_score_visits_cost_and_text():
    prices = {"usd_per_million_tokens": {"input": 1.0, "output": 2.0}}
    model = told(one_more, metadata=prices)
    result = await ask(ab_mcts(model, up_to(10), max_nodes=12, seed=1))
    tree = result.tree
    root, *nodes = tree.nodes
    assert (tree.technique, tree.question, root.text) == ("ab_mcts", QUESTION, QUESTION)
    assert Usage.total(node.usage for node in nodes).tokens == billed(model)
    assert sum(node.usage.usd for node in nodes) == pytest.approx(result.usage.usd)
    assert result.usage.usd > 0
    for node in nodes:
        number = int(node.text.rsplit(" ", 1)[-1])
        assert node.depth == number
        assert node.score == number / 10
        below = [node.index, *_below(tree, node.index)]
        scores = [tree.nodes[index].score for index in below]
        assert node.visits == len(below)
        assert node.value == pytest.approx(sum(scores) / len(scores))
        assert node.note in (f"{number} is too low.", f"the same as node {_first(nodes, node)}")
        assert node.model is None
    assert {node.status for node in nodes} <= {"open", "duplicate"}
    assert root.visits == len(nodes)


def _below(tree, index):
    for child in tree.children(index):
        yield child
        yield from _below(tree, child)


def _first(nodes, node):
    return next(other.index for other in nodes if other.text == node.text)


async def test_candidates_are_all_answers_and_votes_are_by_answer():
    model = in_turn("The answer is 1", "The answer is 2", "The answer is 1")
    scores = {"1": 0.2, "2": 0.6}
    result = await ask(ab_mcts(model, by_table(scores), max_nodes=6, answer="number", seed=2))
    assert [candidate.answer for candidate in result.candidates] == ["1", "2", "1"] * 2
    assert [candidate.verdict.score for candidate in result.candidates] == [0.2, 0.6, 0.2] * 2
    assert [candidate.index for candidate in result.candidates] == [1, 2, 3, 4, 5, 6]
    assert [(tally.answer, tally.count) for tally in result.votes] == [("2", 2), ("1", 4)]
    assert result.agreement == pytest.approx(2 / 6)


@pytest.mark.parametrize(("select", "answer"), [("max", "2"), ("majority", "1")])
async def test_another_selection_may_choose_the_answer(select, answer):
    model = in_turn("The answer is 1", "The answer is 2", "The answer is 1")
    technique = ab_mcts(
        model, by_table({"1": 0.2, "2": 0.6}), max_nodes=6, select=select, answer="number", seed=2
    )
    assert (await ask(technique)).answer == answer


async def test_an_answer_that_was_given_before_is_verified_once_and_the_search_goes_on():
    seen = []

    def verifier(question, answer):
        seen.append(answer)
        return {"score": 0.4, "comment": "no"}

    model = in_turn("The answer is 0.5", "It is 1/2", "The answer is 3")
    result = await ask(ab_mcts(model, verifier, max_nodes=3, answer="number", seed=1))
    assert seen == ["0.5", "3"]
    repeated = result.tree.nodes[2]
    assert (repeated.status, repeated.note) == ("duplicate", "the same as node 1")
    assert repeated.score == 0.4
    assert result.usage.calls == 3


async def test_a_repeated_answer_is_not_refined():
    model = told(lambda prompt: FIRST)
    result = await ask(ab_mcts(model, lambda q, a: 0.5, max_nodes=12, seed=1))
    parents = {node.parent for node in result.tree.nodes[1:]}
    assert parents <= {0, 1}
    assert [node.status for node in result.tree.nodes[1:]] == ["open", *["duplicate"] * 11]


async def test_an_answer_that_came_twice_in_one_round_is_verified_once():
    seen = []

    def verifier(question, answer):
        seen.append(answer)
        return 0.5

    model = told(lambda prompt: FIRST)
    result = await ask(ab_mcts(model, verifier, max_nodes=4, batch=4, seed=1))
    assert (seen, len(result.candidates)) == (["1"], 4)


async def test_a_verdict_that_cost_something_is_charged_once():
    def judge(question, answer):
        return Verdict(score=0.4, usage=Usage(calls=1, input_tokens=7))

    model = told(lambda prompt: FIRST)
    result = await ask(ab_mcts(model, judge, max_nodes=4, batch=2, seed=1))
    assert result.usage.calls == len(model.calls) + 1
    assert result.usage.tokens == billed(model) + 7


async def test_a_batch_is_sampled_side_by_side():
    model = told(one_more, delay=0.01)
    result = await ask(ab_mcts(model, lambda q, a: int(a) / 100, max_nodes=12, batch=4, seed=1))
    assert (model.most_in_flight, result.usage.calls) == (4, 12)


async def test_a_last_batch_is_as_large_as_max_nodes_allows():
    model = told(one_more)
    result = await ask(ab_mcts(model, lambda q, a: 0.1, max_nodes=10, batch=4, seed=1))
    assert (result.usage.calls, len(result.tree.nodes)) == (10, 11)


async def test_max_parallel_holds_within_a_batch():
    model = told(one_more, delay=0.005)
    technique = ab_mcts(
        model, lambda q, a: int(a) / 100, max_nodes=12, batch=6, max_parallel=2, seed=1
    )
    result = await ask(technique)
    assert (model.most_in_flight, result.usage.calls) == (2, 12)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_every_variant_goes_wider_and_deeper(variant):
    technique = ab_mcts(
        told(one_more), lambda q, a: int(a) / 10, variant=variant, max_nodes=16, seed=4
    )
    tree = (await ask(technique)).tree
    assert len(tree.children(0)) >= 2
    assert max(node.depth for node in tree.nodes) >= 2


@pytest.mark.parametrize("variant", VARIANTS)
async def test_with_a_seed_a_run_repeats(variant):
    def shape(result):
        return [(node.parent, node.text, node.score) for node in result.tree.nodes]

    technique = ab_mcts(
        told(one_more), lambda q, a: int(a) / 50, variant=variant, max_nodes=15, batch=3, seed=8
    )
    assert shape(await ask(technique)) == shape(await ask(technique))


async def test_a_system_prompt_comes_before_everything():
    model = told(one_more)
    await ask(ab_mcts(model, up_to(3), system="Count.", seed=1))
    assert {prompt[0] for prompt in asked_of(model)} == {("system", "Count.")}


async def test_a_conversation_is_carried_along_and_the_answer_appended():
    model = told(one_more)
    graph = ab_mcts(model, up_to(2), seed=1).compile()
    messages = [("user", "Hello"), ("ai", "Hello!"), ("user", QUESTION)]
    out = await graph.ainvoke({"messages": messages, "budget": Budget(calls=40)})
    assert [m.text for m in model.prompts[0]] == ["Hello", "Hello!", QUESTION]
    assert [m.text for m in out["messages"]] == ["Hello", "Hello!", QUESTION, "The answer is 2"]
    assert out["messages"][-1].usage_metadata["total_tokens"] == out["result"].usage.tokens
    assert set(out) == {"messages", "result"}


async def test_an_asynchronous_verifier_and_a_built_in_one():
    async def verifier(question, answer):
        return answer == "2"

    assert (await ask(ab_mcts(told(one_more), verifier, seed=1))).answer == "2"
    model = in_turn("x = 2", "x = 5")
    result = await ask(ab_mcts(model, "equation", seed=1), question="Solve 3x + 4 = 19 for x.")
    assert (result.answer, result.usage.calls) == ("x = 5", 2)


async def test_answers_are_read_as_the_user_says():
    def last_word(text):
        return text.split()[-1]

    model = in_turn("Perhaps red", "Perhaps blue")
    scores = {"red": 0.1, "blue": 0.9}
    result = await ask(
        ab_mcts(model, by_table(scores), answer=last_word, max_nodes=4, seed=1),
        question="Which colour?",
    )
    assert result.answer == "blue"


async def test_the_answer_is_the_one_that_was_verified():
    seen = {}

    def verifier(question, answer):
        seen[answer] = len(seen)
        return 0.9 if len(seen) == 1 else 0.1

    words = ["Nobody could possibly say so", "That is rather hard to tell for sure"]
    model = in_turn("The answer is 3", *words, *[f"{word} today" for word in words])
    result = await ask(ab_mcts(model, verifier, max_nodes=5, seed=1), question="What is it?")
    assert result.answer in seen


async def test_how_answers_were_read_is_in_the_notes():
    result = await ask(ab_mcts(told(one_more), up_to(2), seed=1))
    assert 'answer="auto" read the answers as number' in result.notes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "uct"}, "variant must be one of beta, gaussian, mixed, got 'uct'"),
        ({"max_nodes": 0}, "max_nodes must be at least 1, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"max_parallel": 0}, "max_parallel must be at least 1, got 0"),
        ({"max_output_tokens": 0}, "max_output_tokens must be at least 1, got 0"),
        ({"emphasis": 0}, "emphasis must be at least 0.01, got 0"),
        ({"emphasis": float("nan")}, "emphasis must be at least 0.01, got nan"),
        ({"cost_weight": -0.5}, "cost_weight must be at least 0, got -0.5"),
        ({"temperature": 3}, "temperature must be between 0 and 2, got 3"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"select": "best"}, "select must be one of"),
        ({"answer": "poem"}, "answer must be"),
        ({"on_exceeded": "ignore"}, 'on_exceeded must be "raise" or "return", got \'ignore\''),
        ({"budget": {"calls": 0}}, "greater than 0"),
        ({"verifier": "oracle"}, "verifier must be one of"),
        ({"verifier": 42}, "verifier must be callable"),
        ({"models": []}, "models must name at least one model, got none"),
        ({"models": [HumanMessage("hi")]}, "model must be a chat model"),
    ],
)
def test_a_bad_argument_fails_when_the_graph_is_built(arguments, message):
    given = {"models": told(one_more), "verifier": up_to(3), **arguments}
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        ab_mcts(given.pop("models"), given.pop("verifier"), **given)
    if "budget" not in arguments:
        assert "\n" not in str(caught.value)


async def test_the_answer_that_passed_stands_however_the_others_read():
    texts = ["The answer is 12", "The answer is 13", "The answer is 14", "The answer is (B)"]
    model = told(lambda prompt, number: texts[number % 4])
    technique = ab_mcts(model, lambda question, answer: answer == "B", max_nodes=8, batch=4)
    result = await ask(technique, question="Which one is it?")
    assert (result.answer, result.verdict.passed, result.status) == ("B", True, "complete")
