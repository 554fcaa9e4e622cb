"""Random compositions of techniques, over models that misbehave."""

import random

from tests.techniques.test_hard_limits import a_judge, a_model, at_random
from tscale_graph import (
    ab_mcts,
    aggregate_recursively,
    best_of_n,
    cascade,
    extended_thinking,
    refine,
    router,
    self_consistency,
)
from tscale_graph.verifiers.judges import judge, pairwise_judge

KINDS = (
    "vote",
    "best",
    "refine",
    "refine",
    "tree",
    "router",
    "think",
    "race",
    "population",
    "ladder",
    "judged",
)
CRITIQUES = ["It is wrong.\nVerdict: revise", "Verdict: correct"]


class Composer:
    """Draws techniques, with others in the place of their models, over models of its own.

    Attributes:
        models: every model that the compositions may ask.
        races: some of them cancel calls that are not wanted any more.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.models = []
        self.races = False

    def technique(self, depth: int):
        """A technique whose models are techniques again, `depth` deep at most; 1 for none."""
        rng = self._rng
        asked = self._asked(depth - 1)
        size = rng.choice([5, 60, 400])
        own = rng.choice([None] * 4 + [{"tokens": 500}, {"calls": 3}, {"usd": 1e-4}])
        common = {"max_output_tokens": size, "budget": own}
        kind = rng.choice(KINDS)
        speculate = rng.choice([0, 0, 2])
        self.races = self.races or kind == "race" or speculate > 0
        if kind == "race":
            return self_consistency(
                asked,
                max_samples=rng.choice([2, 4]),
                stop=f"first_to_finish:{rng.choice([1, 2])}",
                **common,
            )
        if kind == "population":
            return aggregate_recursively(asked, population=3, generations=2, **common)
        if kind == "ladder":
            verifier = rng.choice([None, at_random])
            return cascade([asked, self._asked(depth - 1)], verifier=verifier, samples=2, **common)
        if kind == "judged":
            by = rng.choice([judge, pairwise_judge])(self._judge())
            return best_of_n(asked, by, n=3, speculate=speculate, **common)
        if kind == "vote":
            return self_consistency(
                asked,
                max_samples=rng.choice([1, 3, 8]),
                stop=rng.choice(["beta", "fixed"]),
                speculate=speculate,
                **common,
            )
        if kind == "best":
            return best_of_n(asked, at_random, n=rng.choice([1, 4]), **common)
        if kind == "refine":
            return refine(
                asked,
                rng.choice([None, at_random]),
                max_revisions=rng.choice([1, 3]),
                chains=rng.choice([1, 2]),
                critique_tokens=rng.choice([5, 100]),
                **common,
            )
        if kind == "tree":
            models = [asked, *([self._asked(depth - 1)] if rng.random() < 0.5 else [])]
            return ab_mcts(models, at_random, max_nodes=6, batch=rng.choice([1, 3]), **common)
        if kind == "router":
            return router(model=asked, verifier=at_random)
        thinking = rng.choice([5, 50])
        return extended_thinking(
            self._model(),
            thinking_tokens=thinking,
            min_thinking_tokens=rng.choice([0, thinking]),
            **common,
        )

    def _asked(self, depth: int):
        """A model, or a technique in its place, compiled or not."""
        if depth == 0 or self._rng.random() < 0.2:
            return self._model()
        graph = self.technique(depth)
        return self._rng.choice([graph, graph.compile()])

    def _judge(self):
        """A model that judges, or a technique in its place."""
        model = a_judge(self._rng, hang=0.0)
        self.models.append(model)
        if self._rng.random() < 0.5:
            return model
        return self_consistency(model, max_samples=2, answer="text", max_output_tokens=60)

    def _model(self):
        model = a_model(self._rng)
        model.answers = [*model.answers, *CRITIQUES, *[f"The answer is {n}" for n in range(4)]]
        self.models.append(model)
        return model
