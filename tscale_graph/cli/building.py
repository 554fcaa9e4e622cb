"""The graph that the arguments of `tscale solve` ask for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tscale_graph.models.embedded import MODEL_NAME
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.policy import Policy
from tscale_graph.solving import technique_graph
from tscale_graph.techniques.named import WITH_TREE, named_technique, needs_verifier
from tscale_graph.techniques.router import router

_ARGUMENTS = (
    ("stop", "stop"),
    ("answer", "answer"),
    ("system", "system"),
    ("temperature", "temperature"),
    ("max_output_tokens", "max_output_tokens"),
    ("max_parallel", "max_parallel"),
    ("seed", "seed"),
    ("speculate", "speculate"),
    ("thinking_tokens", "thinking_tokens"),
    ("min_thinking_tokens", "min_thinking_tokens"),
    ("generations", "generations"),
    ("subset", "subset"),
)
_SAMPLES = {
    "best_of_n": "n",
    "self_consistency": "max_samples",
    "refine": "max_revisions",
    "aggregate_recursively": "population",
    "cascade": "samples",
}
"""What techniques call their samples; of a tree search they are nodes."""
_SAMPLING_ONLY = ("samples", "verify", "select", "stop", "speculate", "max_parallel")
_ONLY_FOR = {
    "thinking_tokens": "extended_thinking",
    "min_thinking_tokens": "extended_thinking",
    "generations": "aggregate_recursively",
    "subset": "aggregate_recursively",
}
"""Options that one technique alone takes."""
_NO_WAVES = (*WITH_TREE, "aggregate_recursively", "cascade")
_NO_SELECT = ("refine", "aggregate_recursively", "extended_thinking", "cascade")


def build_graph(asked: argparse.Namespace) -> TechniqueGraph:
    """The graph of the technique that was asked for.

    Raises:
        ValueError: for an unknown technique, or an argument that it does not take.
    """
    given = {name: getattr(asked, option) for option, name in _ARGUMENTS}
    arguments = {name: value for name, value in given.items() if value is not None}
    if asked.policy is not None or asked.technique == "router":
        if arguments or any(v is not None for v in (asked.samples, asked.select, asked.vote)):
            raise ValueError("the router takes --model and --verify; its policy says the rest")
        return _router(asked)
    technique_name = asked.technique or "self-consistency"
    name = technique_name.replace("-", "_")
    if asked.task_class is not None:
        raise ValueError("--class is for --technique router and --policy")
    technique = named_technique(name)
    wants = technique is not None and needs_verifier(technique)
    if wants and asked.verify is None:
        raise ValueError(f"{technique_name} needs --verify: see tscale techniques")
    if name in _NO_WAVES:
        for option in ("stop", "speculate"):
            if getattr(asked, option) is not None:
                raise ValueError(f"--{option} is for best-of-n and self-consistency")
    if asked.vote is not None and name != "self_consistency":
        other = "" if name in _NO_SELECT else f"; {technique_name} has --select"
        raise ValueError(f"--vote is for --technique self-consistency{other}")
    if name in ("self_consistency", "aggregate_recursively") and asked.verify is not None:
        raise ValueError("--verify is for --technique best-of-n, refine and tree searches")
    if name in ("self_consistency", *_NO_SELECT) and asked.select is not None:
        raise ValueError("--select is for --technique best-of-n and tree searches")
    samples, most = _SAMPLES.get(name, "max_nodes"), asked.samples
    if name == "refine" and most is not None:
        if most < 2:
            raise ValueError(f"--samples must be at least 2 with refine, got {most}")
        most -= 1  # the first version revises nothing
    _check_own_options(asked, name)
    more = {
        samples: most,
        "select": asked.select,
        "vote": asked.vote,
        "value" if name == "lats" else "verifier": asked.verify,
        # A tree is worth looking at where the budget came to an end before an answer, too.
        "on_exceeded": "return" if asked.show_tree is not None else None,
    }
    arguments |= {argument: value for argument, value in more.items() if value is not None}
    return technique_graph(technique_name, {"model": asked.model, **arguments})


def asks_embedded_model(asks: Sequence[Endpoint]) -> bool:
    """Whether the model of this machine is among those that are asked, however deep inside."""
    inner = (one.nested.technique.asks for one in asks if one.nested is not None)
    asked = any(one.name == MODEL_NAME for one in asks)
    return asked or any(asks_embedded_model(several) for several in inner)


def _router(asked: argparse.Namespace) -> TechniqueGraph:
    policy = None if asked.policy is None else Policy.load(asked.policy)
    without = [] if policy is None else [n for n, one in policy.classes.items() if not one.budget]
    if asked.budget is None and without:
        raise ValueError(
            f"no budget: class {without[0]} has none, so say what this may cost, "
            "as in --budget tokens=20000,seconds=60"
        )
    return router(policy, model=asked.model, verifier=asked.verify)


def _check_own_options(asked: argparse.Namespace, name: str) -> None:
    """Refuse options of sampling for extended thinking, and what one technique alone takes."""
    for option in _SAMPLING_ONLY if name == "extended_thinking" else ():
        if getattr(asked, option) is not None:
            flag = option.replace("_", "-")
            raise ValueError(f"--{flag} is not for --technique extended-thinking")
    for option, owner in _ONLY_FOR.items():
        if getattr(asked, option) is not None and name != owner:
            flag, technique = option.replace("_", "-"), owner.replace("_", "-")
            raise ValueError(f"--{flag} is for --technique {technique}")
