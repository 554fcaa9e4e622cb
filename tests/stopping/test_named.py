import pytest

from tscale_graph.stopping import (
    RULES,
    AnswerPrior,
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
        (
            "value_of_information:1e-6,a=0.5,b=2,gamma=3",
            ValueOfInformation(1e-6, AnswerPrior(0.5, 2, 3)),
        ),
        ("value_of_information:,gamma=3", ValueOfInformation(None, AnswerPrior(gamma=3))),
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


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        ("value_of_information:1e-6,c=1", "after the price come a=, b= and gamma=, each once"),
        ("value_of_information:1e-6,a=1,a=2", "each once, got 'a=2'"),
        ("value_of_information:1e-6,a=0", "a must be positive, got 0"),
    ],
)
def test_a_prior_in_words_is_checked(stop, says):
    with pytest.raises(ValueError, match=says):
        stopping_rule(stop)
