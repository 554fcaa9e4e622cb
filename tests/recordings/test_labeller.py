"""Labelling a file of questions: what is kept, what is not asked for twice, what it costs."""

import gzip

import pytest

from tests.techniques.searching import billed
from tests.techniques.stepping import GOOD, QUESTION, solving
from tscale_graph.budget import Budget, Usage
from tscale_graph.candidates import SamplingError
from tscale_graph.recordings.files import read_recording
from tscale_graph.recordings.labeller import LabelledSoFar, alabel, label
from tscale_graph.recordings.questions import Example, Question
from tscale_graph.search.steps import StepSplitter, step_splitter
from tscale_graph.verifiers.process.labels import Shares
from tscale_graph.verifiers.process.rollouts import labelled_solutions

QUESTIONS = [Question(id=f"sum-{k}", question=QUESTION, gold="6") for k in range(4)]
PLENTY = Budget(calls=10_000)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "labels.jsonl.gz"


def there(out):
    return {q.id: q for q in read_recording(out, rollouts=True)}


async def test_every_completion_is_kept_and_the_labels_are_made_of_them(out):
    model, told = solving(), []
    state = await alabel(
        QUESTIONS, out, model=model, steps="line", budget=PLENTY, on_progress=told.append
    )
    assert (state.questions, state.wanted, state.cut_off_by) == (4, 4, None)
    assert state.completions == len(model.calls) == sum(len(q.samples) for q in there(out).values())
    assert state.usage.tokens == billed(model)
    assert [one.questions for one in told] == [0, 1, 2, 3, 4]
    for question in there(out).values():
        assert (question.question, question.gold, question.kind) == (QUESTION, "6", "number")
        solutions = list(labelled_solutions(question, Shares(), step_splitter("line")))
        assert len(solutions) == 6
        assert all(one.labels[-1].value == float(one.steps == GOOD) for one in solutions)
    plain = list(read_recording(out))
    assert [len(q.samples) for q in plain] == [6] * 4


async def test_a_file_that_is_complete_costs_nothing_to_make_again(out):
    model = solving()
    await alabel(QUESTIONS, out, model=model, steps="line", budget=PLENTY)
    calls = len(model.calls)
    again = await alabel(QUESTIONS, out, model=model, steps="line", budget=PLENTY)
    assert (again.questions, again.completions, again.usage.calls) == (4, 0, 0)
    assert len(model.calls) == calls


@pytest.mark.parametrize("calls", [1, 4, 9, 17])
async def test_the_budget_is_for_the_whole_run_and_the_next_one_goes_on(out, calls):
    model, spent = solving(), 0
    for _ in range(100):
        state = await alabel(QUESTIONS, out, model=model, steps="line", budget=Budget(calls=calls))
        assert state.usage.calls <= calls
        spent += state.usage.calls
        if state.cut_off_by is None:
            break
        assert state.cut_off_by == "calls"
    assert state.questions == 4
    assert spent == len(model.calls) == sum(len(q.samples) for q in there(out).values())


async def test_what_a_killed_run_was_writing_is_cut_off_and_the_rest_is_kept(out):
    model = solving()
    await alabel(QUESTIONS[:1], out, model=model, steps="line", budget=PLENTY)
    whole = out.read_bytes()
    out.write_bytes(whole + gzip.compress(b'{"id": "sum-1", "ques')[:-9])
    await alabel(QUESTIONS[:2], out, model=model, steps="line", budget=PLENTY)
    assert out.read_bytes().startswith(whole)
    assert list(there(out)) == ["sum-0", "sum-1"]


async def test_more_solutions_are_taken_beside_those_that_are_there(out):
    model = solving()
    await alabel(QUESTIONS, out, model=model, steps="line", budget=PLENTY, solutions=3)
    calls = len(model.calls)
    for _ in range(2):
        await alabel(QUESTIONS, out, model=model, steps="line", budget=PLENTY, solutions=8)
    assert list(there(out)) == [question.id for question in QUESTIONS]
    for question in there(out).values():
        assert sum(not sample.given for sample in question.samples) == 8
    assert sum(len(q.samples) for q in there(out).values()) == len(model.calls) > calls
    assert [len(q.samples) for q in read_recording(out)] == [8] * 4


async def test_another_question_of_the_same_id_is_refused_before_any_call(out):
    model = solving()
    await alabel(QUESTIONS, out, model=model, steps="line", budget=PLENTY)
    calls = len(model.calls)
    for changed in ({"question": "What is 5 + 5?"}, {"gold": "10"}):
        other = [QUESTIONS[0], QUESTIONS[1].model_copy(update=changed)]
        (name,) = changed
        with pytest.raises(ValueError, match=f"has question 'sum-1' with another {name}"):
            await alabel(other, out, model=model, steps="line", budget=PLENTY)
    with pytest.raises(ValueError, match="with another messages"):
        await alabel(QUESTIONS, out, model=model, steps="line", budget=PLENTY, system="Sum.")
    assert len(model.calls) == calls


async def test_a_question_of_which_nothing_can_be_made_does_not_stop_the_others(out):
    def broken(question, answer):
        if "7" in question:
            raise RuntimeError("out of order")
        return answer == "6"

    asked = [
        Question(id="bad", question="How many are 7 and 7?"),
        Question(id="good", question=QUESTION),
    ]
    state = await alabel(
        asked, out, model=solving(), steps="line", budget=PLENTY, verifier=broken, answer="number"
    )
    assert (state.questions, state.wanted) == (1, 2)
    (note,) = state.notes
    assert note.startswith("question 'bad': 6 completions: it could not be judged: RuntimeError")
    assert list(there(out)) == ["good"]


async def test_a_splitter_that_no_name_tells_of_is_refused(out):
    splitter = StepSplitter("delimiter", "\n", min_characters=10)
    with pytest.raises(ValueError, match="steps of a label file must have a name"):
        await alabel(QUESTIONS, out, model=solving(), steps=splitter, budget=PLENTY)


async def test_a_file_of_another_model_or_temperature_is_refused(out):
    await alabel(QUESTIONS[:1], out, model=solving(), steps="line", budget=PLENTY)
    with pytest.raises(ValueError, match=r"is of scripted at temperature 0\.8, got scripted at 1"):
        await alabel(QUESTIONS, out, model=solving(), budget=PLENTY, temperature=1.0)


async def test_a_model_that_fails_is_told_with_the_question(out):
    with pytest.raises(SamplingError, match=r"question 'sum-0': .*the scripted failure"):
        await alabel(QUESTIONS, out, model=solving(fail=1.0), steps="line", budget=PLENTY)


async def test_examples_and_a_system_prompt_come_before_the_question(out):
    model = solving()
    shown = [Example(question="How many are 1 and 1?", answer="1 + 1 = 2\nThe answer is 2.")]
    await alabel(
        QUESTIONS[:1], out, model=model, steps="line", budget=PLENTY, examples=shown, system="Sum."
    )
    assert [m.type for m in model.prompts[0]] == ["system", "human", "ai", "human"]
    assert [role for role, _ in there(out)["sum-0"].messages] == ["system", "human", "ai", "human"]


async def test_questions_without_anything_to_judge_by_are_refused_before_any_call(out):
    model = solving()
    bare = [*QUESTIONS, Question(id="bare", question=QUESTION)]
    with pytest.raises(ValueError, match="question 'bare' has neither"):
        await alabel(bare, out, model=model, budget=PLENTY)
    assert not model.calls
    assert not out.exists()


def test_it_works_from_synchronous_code(out):
    assert label(QUESTIONS[:1], out, model=solving(), steps="line", budget=PLENTY).questions == 1


def test_what_is_left_is_what_the_questions_so_far_have_cost():
    spent = Usage(calls=30, input_tokens=900, output_tokens=300, usd=0.5, seconds=10)
    state = LabelledSoFar(questions=7, wanted=17, done_here=5, usage=spent)
    assert state.left == Usage(calls=60, input_tokens=1800, output_tokens=600, usd=1.0, seconds=20)
    assert LabelledSoFar(questions=2, wanted=17).left is None


async def test_a_file_that_cannot_be_written_is_refused_before_any_call(tmp_path):
    model = solving()
    for out, told in ((tmp_path / "no" / "l.jsonl", "there is no folder"), (tmp_path, "a folder")):
        with pytest.raises(ValueError, match=told):
            await alabel(QUESTIONS, out, model=model, steps="line", budget=PLENTY)
    assert not model.calls
