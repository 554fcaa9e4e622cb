"""Refine with a verifier: what is revised, what is told, which version stands, and when it ends."""

import inspect
import random

import pytest

from tests.techniques.refining.revising import numbering, tenths, versions
from tests.techniques.searching import QUESTION, Told, ask, asked_of
from tscale_graph import Budget, SamplingError, Verdict, asolve, refine, solve
from tscale_graph.techniques.feedback import BETTER


def refining(model, verifier=tenths, **more):
    return refine(model, verifier, answer="number", **more)


async def test_it_answers_is_told_what_was_wrong_and_answers_again_until_that_passes():
    model = numbering(2, 5, 10, 3)
    result = await ask(refining(model))
    assert (result.answer, result.status, result.technique) == ("10", "complete", "refine")
    assert versions(result) == ["2", "5", "10"]
    assert result.verdict.passed
    first, second, third = asked_of(model)
    assert first == [("human", QUESTION)]
    assert second == [
        ("human", QUESTION),
        ("ai", "The answer is 2"),
        ("human", "That answer is not good enough yet. A checker gave it 0.20 of 1.00 and said: "
                  f"2 is not it. {BETTER}"),
    ]  # fmt: skip
    assert third[1] == ("ai", "The answer is 5")
    assert (
        "0.50 of 1.00 and said: 5 is not it. These were tried and are no better: 2 (0.20)."
        in (third[2][1])
    )


async def test_the_best_version_stands_and_not_the_last():
    result = await ask(refining(numbering(4, 7, 1, 2, 3), max_revisions=4))
    assert versions(result) == ["4", "7", "1", "2", "3"]
    assert (result.answer, result.verdict.score) == ("7", 0.7)
    assert "revising ended with max_revisions=4" in result.notes


async def test_the_best_version_is_what_is_revised():
    model = numbering(4, 7, 1, 2)
    await ask(refining(model, max_revisions=3))
    assert [prompt[1][1] for prompt in asked_of(model)[1:]] == [
        "The answer is 4",
        "The answer is 7",
        "The answer is 7",
    ]
    assert "no better: 4 (0.40), 1 (0.10)." in asked_of(model)[-1][2][1]


async def test_the_first_of_equally_good_versions_stands():
    result = await ask(refining(numbering(4, 7, 8, 7, 8), lambda q, a: 0.5))
    assert versions(result) == ["4", "7", "8", "7", "8"]
    assert result.answer == "4"
    assert result.votes[0].answer == "4"


@pytest.mark.parametrize("seed", range(40))
async def test_no_answer_is_returned_that_its_verifier_scored_below_an_earlier_one(seed):
    rng = random.Random(seed)

    async def contradictory(question, answer):
        passed = rng.choice([None, None, False, False, True])
        return Verdict(score=rng.choice([0.0, 0.3, 0.6, 1.0]), passed=passed)

    async def now_and_then(question, answer):
        if rng.random() < 0.3:
            raise RuntimeError(f"no idea {answer}")
        return rng.choice([0.1, 0.5, 0.9])

    said = [rng.choice([1, 2, 3, 4, "I do not know."]) for _ in range(9)]
    model = numbering(5, *said, fail=rng.choice([0, 0.2]), draws=random.Random(seed))
    graph = refining(
        model,
        rng.choice([contradictory, now_and_then]),
        max_revisions=8,
        chains=rng.choice([1, 3]),
        seed=rng.choice([None, 7]),
        on_exceeded="return",
    )
    try:
        result = await ask(graph, Budget(calls=rng.randint(2, 30)))
    except SamplingError:
        return  # nothing could be asked, or nothing verified
    scored = [one for one in result.candidates if one.verdict is not None]
    if scored:
        best = max(scored, key=lambda one: one.verdict.score)
        assert result.verdict.score == best.verdict.score
        first = next(one for one in scored if one.answer == result.answer)
        rivals = [one for one in scored if one.verdict == result.verdict]
        assert first.index <= min(one.index for one in rivals)
        assert result.tree.nodes[result.tree.best].score == best.verdict.score


@pytest.mark.parametrize("repeats", [1, 2, 3])
async def test_it_ends_when_revisions_come_to_nothing_new(repeats):
    model = numbering(3, 4, "It is 4.0, so the answer is 4", 4, 4)
    result = await ask(refining(model, max_revisions=9, repeats=repeats))
    assert len(result.candidates) == 2 + repeats
    assert (result.answer, result.status) == ("4", "complete")
    assert f"revising ended with repeats={repeats}: nothing new had come" in result.notes


async def test_an_answer_that_was_no_better_before_is_nothing_new_either():
    result = await ask(refining(numbering(7, 4, 4, 4, 9), max_revisions=9))
    assert (versions(result), result.answer) == (["7", "4", "4", "4"], "7")
    result = await ask(refining(numbering(7, 4, 4, 5, 4, 9), max_revisions=5))
    assert versions(result) == ["7", "4", "4", "5", "4", "9"], "in a row"


async def test_equal_answers_share_one_verdict():
    asked = []

    def counting(question, answer):
        asked.append(answer)
        return 0.5

    await ask(refining(numbering(3, 4, 3, 5, 4), counting))
    assert asked == ["3", "4", "5"]


async def test_a_first_answer_that_passes_is_not_revised():
    model = numbering(10)
    result = await ask(refining(model))
    assert (len(model.calls), result.answer, result.notes[0][:3]) == (1, "10", "usd")


async def test_a_revision_without_an_answer_is_a_note_and_does_not_lose_the_best():
    model = numbering(4, "I would rather not say.", 5)
    result = await ask(refining(model, max_revisions=2))
    assert versions(result) == ["4", None, "5"]
    assert result.answer == "5"
    assert "1 of 3 samples had no answer to read" in result.notes
    assert [node.status for node in result.tree.nodes] == ["open", "open", "failed", "open"]
    assert asked_of(model)[2][1] == ("ai", "The answer is 4"), "what holds no answer is not revised"


async def test_a_first_text_without_an_answer_is_asked_for_one():
    model = numbering("I would rather not say.", 10)
    result = await ask(refining(model))
    assert result.answer == "10"
    assert asked_of(model)[1][1] == ("ai", "I would rather not say.")
    assert "no final answer in that which could be read" in asked_of(model)[1][2][1]


class Unreliable:
    """Fails at these calls."""

    def __init__(self, *places):
        self.places, self.calls = places, 0

    def __call__(self, model):
        begin = type(model).begin

        def failing(messages, options):
            self.calls += 1
            model.fail = 1.0 if self.calls - 1 in self.places else 0.0
            return begin(model, messages, options)

        object.__setattr__(model, "begin", failing)
        return model


async def test_a_revision_that_fails_is_a_note_and_does_not_lose_the_best():
    model = Unreliable(1)(numbering(4, 9, 6))
    result = await ask(refining(model, max_revisions=2))
    assert versions(result) == ["4", None, "6"]
    assert (result.answer, result.status) == ("6", "complete")
    assert any(note.startswith("1 of 3 samples failed") for note in result.notes)


async def test_where_every_call_fails_the_error_says_why_and_soon():
    model = numbering(4, fail=1.0)
    with pytest.raises(SamplingError, match=r"all 3 samples failed, the last .*scripted") as it:
        await ask(refining(model, max_revisions=9))
    assert len(model.calls) == 3 == it.value.usage.calls


async def test_a_verifier_that_always_fails_is_given_up_on():
    def broken(question, answer):
        raise RuntimeError("out of order")

    model = numbering(1, 2, 3, 4, 5)
    with pytest.raises(SamplingError, match=r"no answer could be verified: .*out of order"):
        await ask(refining(model, broken, max_revisions=9))
    assert len(model.calls) == 3


async def test_a_version_that_cannot_be_verified_costs_only_itself():
    def fails_on_2(question, answer):
        return {"score": 1 / 0} if answer == "2" else tenths(question, answer)

    result = await ask(refining(numbering(2, 4, 2, 6), fails_on_2, max_revisions=3))
    assert (result.answer, versions(result)) == ("6", ["2", "4", "2", "6"])
    assert any("not verified: ZeroDivisionError" in note for note in result.notes)


async def test_a_verifier_that_reads_solutions_is_shown_all_of_each_version():
    shown = []

    def reads_all(question, answer):
        shown.append(answer)
        return len(shown) / 10

    reads_all.reads_solutions = True
    result = await ask(refining(numbering(4, "Hm. The answer is 4", 5), reads_all, max_revisions=2))
    assert shown == ["The answer is 4", "Hm. The answer is 4", "The answer is 5"]
    assert result.answer == "5"


class Seeded(Told):
    """Takes a seed."""

    seed: int | None = None


async def test_the_system_prompt_the_seed_and_the_temperature_are_passed_on():
    model = Seeded(decide=lambda prompt, number: f"The answer is {number}")
    more = {"system": "Be brief.", "seed": 5, "temperature": 0.2, "max_output_tokens": 9}
    await ask(refining(model, max_revisions=2, **more))
    assert [prompt[0] for prompt in asked_of(model)] == [("system", "Be brief.")] * 3
    asked = [(told["max_tokens"], told["temperature"], told["seed"]) for told in model.options]
    assert asked == [(9, 0.2, 5), (9, 0.2, 6), (9, 0.2, 7)]


async def test_every_version_is_told_as_it_comes():
    graph = refining(numbering(2, 5, 10)).compile()
    asked = {"messages": [("user", QUESTION)], "budget": Budget(calls=9)}
    events = [event async for event in graph.astream(asked, stream_mode="custom")]
    assert [event["sample"]["text"][-2:].strip() for event in events] == ["2", "5", "10"]


async def test_the_tree_shows_what_revised_what():
    result = await ask(refining(numbering(4, 7, 1, 2), max_revisions=3))
    nodes = result.tree.nodes
    assert [(node.parent, node.depth, node.score) for node in nodes[1:]] == [
        (0, 1, 0.4), (1, 2, 0.7), (2, 3, 0.1), (2, 3, 0.2),
    ]  # fmt: skip
    assert result.tree.best_path == [0, 1, 2]
    assert nodes[1].note == "4 is not it"
    assert (nodes[2].visits, nodes[2].value) == (3, pytest.approx((0.7 + 0.1 + 0.2) / 3))
    assert "flowchart" in result.tree.to_mermaid()


def test_it_works_from_invoke_and_gives_one_message():
    out = refining(numbering(2, 10)).compile().invoke(
        {"messages": [("user", QUESTION)], "budget": {"calls": 9}}
    )  # fmt: skip
    assert set(out) == {"messages", "result"}
    assert [message.type for message in out["messages"]] == ["human", "ai"]
    usage = out["messages"][-1].usage_metadata
    assert usage["total_tokens"] == out["result"].usage.tokens


async def test_it_can_be_asked_for_by_name():
    result = await asolve(
        QUESTION, "refine", budget=Budget(calls=5), model=numbering(2, 10), verifier=tenths
    )
    assert (result.answer, result.technique) == ("10", "refine")
    assert solve(QUESTION, "refine", budget=Budget(calls=2), model=numbering(3)).answer == "3"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"max_revisions": -1}, "max_revisions must be at least 0, got -1"),
        ({"max_revisions": 1.5}, "max_revisions must be a whole number, got 1.5"),
        ({"repeats": 0}, "repeats must be at least 1, got 0"),
        ({"chains": 0}, "chains must be at least 1, got 0"),
        ({"critique_tokens": 0}, "critique_tokens must be at least 1, got 0"),
        ({"verifier": "oracle"}, "verifier must be one of"),
        ({"temperature": 3}, "temperature must be between 0 and 2"),
        ({"max_parallel": 0}, "max_parallel must be at least 1"),
        ({"on_exceeded": "ignore"}, 'on_exceeded must be "raise" or "return"'),
    ],
)
def test_a_bad_argument_is_refused_when_the_graph_is_built(arguments, says):
    with pytest.raises(ValueError, match=says) as caught:
        refine(numbering(1), **arguments)
    assert "\n" not in str(caught.value)


def test_every_node_says_where_it_belongs_and_none_is_a_closure():
    graph = refining(numbering(1))
    where = {name: spec.metadata["execute_in"] for name, spec in graph.nodes.items()}
    assert where == {
        "admit": "activity",
        "sample": "activity",
        "verify": "activity",
        "decide": "workflow",
        "finish": "workflow",
    }
    for spec in graph.nodes.values():
        assert inspect.ismethod(spec.runnable.afunc)
