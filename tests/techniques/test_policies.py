# ruff: noqa: E501 - a broken file and what is said of it are one line each
"""A policy file that cannot work is refused when it is loaded, with the line of what is wrong."""

import json

import pytest

from tests.policies import POLICY
from tscale_graph import Policy, router
from tscale_graph.policy import ClassPolicy
from tscale_graph.policy_files import PolicyError
from tscale_graph.techniques.policies import check_policy
from tscale_graph.techniques.routing.state import NODES


def problems(tmp_path, text, name="policy.yaml"):
    """What is wrong with a file, without its folder."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as raised:
        Policy.load(path)
    return [line.removeprefix(f"{tmp_path}/") for line in raised.value.problems]


def line_of(part, text):
    return text[: text.index(part)].count("\n") + 1


# What is replaced, by what, and the problem: where "@" is the line of what was put there.
BROKEN = [
    ("technique: best_of_n", "techniqe: best_of_n", "@:5: class checked has no 'techniqe': did you mean technique?"),
    ("technique: best_of_n", "technique: best_of_m", "@:5: technique of checked must be one of self_consistency, "),
    ("technique: best_of_n", "technique: best_of_m", ", got 'best_of_m': did you mean best_of_n?"),
    ("technique: best_of_n\n", "technique:\n", "@:5: class checked: technique must be a valid string, got None"),
    ("      n: 8", "      m: 8", "@:7: class checked: best_of_n takes no 'm': it must be one of model, verifier, n"),
    ("      n: 8", "      n_samples: 8", "@:7: class checked: best_of_n takes no 'n_samples': it must be one of"),
    ("max_samples: 4", "samples: 4", "@:7: class plain: self_consistency takes no 'samples': did you mean max_samples?"),
    ("max_samples: 4", "max_samples: 0", "@:7: class plain: max_samples must be at least 1, got 0"),
    ("max_samples: 4", "max_samples: four", "@:7: class plain: max_samples must be a whole number, got 'four'"),
    ("max_samples: 4", "temperature: 3", "@:7: class plain: temperature must be between 0 and 2, got 3"),
    ("max_samples: 4", "temperature: [1]", "@:7: class plain: temperature must be between 0 and 2, got [1]"),
    ("max_samples: 4", "verifier: equation", "@:7: class plain: self_consistency takes no verifier"),
    ("stop: fixed", "stop: fixd", "@:7: class plain: stop must be one of fixed, beta, "),
    ("stop: fixed", "stop: {fixed: 3}", "@:7: class plain: stop must be one of fixed, beta, "),
    ("    arguments:\n      max_samples: 4\n      stop: fixed", "    arguments: 4", "@:5: class plain: arguments must be a mapping, got 4"),
    ("tokens: 20000", "tokens: -5", "@:7: class plain: budget.tokens must be greater than 0, got -5"),
    ("tokens: 20000", "tokens: 0", "@:7: class plain: budget.tokens must be greater than 0, got 0"),
    ("tokens: 20000", "tokens: many", "@:7: class plain: budget.tokens must be a whole number, got 'many'"),
    ("tokens: 20000", "euros: 5", "@:7: class plain: budget has no 'euros': it must be one of calls, tokens, usd, seconds"),
    ("tokens: 20000", "token: 5", "@:7: class plain: budget has no 'token': did you mean tokens?"),
    ("    budget:\n      tokens: 20000", "    budget: {}", "@:5: class plain: budget: a budget needs at least one of"),
    ("    budget:\n      tokens: 20000", "    budget: 20000", "@:5: class plain: budget must be a mapping of calls, tokens"),
    ("    verifier: equation\n", "    verifier: equatoin\n", "@:5: class checked: verifier must be one of equation, countdown"),
    ("    verifier: equation\n", "    verifier: json_schema:nowhere.json\n", "@:5: class checked: json_schema cannot read nowhere.json"),
    ("    verifier: equation\n", "    verifier: judge:a\n    select: max\n", "13:5: class checked has no 'select': it must be one of"),
    ("    verifier: equation\n    model:", "    verifiers: equation\n    model:", "@:5: class checked has no 'verifiers': did you mean verifier?"),
    ("fallback: plain", "fallback: plane", "@:5: class checked: fallback must be one of plain, checked, searched, got 'plane': did you mean plain?"),
    ("fallback: plain", "fallback: searched", "@:5: class checked: its fallbacks go in circles: checked → searched → checked"),
    ("fallback: plain", "fallback: checked", "@:5: class checked: its fallbacks go in circles: checked → checked"),
    ("    fallback: checked\n", "", "22:5: class searched: ab_mcts needs a verifier, and the class has no fallback"),
    ("default_class: plain", "default_class: plane", "@:1: default_class must be one of plain, checked, searched, got 'plane'"),
    ("default_class: plain\n", "", "1:1: default_class is missing"),
    ("default_class: plain\n", "default: plain\n", "@:1: the policy has no 'default': did you mean default_class?"),
    ("  searched:", "  messages:", "@:3: a class cannot be called messages: the router has a part of that name"),
    ("  checked:", "  che cked:", "@:3: a class must be called by letters, digits, _ and -, got 'che cked'"),
    ("  checked:", "  1:", "@:3: a key must be text: put it in quotes"),
    ("      technique: extended_thinking", "      technique: thinking", "@:7: class checked: model.technique must be one of self_consistency"),
    ("thinking_tokens: 4096", "thinking_tokens: 0", "@:9: class checked: model: thinking_tokens must be at least 1, got 0"),
    ("thinking_tokens: 4096", "tokens: 4096", "@:9: class checked: model: extended_thinking takes no 'tokens'"),
    ("      model: openai:gpt-5-mini\n", "      model: {technique: refine}\n", "@:7: class checked: model: extended_thinking needs a chat model, got the technique refine"),
    ("      model: openai:gpt-5-mini\n", "      model: 5\n", "@:7: class checked: model.model must be the name of a model, or a technique with its model, got 5"),
    ("models: [openai:gpt-5-mini, openai:gpt-5]", "models: []", "@:5: class searched: models must not be empty"),
    ("models: [openai:gpt-5-mini, openai:gpt-5]", "models: [a]\n    model: b", "@:5: class searched: give model or models, not both"),
    ("models: [openai:gpt-5-mini, openai:gpt-5]", "models:\n    - a\n    - technique: refine\n      arguments: {max: 3}", "class searched: models[1]: refine takes no 'max'"),
    ("models: [openai:gpt-5-mini, openai:gpt-5]", "models: [a]\n    verifier: pairwise", "class searched: verifier must be callable"),
    ("technique: best_of_n", "technique: best_of_n\n    models: [a, b]", "class checked: give model or models, not both"),
    ("technique: self_consistency", "technique: self_consistency\n    models: [a, b]", "class plain: self_consistency takes model, got models"),
    ("technique: self_consistency", "technique: beam_search\n    verifier: equation", "class plain: "),
    ("technique: self_consistency", "technique: self_consistency\n    rungs: [a, b]", "class plain: self_consistency takes model, got rungs"),
    ("stop: fixed", "max_samples: 5", "@:7: max_samples is there more than once"),
    ("stop: fixed", "stop: !!python/object/apply:os.getcwd []", "@:13: takes no tags, got tag:yaml.org,2002:python/object/apply:os.getcwd"),
    ("stop: fixed", "stop: !rule fixed", "@:13: takes no tags, got !rule"),
    ("stop: fixed", "stop: [fixed", ": expected ',' or ']'"),
    ("stop: fixed", "\tstop: fixed", "@:7: found character '\\t' that cannot start any token"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "by", "says"), BROKEN)
def test_a_broken_file_is_refused_with_the_line_of_what_is_wrong(part, by, says, tmp_path):
    assert part in POLICY
    text = POLICY.replace(part, by, 1)
    wrong = problems(tmp_path, text)
    if says.startswith("@"):
        says = f"{line_of(by, text)}{says[1:]}"
    assert any(says in line for line in wrong), wrong
    for line in wrong:
        assert line.startswith("policy.yaml:")
        assert "\n" not in line


def test_a_file_that_is_whole_is_loaded(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    policy = Policy.load(path)
    assert policy.classes["checked"].model.arguments == {"thinking_tokens": 4096}
    assert policy.classes["searched"].models == ["openai:gpt-5-mini", "openai:gpt-5"]
    policy.save(tmp_path / "policy.json")
    assert Policy.load(tmp_path / "policy.json") == policy


def test_json_has_lines_too(tmp_path):
    data = {"$schema": "policy.schema.json", "default_class": "a"}
    data["classes"] = {"a": {"technique": "self_consistency", "arguments": {"max_samples": 0}}}
    text = json.dumps(data, indent="\t")
    where = line_of('"max_samples"', text)
    assert problems(tmp_path, text, "policy.json") == [
        f"policy.json:{where}:5: class a: max_samples must be at least 1, got 0"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "policy.yaml:1:1: is empty"),
        ("- a", "policy.yaml:1:1: the policy must be a mapping of default_class, classes, got ['a']"),
        ("a: &a [*a]", "policy.yaml:1:4: is too large, or nested too deeply"),
        ("[" * 20_000, "policy.yaml:1:1: is nested too deeply"),
        ("a: 1\n---\nb: 2", "policy.yaml:2:1: but found another document"),
        ("a: \x07", "policy.yaml:1:1: unacceptable character #x0007"),
        ("{default_class: a, classes: {}}", "policy.yaml:1:20: classes must not be empty"),
    ],
)  # fmt: skip
def test_what_is_no_policy_at_all_is_told_in_one_line(text, says, tmp_path):
    assert says in problems(tmp_path, text)[0]


def test_a_file_that_is_no_text_or_not_there(tmp_path):
    path = tmp_path / "policy.yaml"
    with pytest.raises(PolicyError, match=r"policy\.yaml: No such file"):
        Policy.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match=r"policy\.yaml:1:1: must be text in UTF-8"):
        Policy.load(path)


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path):
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    assert "is too large" in problems(tmp_path, "\n".join(lines))[0]


def test_everything_that_is_wrong_is_told_in_the_order_of_the_file(tmp_path):
    text = POLICY.replace("max_samples", "samples").replace("n: 8", "n: 0")
    text = text.replace("technique: ab_mcts", "technique: mcts")
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError) as raised:
        Policy.load(path)
    assert [int(line.split(":")[1]) for line in raised.value.problems] == [6, 19, 22]
    assert str(raised.value) == f"{raised.value.problems[0]} (and 2 more)"


def test_anchors_and_merges_say_what_classes_have_in_common(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(
        "default_class: a\nclasses:\n  a: &a\n    technique: self_consistency\n"
        "    budget: {calls: 3}\n  b:\n    <<: *a\n    technique: refine\n"
    )
    assert Policy.load(path).classes["b"] == ClassPolicy(technique="refine", budget={"calls": 3})


@pytest.mark.parametrize(
    "models",
    [
        "rungs: [openai:gpt-5-nano, {technique: extended_thinking, model: openai:gpt-5}]",
        "model: openai:gpt-5-nano, openai:gpt-5",
        "arguments: {rungs: 'openai:gpt-5-nano,openai:gpt-5'}",
    ],
)
def test_a_ladder_is_a_list_of_rungs_or_names_with_commas(models, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(f"default_class: a\nclasses:\n  a:\n    technique: cascade\n    {models}\n")
    assert Policy.load(path).classes["a"].technique == "cascade"


def test_a_ladder_of_one_rung_is_none(tmp_path):
    text = "default_class: a\nclasses:\n  a:\n    technique: cascade\n    rungs: [b]\n"
    (line,) = problems(tmp_path, text)
    assert line.startswith("policy.yaml:5:5: class a: rungs must")


def test_classes_cannot_be_called_what_the_router_calls_its_own_parts():
    for name in ("classify", "report", "messages", "budget", "technique", "result"):
        policy = Policy(classes={name: ClassPolicy(technique="refine")}, default_class=name)
        with pytest.raises(PolicyError, match=f"a class cannot be called {name}"):
            router(policy)
    assert {*NODES} == {*router(model="local").nodes} - {*Policy.default().classes}


def test_a_policy_given_as_a_dict_is_refused_in_one_line():
    with pytest.raises(PolicyError, match=r"^class a has no 'modle': did you mean model\?$"):
        router({"default_class": "a", "classes": {"a": {"technique": "refine", "modle": "b"}}})


def test_what_can_only_be_seen_with_the_real_models_has_its_line_as_well(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    with pytest.raises(PolicyError, match=r"policy\.yaml:4:5: class plain: model must be a chat"):
        router(Policy.load(path), model="no:model")


def test_the_routers_verifier_serves_a_class_that_has_none():
    policy = Policy(classes={"a": ClassPolicy(technique="best-of-n")}, default_class="a")
    with pytest.raises(
        PolicyError, match="no class of the policy can be served: class a: best_of_n"
    ):
        check_policy(policy)
    assert "a" in router(policy, model="local", verifier="equation").nodes


def test_nothing_of_a_model_is_loaded_to_check_a_policy(tmp_path, monkeypatch):
    monkeypatch.setattr("tscale_graph.models.loading._from_provider", lambda name: 1 / 0)
    monkeypatch.setattr("tscale_graph.models.embedded.embedded_model", lambda: 1 / 0)
    check_policy(Policy.default())
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("verifier: equation", "verifier: judge:openai:gpt-5"))
    Policy.load(path)
