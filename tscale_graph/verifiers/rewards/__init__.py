"""Reward models behind HTTP."""

from __future__ import annotations

from tscale_graph.verifiers.rewards.apis import API_NAMES, Api
from tscale_graph.verifiers.rewards.model import RewardModel, reward_model

__all__ = ["API_NAMES", "Api", "RewardModel", "reward_model"]
