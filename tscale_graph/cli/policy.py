"""`tscale policy`: look at a policy, check a file, and the schema that editors check it with."""

from __future__ import annotations

import argparse
import json
import sys

from tscale_graph.cli.main import COMPLETE, WRONG_USE
from tscale_graph.policy import Policy, default_text
from tscale_graph.policy_files import PolicyError
from tscale_graph.techniques.policy_schema import policy_schema


def policy_command(asked: argparse.Namespace) -> int:
    """Do what the arguments ask; returns the exit status."""
    try:
        if asked.action == "schema":
            print(schema_text(), end="")
        elif asked.action == "show" and asked.file is None:
            print(default_text(), end="")
        else:
            policy = Policy.load(asked.file)
            told = f"{asked.file}: {len(policy.classes)} classes, nothing wrong\n"
            print(policy.text() if asked.action == "show" else told, end="")
    except PolicyError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return WRONG_USE
    except ImportError as error:
        print(f"tscale: {error}", file=sys.stderr)
        return WRONG_USE
    return COMPLETE


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"
