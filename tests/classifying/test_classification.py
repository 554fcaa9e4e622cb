"""What classifiers return."""

from tscale_graph.budget import Usage
from tscale_graph.classifying import Classification


def test_a_low_confidence_takes_the_default_class_and_keeps_what_it_cost():
    unsure = Classification("verifiable", 0.4, "a guess", Usage(calls=1))
    assert unsure.or_default("simple", at_least=0.4) is unsure
    taken = unsure.or_default("simple", at_least=0.5)
    assert (taken.task_class, taken.confidence, taken.usage.calls) == ("simple", 0.4, 1)
    assert "verifiable at 0.40 only" in taken.reason
