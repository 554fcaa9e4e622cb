"""What is saved is loaded as the same, as YAML and as JSON."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policies import policies, values
from tscale_graph.policy import ClassPolicy, Policy
from tscale_graph.policy_files import PolicyError, read_text, write_text


@given(policies(), st.booleans())
@pytest.mark.slow
def test_any_valid_policy_that_is_saved_and_loaded_is_the_same(policy, as_json):
    name = "policy.json" if as_json else "policy.yaml"
    text = policy.text(as_json=as_json)
    assert Policy.read(*read_text(text, name=name)) == policy


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_any_json_reads_as_it_does_anywhere_else(data):
    for ascii_only in (True, False):
        text = json.dumps(data, ensure_ascii=ascii_only, indent="\t")
        assert read_text(text, name="policy.json")[0] == json.loads(text)
    assert read_text(write_text(data, as_json=False), name="policy.yaml")[0] == data


@given(st.integers(0, 2**32))
def test_a_policy_file_with_anything_in_it_is_read_or_refused_in_one_line(seed):
    draws = random.Random(seed)
    text = list(Policy.default().text())
    for _ in range(draws.randint(1, 4)):
        at = draws.randrange(len(text))
        text[at : at + draws.randint(0, 3)] = draws.choice("{}[]:,&*!|>%@`#'\"-?\t\n\0é ab1")
    try:
        Policy.read(*read_text("".join(text), name="policy.yaml"))
    except PolicyError as error:
        for line in error.problems:
            assert line.startswith("policy.yaml:")
            assert len(line.splitlines()) == 1


def test_what_is_no_plain_data_cannot_be_saved(tmp_path):
    entry = ClassPolicy(technique="best_of_n", arguments={"verifier": lambda q, a: True})
    policy = Policy(classes={"a": entry}, default_class="a")
    with pytest.raises(ValueError, match=r"class a\.arguments\.verifier must be plain data"):
        policy.save(tmp_path / "policy.yaml")
    assert list(tmp_path.iterdir()) == []
    infinite = ClassPolicy(technique="x", arguments={"temperature": float("inf")})
    with pytest.raises(ValueError, match=r"arguments\.temperature must be finite"):
        Policy(classes={"a": infinite}, default_class="a").text()


def test_tuples_are_lists_as_a_file_gives_them_back():
    entry = ClassPolicy(technique="extended_thinking", arguments={"markers": ("<a>", "</a>")})
    assert entry.arguments == {"markers": ["<a>", "</a>"]}
