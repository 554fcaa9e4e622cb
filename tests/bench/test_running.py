"""Contenders on questions: every outcome is kept, and nothing is paid for twice."""

import asyncio

import pytest

from tests.recordings.made_up import many
from tests.scripted import Scripted
from tscale_graph import Budget, Policy, self_consistency
from tscale_graph.bench import abench, bench
from tscale_graph.candidates import SamplingError
from tscale_graph.models.replay import ReplayModel
from tscale_graph.policy import ClassPolicy
from tscale_graph.recipe import Recipe
from tscale_graph.recordings.outcomes import append_outcome, read_contenders, read_outcomes
from tscale_graph.recordings.questions import Question

ONE = Recipe(technique="self_consistency", arguments={"max_samples": 1})
VOTE = Recipe(technique="self_consistency", arguments={"max_samples": 5, "stop": "fixed"})
PLENTY = Budget(tokens=1_000_000)
EACH = Budget(tokens=20_000)


def questions(count=6, **more):
    return [
        Question(id=f"q{k}", question=f"How many are in {k}?", gold="3", **more)
        for k in range(count)
    ]


def run(out, contenders, asked=None, **more):
    given = {
        "budget": PLENTY, "request": EACH, "model": Scripted(), "max_output_tokens": 100, **more,
    }  # fmt: skip
    return bench(asked or questions(), contenders, out, **given)


def entry(recipe, **limits):
    return ClassPolicy(**{**recipe.model_dump(), "budget": limits})


def outcomes(out):
    return {(one.id, one.setting, one.run): one for one in read_outcomes(out)}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "runs.jsonl"


def test_every_contender_answers_every_question_as_often_as_was_asked(out):
    done = run(out, {"one": ONE, "vote": VOTE}, runs=2)
    found = outcomes(out)
    assert (done.done, done.wanted, done.failed, done.cut_off_by) == (24, 24, 0, None)
    assert len(found) == 24
    assert all(one.correct and one.answer == "3" for one in found.values())
    assert {one.usage.calls for key, one in found.items() if key[1] == "vote"} == {5}
    assert found["q0", "vote", 0].votes == {"3": 5}
    assert done.usage.calls == 12 * (1 + 5)


def test_what_is_in_the_file_is_not_run_again_and_more_can_be_added(out):
    run(out, {"one": ONE}, questions(4))
    model = Scripted()
    done = run(out, {"one": ONE, "vote": VOTE}, questions(6), model=model)
    assert (done.done, done.wanted) == (12, 12)
    assert len(model.calls) == 2 * 1 + 6 * 5
    assert len(outcomes(out)) == 12


def test_a_line_that_was_half_written_is_run_again(out):
    run(out, {"one": ONE}, questions(3))
    out.write_bytes(out.read_bytes()[:-20])
    assert len(list(out.read_bytes().splitlines())) == 4
    assert run(out, {"one": ONE}, questions(3)).usage.calls == 1
    assert len(outcomes(out)) == 3


def test_another_contender_of_the_same_name_is_refused(out):
    run(out, {"one": ONE})
    with pytest.raises(ValueError, match=r"outcomes of another 'one': .* \(it differs in recipe\)"):
        run(out, {"one": VOTE})
    with pytest.raises(ValueError, match=r"differs in request"):
        run(out, {"one": ONE}, request=Budget(calls=3))
    assert read_contenders(out)["one"].recipe == ONE


def test_the_budget_of_the_whole_is_kept_and_all_contenders_have_a_question_first(out):
    budget = Budget(tokens=800)
    done = run(out, {"one": ONE, "vote": VOTE}, budget=budget, request=Budget(tokens=700))
    assert done.cut_off_by == "tokens"
    assert 100 < done.usage.tokens <= 800
    asked = [one.id for one in read_outcomes(out)]
    whole = [name for name in dict.fromkeys(asked) if asked.count(name) == 2]
    assert len(dict.fromkeys(asked)) - len(whole) <= 1
    more = run(out, {"one": ONE, "vote": VOTE}, request=Budget(tokens=700))
    assert (more.done, more.cut_off_by) == (12, None)


def test_a_request_that_its_own_budget_cuts_off_is_an_outcome(out):
    model = Scripted(answers=("I do not know. " * 40 + "The answer is 3",))
    run(out, {"vote": VOTE}, questions(1), model=model, request=Budget(calls=2))
    (one,) = read_outcomes(out)
    assert (one.status, one.cut_off_by, one.usage.calls) == ("cut_off", "calls", 2)


def test_a_request_without_any_answer_under_its_budget_is_an_outcome(out):
    run(out, {"one": ONE}, questions(1), request=Budget(tokens=3))
    (one,) = read_outcomes(out)
    assert (one.status, one.cut_off_by, one.answer, one.correct) == (
        "cut_off", "tokens", None, False,
    )  # fmt: skip


def test_runs_that_failed_are_told_and_tried_again(out):
    done = run(out, {"one": ONE}, questions(4), model=Scripted(fail=1.0))
    assert (done.done, done.failed) == (0, 4)
    assert "the scripted failure" in done.error
    assert run(out, {"one": ONE}, questions(4)).done == 4


def test_a_model_that_only_fails_ends_it(out):
    with pytest.raises(SamplingError, match=r"1\d runs in a row failed"):
        run(out, {"one": ONE}, questions(40), model=Scripted(fail=1.0))


def test_classes_are_told_to_policies_and_their_budgets_are_kept(out):
    policy = Policy(
        default_class="easy",
        classes={
            "easy": entry(ONE, tokens=500),
            "hard": entry(VOTE, tokens=900, calls=3),
        },
    )  # fmt: skip
    asked = [*questions(2, task_class="easy"), *questions(2, task_class="hard")]
    run(out, {"policy": policy}, asked, request=None)
    found = list(read_outcomes(out))
    assert {(one.task_class, one.route, one.usage.calls) for one in found} == {
        ("easy", "easy", 1), ("hard", "hard", 3),
    }  # fmt: skip


def test_graphs_of_ones_own_take_part(out):
    graph = self_consistency(Scripted(), max_samples=3, stop="fixed")
    run(out, {"mine": graph, "compiled": graph.compile()}, questions(2))
    assert {one.usage.calls for one in read_outcomes(out)} == {3}


def test_a_recording_is_played_in_another_order_in_each_run_and_judged_as_it_was(tmp_path):
    recorded = many(20, 12)
    asked = [Question(id=q.id, question=q.question, gold=q.gold) for q in recorded]
    model = ReplayModel(questions=tuple(recorded))
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for file in files:
        bench(asked, {"vote": VOTE}, file, budget=PLENTY, request=EACH, model=model, runs=3)
    first, again = ({k: v.answer for k, v in outcomes(file).items()} for file in files)
    assert first == again
    assert len({tuple(first[f"q{k}", "vote", run] for k in range(20)) for run in range(3)}) > 1
    assert all(
        one.correct == (one.answer == "3") for one in outcomes(files[0]).values() if one.answer
    )


def test_it_runs_inside_a_running_loop_and_tells_how_far_it_is(out):
    told = []
    asyncio.run(
        abench(
            questions(3), {"one": ONE}, out, budget=PLENTY, request=EACH, model=Scripted(),
            on_progress=told.append,
        )
    )  # fmt: skip
    assert told[0].done == 0
    assert told[-1].done == told[-1].wanted == 3
    assert [one.done for one in told] == sorted(one.done for one in told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"runs": 0}, "runs must be at least 1, got 0"),
        ({"max_parallel": 0}, "max_parallel must be at least 1, got 0"),
        ({"request": None}, "one has no budget of its own"),
        ({"shown": "sideways"}, 'shown must be "turns" or "message"'),
        ({"contenders": {}}, "contenders must hold at least one"),
        ({"asked": [Question(id="q", question="Why?")]}, "neither a gold answer nor a verifier"),
        (
            {"contenders": {"best": Recipe(technique="best_of_n")}},
            "best: best_of_n needs a verifier",
        ),
        (
            {"contenders": {"x": Recipe(technique="self_consistency", arguments={"maximum": 3})}},
            "x: self_consistency takes no 'maximum'",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_any_call(out, change, told):
    model = Scripted()
    contenders = change.pop("contenders", {"one": ONE})
    with pytest.raises(ValueError, match=told):
        run(out, contenders, change.pop("asked", None), model=model, **change)
    assert not model.calls
    assert not out.exists()


def test_a_file_of_something_else_is_left_alone(out):
    out.write_text('{"name": "not ours"}\n')
    with pytest.raises(ValueError, match="line 1"):
        run(out, {"one": ONE})
    assert out.read_text() == '{"name": "not ours"}\n'


def test_an_outcome_that_comes_twice_is_told_with_its_line(out):
    run(out, {"one": ONE}, questions(1))
    append_outcome(out, next(read_outcomes(out)))
    with pytest.raises(ValueError, match="line 3: 'one' on question 'q0' of all, run 0, was there"):
        list(read_outcomes(out))
