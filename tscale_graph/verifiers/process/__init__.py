"""Process reward models that people train on their own task: labels, features, training, measures.

What a user needs is here by name; each is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tscale_graph.importing import imported_late

if TYPE_CHECKING:
    from tscale_graph.verifiers.process.buying import bought_by_families, scored_samples
    from tscale_graph.verifiers.process.embedding import Embedded
    from tscale_graph.verifiers.process.evaluating import (
        evaluate_families,
        held_out,
        held_out_labels,
    )
    from tscale_graph.verifiers.process.features import Own
    from tscale_graph.verifiers.process.labels import Bisection, Shares
    from tscale_graph.verifiers.process.logprob_servers import EchoedLogprobs, PromptLogprobs
    from tscale_graph.verifiers.process.logprobs import TokenLogprobs
    from tscale_graph.verifiers.process.model import BUILT_IN, ProcessRewardModel, built_in
    from tscale_graph.verifiers.process.training import train

__all__ = [
    "BUILT_IN",
    "Bisection",
    "EchoedLogprobs",
    "Embedded",
    "Own",
    "ProcessRewardModel",
    "PromptLogprobs",
    "Shares",
    "TokenLogprobs",
    "bought_by_families",
    "built_in",
    "evaluate_families",
    "held_out",
    "held_out_labels",
    "scored_samples",
    "train",
]

_HOMES = {
    "BUILT_IN": "model",
    "Bisection": "labels",
    "EchoedLogprobs": "logprob_servers",
    "Embedded": "embedding",
    "Own": "features",
    "ProcessRewardModel": "model",
    "PromptLogprobs": "logprob_servers",
    "Shares": "labels",
    "TokenLogprobs": "logprobs",
    "bought_by_families": "buying",
    "built_in": "model",
    "evaluate_families": "evaluating",
    "held_out": "evaluating",
    "held_out_labels": "evaluating",
    "scored_samples": "buying",
    "train": "training",
}

__getattr__ = imported_late(__name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()})
