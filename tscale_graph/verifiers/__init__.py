"""Verifiers: anything that can tell a right answer from a wrong one.

A verifier is called as `verifier(question, answer)`, synchronously or not, and returns a bool, a
float in [0, 1] or a `Verdict`. A LangChain runnable and an `openevals` evaluator are verifiers
too. The built-in ones are here by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tscale_graph.importing import imported_late
from tscale_graph.verifiers.adapting import (
    Verifier,
    asks_unleased,
    only_scores,
    parameters,
    preferred_answer,
    reads_solutions,
    verify,
)
from tscale_graph.verifiers.constraints import constraints
from tscale_graph.verifiers.countdown import Countdown, countdown
from tscale_graph.verifiers.equation import equation
from tscale_graph.verifiers.json_schema import json_schema
from tscale_graph.verifiers.naming import VERIFIERS, check_verifier, named_verifier
from tscale_graph.verifiers.python_tests import python_tests
from tscale_graph.verifiers.rewards import RewardModel, reward_model

if TYPE_CHECKING:
    from tscale_graph.verifiers.judges import StepJudge, step_judge
    from tscale_graph.verifiers.process.model import ProcessRewardModel
    from tscale_graph.verifiers.process.remote import (
        RemoteProcessRewardModel,
        remote_process_reward_model,
    )

__all__ = [
    "VERIFIERS",
    "Countdown",
    "ProcessRewardModel",
    "RemoteProcessRewardModel",
    "RewardModel",
    "StepJudge",
    "Verifier",
    "asks_unleased",
    "check_verifier",
    "constraints",
    "countdown",
    "equation",
    "json_schema",
    "named_verifier",
    "only_scores",
    "parameters",
    "preferred_answer",
    "python_tests",
    "reads_solutions",
    "remote_process_reward_model",
    "reward_model",
    "step_judge",
    "verify",
]

_HOMES = {
    "ProcessRewardModel": "process.model",
    "RemoteProcessRewardModel": "process.remote",
    "remote_process_reward_model": "process.remote",
    "StepJudge": "judges",
    "step_judge": "judges",
}

__getattr__ = imported_late(__name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()})
