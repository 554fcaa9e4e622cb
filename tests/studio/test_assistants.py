"""Which graph a run, or somebody who looks at it, gets for its settings."""

from types import SimpleNamespace

import pytest

from tscale_graph import studio
from tscale_graph.studio.forms import ASSISTANTS

RUNS = {"model": "openai:fake"}
NEEDED = {
    "best_of_n": {"verifier": "equation"},
    "beam_search": {"scorer": "countdown"},
    "ab_mcts": {"models": "openai:fake,openai:other", "verifier": "equation"},
    "cascade": {"rungs": "openai:fake,openai:other"},
}
POLICY = """
default_class: sums
classes:
  sums: {technique: self_consistency, budget: {calls: 4}}
  proofs: {technique: refine, budget: {calls: 4}}
"""


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def settings_of(name):
    return {**(RUNS if name not in ("ab_mcts", "cascade") else {}), **NEEDED.get(name, {})}


async def run(name, context, *, configurable=None):
    running = SimpleNamespace(context=context)
    config = {"configurable": configurable or {}}
    return await getattr(studio, name)(config, SimpleNamespace(execution_runtime=running))


async def look(name, **configurable):
    config = {"configurable": configurable}
    return await getattr(studio, name)(config, SimpleNamespace(execution_runtime=None))


def nodes(graph):
    return set(graph.get_graph(xray=True).nodes)


@pytest.mark.parametrize("name", ASSISTANTS)
async def test_what_is_drawn_is_what_runs(name):
    settings = settings_of(name)
    drawn, ran = await look(name, **settings), await run(name, settings)
    if name == "router":  # not every model thinks, but a name might: classes that need it fall back
        assert nodes(drawn) - nodes(ran) == {n for n in nodes(drawn) if n.startswith("sequential:")}
    else:
        assert nodes(drawn) == nodes(ran)
    assert nodes(await look(name)), "and without any settings there is a picture too"
    assert drawn.get_context_jsonschema() == ran.get_context_jsonschema()


async def test_settings_add_their_nodes_to_the_picture():
    assert "rank" not in nodes(await look("self_consistency"))
    assert "rank" in nodes(await look("self_consistency", vote="universal"))


async def test_looking_loads_no_model(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    assert nodes(await look("self_consistency", model="openai:fake"))
    with pytest.raises(
        ValueError, match=r"^self_consistency: model 'openai:unkeyed' cannot be set"
    ):
        await run("self_consistency", {"model": "openai:unkeyed"})


async def test_equal_settings_share_a_graph_and_others_do_not():
    one = await run("self_consistency", {**RUNS, "max_samples": 5})
    assert await run("self_consistency", {"max_samples": 5, **RUNS, "seed": ""}) is one
    assert await run("self_consistency", {**RUNS, "max_samples": 5, "stream_samples": True}) is one
    assert await run("self_consistency", {**RUNS, "max_samples": 6}) is not one


async def test_no_more_than_64_graphs_are_kept():
    first = await look("self_consistency", max_samples=1)
    for samples in range(2, 66):
        await look("self_consistency", max_samples=samples)
    assert await look("self_consistency", max_samples=1) is not first


async def test_a_budget_as_a_whole_is_taken_for_its_limits():
    whole = await run("self_consistency", {**RUNS, "budget": {"calls": 3}})
    limits = {"budget_calls": 3, "budget_seconds": None}
    assert await run("self_consistency", {**RUNS, **limits}) is whole


async def test_where_the_server_has_no_context_the_configuration_has_the_settings():
    by_context = await run("self_consistency", {**RUNS, "max_samples": 5})
    configured = {**RUNS, "max_samples": 5, "thread_id": "1", "graph_id": "self_consistency"}
    assert await run("self_consistency", None, configurable=configured) is by_context


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        (
            "self_consistency",
            {"max_samples": 0, "temperature": 3},
            r"^self_consistency: max_samples: .* greater than or equal to 1, got 0 \(and 1 more\)$",
        ),
        (
            "self_consistency",
            {"max_smaples": 3},
            "^self_consistency has no setting 'max_smaples': did you mean max_samples[?]$",
        ),
        (
            "self_consistency",
            {"stop": "first_pass"},
            '^self_consistency: stop="first_pass" needs a verifier: use best_of_n$',
        ),
        ("self_consistency", {"budget": {"calls": 0}}, "^budget: calls: .* greater than 0, got 0$"),
        ("best_of_n", {}, "^best_of_n needs verifier, such as equation, countdown, judge:"),
        ("cascade", {"rungs": "openai:fake"}, "^cascade: .*rungs"),
        ("router", {"policy": "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
async def test_wrong_settings_end_a_run_in_one_line_and_leave_a_form_to_correct_them(
    name, wrong, told
):
    with pytest.raises((ValueError, OSError), match=told) as raised:
        await run(name, wrong)
    assert "\n" not in str(raised.value)
    assert (await look(name, **wrong)).get_context_jsonschema()["properties"]


async def test_the_router_has_the_classes_of_its_policy_file(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    for graph in (
        await look("router", policy=str(file)),
        await run("router", {**RUNS, "policy": str(file)}),
    ):
        assert {"sums", "proofs", "classify", "report"} <= set(graph.nodes)
        assert "samplable" not in graph.nodes
