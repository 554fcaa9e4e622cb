"""Best-of-N: sample several answers, have each verified, and take the best."""

from __future__ import annotations

from typing import Any

from tscale_graph.budget import Budget
from tscale_graph.models.endpoint import Askable
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.stopping import StoppingRule
from tscale_graph.techniques.closing import ByRanker, Closing
from tscale_graph.techniques.comparing import RoundRobin, Tournament
from tscale_graph.techniques.loop import sampling_loop
from tscale_graph.techniques.settings import Answer, OnExceeded, check_count, sampling_settings
from tscale_graph.verifiers import Verifier, check_verifier, named_verifier, only_scores
from tscale_graph.verifiers.judges import ListwiseJudge, PairwiseJudge
from tscale_graph.votes import Selection

SELECTS = ("weighted", "max", "best_of_majority", "pessimistic", "agreement")
"""The names of the selections by a verifier's verdicts."""
COMPARING = ("tournament", "bradley_terry")
"""The names of those by comparisons of pairs."""


def best_of_n(
    model: str | Askable,
    verifier: Verifier | PairwiseJudge | ListwiseJudge | str,
    *,
    n: int = 8,
    select: str | Selection | Closing | None = None,
    stop: str | StoppingRule | None = None,
    speculate: int = 0,
    answer: Answer = "auto",
    temperature: float | None = 0.7,
    max_output_tokens: int = 1024,
    max_parallel: int | None = None,
    budget: Budget | dict[str, Any] | None = None,
    system: str | None = None,
    seed: int | None = None,
    on_exceeded: OnExceeded = "raise",
) -> TechniqueGraph:
    """A graph that samples a model until a verifier is satisfied, and returns the best answer.

    Input: `messages` and `budget`. Output: `messages` with the answer appended, and `result`.

    Args:
        model: a chat model, "local", or "provider:model".
        verifier: called as `verifier(question, answer)`; the name of a built-in one; or a
            judge: `judge(…)` scores each answer, `pairwise_judge(…)` and `listwise_judge(…)`
            rank them when sampling is over.
        n: the most samples to take, at least 1.
        select: "weighted" sums the scores of equal answers (Li et al. 2022,
            arXiv:2206.02336) and is what None means for a verifier; "max" takes the single
            best score; "best_of_majority" and "pessimistic" hold with a verifier that errs;
            "agreement" is for tests that a model wrote. With a pairwise judge "tournament",
            which None means, or "bradley_terry". Or a selection, or closing calls of your own.
        stop: a stopping rule or its name. None is "first_pass" for a verifier, and "fixed"
            for one that only scores, and where a judge ranks the finalists. Others: "sprt",
            "expected_improvement", "beta", ….
        speculate: samples that each wave has beyond what the rule needs. "first_pass" may stop
            after any sample, so it takes one at a time; users in a hurry take more at once.
        answer: how to read the final answer; "auto" first asks what the verifier wants.
        temperature: sampling temperature, 0 to 2; None leaves the model's own.
        max_output_tokens: the most tokens of one sample, at least 1.
        max_parallel: the most samples in flight at once; None leaves it to the budget.
        budget: for requests that bring none.
        system: a system prompt put before the conversation.
        seed: for runs that repeat, where the provider takes a seed.
        on_exceeded: what to do when the budget ends before there is an answer: "raise"
            `BudgetExceeded`, or "return" a `Result` whose answer is None.

    Returns:
        An uncompiled graph: compile it, or add it to another graph once compiled.

    Raises:
        ValueError: for a bad argument, in one line, when the graph is built.
        ImportError: when the model or verifier needs a package that is not installed.
    """
    check_count("n", n, at_least=1)
    checked, chosen = _judging(verifier, select)
    settings = sampling_settings(
        model,
        max_samples=n,
        stop=stop or ("fixed" if checked is None or only_scores(checked) else "first_pass"),
        select=chosen,
        verifier=checked,
        speculate=speculate,
        answer=answer,
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        max_parallel=max_parallel,
        budget=budget,
        system=system,
        seed=seed,
        on_exceeded=on_exceeded,
    )
    return sampling_loop(settings, technique="best_of_n")


def _judging(
    verifier: Verifier | PairwiseJudge | ListwiseJudge | str,
    select: str | Selection | Closing | None,
) -> tuple[Verifier | None, str | Selection | Closing]:
    """Who judges single answers, if anybody, and how the answer is chosen in the end."""
    if isinstance(verifier, str):
        verifier = named_verifier(verifier)
    if isinstance(verifier, PairwiseJudge):
        if select not in (*COMPARING, None):
            raise ValueError(
                f"select must be one of {', '.join(COMPARING)} with a pairwise judge, "
                f"got {select!r}"
            )
        ranks = RoundRobin(verifier) if select == "bradley_terry" else Tournament(verifier)
        return None, ranks
    if isinstance(verifier, ListwiseJudge):
        if select is not None:
            raise ValueError(f"a listwise judge ranks by itself: leave select out, got {select!r}")
        return None, ByRanker(verifier, calls=1, distinct=True, name="listwise")
    if isinstance(select, str) and select not in SELECTS:
        paired = f"with a pairwise judge {', '.join(COMPARING)}"
        raise ValueError(
            f"select must be one of {', '.join(SELECTS)}, {paired}, or a selection; got {select!r}"
        )
    return check_verifier(verifier), select or "weighted"
