"""Test-time compute for LangGraph, under a budget that nothing exceeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tscale_graph.importing import imported_late

if TYPE_CHECKING:
    from tscale_graph.agents import ScalingMiddleware
    from tscale_graph.batching import abatch, batch
    from tscale_graph.budget import Budget, BudgetExceeded, Usage
    from tscale_graph.candidates import Candidate, Result, SamplingError, Verdict
    from tscale_graph.chat_model import ScaledChatModel
    from tscale_graph.idle import Idle
    from tscale_graph.mapping import mapped
    from tscale_graph.policy import Policy
    from tscale_graph.solving import asolve, solve
    from tscale_graph.techniques.ab_mcts import ab_mcts
    from tscale_graph.techniques.aggregate_recursively import aggregate_recursively
    from tscale_graph.techniques.beam_search import beam_search
    from tscale_graph.techniques.best_of_n import best_of_n
    from tscale_graph.techniques.cascade import cascade
    from tscale_graph.techniques.extended_thinking import extended_thinking
    from tscale_graph.techniques.human_review import human_review
    from tscale_graph.techniques.lats import lats
    from tscale_graph.techniques.refine import refine
    from tscale_graph.techniques.router import router
    from tscale_graph.techniques.self_consistency import self_consistency
    from tscale_graph.techniques.sleep_time import sleep_time
    from tscale_graph.techniques.wake import wake

__all__ = [
    "Budget",
    "BudgetExceeded",
    "Candidate",
    "Idle",
    "Policy",
    "Result",
    "SamplingError",
    "ScaledChatModel",
    "ScalingMiddleware",
    "Usage",
    "Verdict",
    "ab_mcts",
    "abatch",
    "aggregate_recursively",
    "asolve",
    "batch",
    "beam_search",
    "best_of_n",
    "cascade",
    "extended_thinking",
    "human_review",
    "lats",
    "mapped",
    "refine",
    "router",
    "self_consistency",
    "sleep_time",
    "solve",
    "wake",
]

_HOMES = {
    "ScalingMiddleware": "agents",
    "abatch": "batching",
    "batch": "batching",
    "Budget": "budget",
    "BudgetExceeded": "budget",
    "Usage": "budget",
    "Candidate": "candidates",
    "Result": "candidates",
    "SamplingError": "candidates",
    "Verdict": "candidates",
    "ScaledChatModel": "chat_model",
    "Idle": "idle",
    "Policy": "policy",
    "ab_mcts": "techniques.ab_mcts",
    "aggregate_recursively": "techniques.aggregate_recursively",
    "asolve": "solving",
    "beam_search": "techniques.beam_search",
    "solve": "solving",
    "best_of_n": "techniques.best_of_n",
    "cascade": "techniques.cascade",
    "extended_thinking": "techniques.extended_thinking",
    "human_review": "techniques.human_review",
    "mapped": "mapping",
    "lats": "techniques.lats",
    "refine": "techniques.refine",
    "router": "techniques.router",
    "self_consistency": "techniques.self_consistency",
    "sleep_time": "techniques.sleep_time",
    "wake": "techniques.wake",
}


__getattr__ = imported_late(__name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()})


def __dir__() -> list[str]:
    return __all__
