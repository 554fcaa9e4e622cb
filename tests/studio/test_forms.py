"""Forms say what their techniques take, and nothing else."""

import inspect
import json
from pathlib import Path

import pytest

import tscale_graph
from tscale_graph import Budget, studio
from tscale_graph.studio.forms import ASSISTANTS, form
from tscale_graph.techniques.best_of_n import COMPARING
from tscale_graph.techniques.named import TECHNIQUES
from tscale_graph.techniques.stand_ins import NamedModel, judge_by_name, unloaded_verifier

ONLY_IN_PYTHON = {
    "lats": {"tools", "environment"},
    "extended_thinking": {"markers"},
    "cascade": {"needs_tools", "first"},
}
EXAMPLE = Path(__file__).parents[2] / "examples/studio/langgraph.json"
BEYOND = {"minimum": -1, "exclusiveMinimum": 0, "maximum": 1}
"""What leads from the end of a range out of it."""


def function(name):
    return getattr(tscale_graph, name)


def fields(name):
    return form(name).model_json_schema()["properties"]


def arguments(name):
    return {n: p for n, p in inspect.signature(function(name)).parameters.items() if n != "budget"}


def build(name, **given):
    """The technique by itself, with models and verifiers that nobody asks."""
    first, *_ = arguments(name)
    model = NamedModel(name="a model")
    given.setdefault(first, [model, model] if first in ("rungs", "models") else model)
    for verifier in ("verifier", "scorer"):
        if verifier in arguments(name) and name != "refine":
            given.setdefault(verifier, unloaded_verifier("a verifier"))
    return function(name)(**given)


def test_whatever_can_be_named_is_an_assistant_and_in_the_example():
    assert set(ASSISTANTS) == {*TECHNIQUES, "router"}
    assert set(studio.__all__) - {"form"} == set(ASSISTANTS)
    graphs = json.loads(EXAMPLE.read_text())["graphs"]
    assert graphs == {name: f"tscale_graph.studio:{name}" for name in graphs}
    assert set(graphs) == set(ASSISTANTS)


@pytest.mark.parametrize("name", ASSISTANTS)
def test_a_form_is_flat_and_says_something_of_every_field(name):
    for field, schema in fields(name).items():
        assert schema["type"] in ("string", "integer", "number", "boolean"), field
        assert schema["title"], field
        assert len(schema["description"].split()) > 1, field
        assert "None" not in schema["description"], field
        assert schema.get("default", "") is not None, field


@pytest.mark.parametrize("name", ASSISTANTS)
def test_a_form_has_every_argument_that_needs_no_python_with_its_default(name):
    found = form(name).model_fields
    more = {*(f"budget_{limit}" for limit in Budget.model_fields), "stream_samples"}
    assert set(found) == set(arguments(name)) - ONLY_IN_PYTHON.get(name, set()) | more
    for argument, parameter in arguments(name).items():
        if argument in found and parameter.default is not parameter.empty:
            assert found[argument].default == parameter.default, argument


@pytest.mark.parametrize("name", TECHNIQUES)
def test_numbers_have_the_ranges_that_the_technique_has(name):
    for field, schema in fields(name).items():
        if schema["type"] not in ("integer", "number") or field.startswith("budget_"):
            continue
        ends = {end: schema[end] for end in BEYOND if end in schema}
        assert {"minimum", "exclusiveMinimum"} & set(ends), f"{field} has no least value"
        for end, value in ends.items():
            if end != "exclusiveMinimum":
                build(name, **{field: value})
            with pytest.raises(ValueError, match=field):
                build(name, **{field: value + BEYOND[end]})


@pytest.mark.parametrize("name", TECHNIQUES)
def test_each_choice_of_a_field_is_one_that_the_technique_takes(name):
    for field, schema in fields(name).items():
        for choice in schema.get("enum", ()):
            pairwise = {"verifier": judge_by_name("pairwise")} if choice in COMPARING else {}
            build(name, **{field: choice}, **pairwise)


def test_limits_that_are_set_are_the_budget():
    filled_in = form("self_consistency")
    assert filled_in().stated_budget == Budget(calls=64, seconds=120)
    assert filled_in(budget_calls=3, budget_seconds=None).stated_budget == Budget(calls=3)
    assert filled_in(budget_calls=None, budget_seconds=None).stated_budget is None
    assert form("router")().stated_budget is None, "the classes of its policy have budgets"


def test_there_is_no_form_of_what_is_no_assistant():
    with pytest.raises(ValueError, match=r"^assistant must be one of self_consistency, .*'wake'$"):
        form("wake")
