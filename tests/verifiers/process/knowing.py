"""Process reward models that were not trained: they say what they are told to."""

import numpy as np

from tscale_graph.search.steps import step_splitter
from tscale_graph.verifiers.process.classifier import Calibration, Linear, StepClassifier
from tscale_graph.verifiers.process.features import Own
from tscale_graph.verifiers.process.model import ProcessRewardModel
from tscale_graph.verifiers.process.saving import ModelCard


def scored_by(function, *, aggregate="last", **card):
    """A model whose score of a step is `function(question, steps_so_far)`, in [0, 1]."""
    told = ModelCard(
        policy="none", data="none", created="2026-11-26", steps="line", featurizers=("own",),
        kind="logistic", labels="shares", questions=0, labelled_steps=0, **card,
    )  # fmt: skip
    line = Linear(np.ones(1), 0.0)
    straight = Calibration(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    classifier = StepClassifier(("own.own",), np.zeros(1), np.ones(1), (line,), straight)
    own = (Own("own", function),)
    return ProcessRewardModel(classifier, own, step_splitter("line"), aggregate, told)
