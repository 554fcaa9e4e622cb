"""The published schema: what editors say of a policy file."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.policies import POLICY
from tscale_graph.cli.policy import schema_text
from tscale_graph.policy import default_text
from tscale_graph.techniques.named import TECHNIQUES
from tscale_graph.techniques.policy_schema import policy_schema

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "examples/policy.yaml").read_text()


@pytest.fixture(scope="module")
def validator():
    schema = policy_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_file_is_up_to_date():
    published = (ROOT / "docs/policy.schema.json").read_text()
    assert published == schema_text(), "run: tscale policy schema > docs/policy.schema.json"


def test_the_example_names_the_published_file():
    first = EXAMPLE.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (
        ROOT / "examples" / first.partition("=")[2]
    ).resolve() == ROOT / "docs/policy.schema.json"


@pytest.mark.parametrize(
    "text", [EXAMPLE, POLICY, default_text()], ids=["example", "test", "default"]
)
def test_what_loads_keeps_to_the_schema(text, validator):
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("part", "by"),
    [
        ("max_samples: 4", "samples: 4"),
        ("max_samples: 4", "max_samples: four"),
        ("technique: ab_mcts", "technique: mcts"),
        ("thinking_tokens: 4096", "tokens: 4096"),
        ("tokens: 20000", "tokens: -5"),
        ("  checked:", "  che cked:"),
        ("verifier: equation", "verifiers: equation"),
    ],
)
def test_what_is_misspelt_does_not(part, by, validator):
    assert part in POLICY
    assert not validator.is_valid(yaml.safe_load(POLICY.replace(part, by, 1)))


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_every_argument_says_what_it_is_for(technique):
    properties = policy_schema()["$defs"][technique]["properties"]
    assert {"answer", "temperature", "max_output_tokens"} <= {*properties}
    assert all(one["description"] for one in properties.values()), properties


def test_it_is_json_that_may_name_its_own_schema(validator):
    validator.validate({"$schema": "x", **json.loads(json.dumps(yaml.safe_load(POLICY)))})
