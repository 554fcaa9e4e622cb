"""What the benchmark of thinking makes of its measurements."""

import pytest

from tests.benchmarks.thinking import Row, interval, samples_for, table
from tests.recordings.families import EQUATIONS
from tscale_graph import Result, Usage


def row(name, right, tokens):
    usage = Usage(calls=1, input_tokens=tokens)
    result = Result(
        answer="1", text="1", status="complete", cut_off_by=None, usage=usage,
        technique="scripted", candidates=[], notes=[],
    )  # fmt: skip
    return Row(name, right, [result] * len(right))


@pytest.mark.parametrize(
    ("tokens", "samples"), [(50, 1), (119, 1), (120, 2), (260, 16), (300, 16), (369, 16), (370, 17)]
)
def test_a_vote_pays_for_the_prompt_once_for_each_request(tokens, samples):
    assert samples_for(tokens, prompt=100, output=10) == samples


def test_the_interval_is_of_the_questions_and_holds_the_mean():
    assert interval([1.0] * 20) == (1.0, 1.0, 1.0)
    mean, low, high = interval([0.0, 1.0] * 30)
    assert 0.3 < low < mean == 0.5 < high < 0.7


def test_the_table_compares_each_row_with_one_pass_question_by_question():
    rows = [row("one pass", [True, False], 100), row("thought", [True, True], 2_000)]
    *_, one, thought = table(EQUATIONS, rows).splitlines()
    assert one == "| one pass | 50% (0%–100%) |  | 100 |"
    assert thought == "| thought | 100% (100%–100%) | +50% (+0% to +100%) | 2,000 |"
