"""Random compositions of techniques, over models that misbehave."""

import random

from tests.techniques.test_hard_limits import a_model, at_random
from tscale_graph import ab_mcts, best_of_n, extended_thinking, refine, router, self_consistency

CRITIQUES = ["It is wrong.\nVerdict: revise", "Verdict: correct"]


class Composer:
    """Draws techniques, with others in the place of their models, over models of its own.

    Attributes:
        models: every model that the compositions may ask.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.models = []

    def technique(self, depth: int):
        """A technique whose models are techniques again, `depth` deep at most; 1 for none."""
        rng = self._rng
        asked = self._asked(depth - 1)
        size = rng.choice([5, 60, 400])
        own = rng.choice([None, None, {"tokens": 500}, {"calls": 3}])
        common = {"max_output_tokens": size, "budget": own}
        kind = rng.choice(["vote", "best", "refine", "refine", "tree", "router", "think"])
        if kind == "vote":
            return self_consistency(
                asked,
                max_samples=rng.choice([1, 3, 8]),
                stop=rng.choice(["beta", "fixed"]),
                speculate=rng.choice([0, 0, 2]),
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

    def _model(self):
        model = a_model(self._rng)
        model.answers = [*model.answers, *CRITIQUES, *[f"The answer is {n}" for n in range(4)]]
        self.models.append(model)
        return model
