import pytest

from tscale_graph.stopping import (
    RULES,
    Beta,
    Dirichlet,
    ExpectedImprovement,
    FirstToFinish,
    FirstToLeadBy,
    Sprt,
    ValueOfInformation,
    Window,
    stopping_rule,
)


def test_every_name_makes_the_rule_of_that_name():
    assert [stopping_rule(name).name for name in RULES] == list(RULES)
    assert stopping_rule(Beta(0.8)) == Beta(0.8)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("beta:0.9", Beta(0.9)),
        ("dirichlet:0.9", Dirichlet(0.9)),
        ("window:8", Window(8)),
        ("sprt:0.4", Sprt(solvable=0.4)),
        ("first_to_lead_by:4", FirstToLeadBy(4)),
        ("first_to_finish:5", FirstToFinish(5)),
        ("value_of_information:0.0001", ValueOfInformation(0.0001)),
        ("expected_improvement:1e-5", ExpectedImprovement(1e-5)),
    ],
)
def test_a_name_may_carry_its_main_parameter(text, rule):
    assert stopping_rule(text) == rule


@pytest.mark.parametrize(
    ("stop", "complaint"),
    [
        ("never", "stop must be one of fixed, beta, dirichlet, .*got 'never'"),
        ("never:3", "stop must be one of fixed, beta, dirichlet, .*got 'never:3'"),
        (3, "stop must be one of fixed, beta, .* or a rule, got 3"),
        ("fixed:3", "fixed takes no value, got 'fixed:3'"),
        ("window:x", "stop='window:x': invalid literal"),
        ("beta:2", r"stop='beta:2': confidence must be between 0\.5 and 1, got 2\.0"),
    ],
)
def test_a_wrong_name_or_value_is_answered_with_what_would_be_right(stop, complaint):
    with pytest.raises(ValueError, match=complaint):
        stopping_rule(stop)
