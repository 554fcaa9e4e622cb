"""How much in parallel and how much in sequence, for a budget and by difficulty.

    ratios = best_ratios(read_chains("chains.jsonl.gz"), mean_tokens=2000)
    ratio = ratios.at(0.8).chosen.ratio
    graph = refine(model, verifier, chains=ratio.chains, max_revisions=ratio.revisions)

Snell et al. 2024 (arXiv:2408.03314, section 6): the ideal ratio of sequential revisions to parallel
samples depends on how hard the question is. Which it is, is found on recorded chains, without any
model.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from tscale_graph.recordings.chains import RecordedChains
from tscale_graph.recordings.choosing_ratios import Chooser, Cost, Fitted
from tscale_graph.recordings.cross_fitting import (
    HeldOut,
    RatioEstimate,
    Table,
    cross_fitted,
    estimate,
    held_out,
    in_folds,
)
from tscale_graph.recordings.difficulty import class_of, difficulty_edges, observed_difficulty
from tscale_graph.recordings.revising import Ratio, every_ratio


class DifficultyClass(BaseModel):
    """The best ratio for questions of one difficulty.

    Attributes:
        begins: the difficulty from which on questions belong to it; None of the easiest.
        ends: the difficulty from which on they no longer do; None of the hardest.
        ids: its questions.
        chosen: the ratio for new questions, chosen on all of its questions. The figures beside it
            are of those, so its accuracy is more likely too high than too low.
        held_out: what choosing so comes to on questions that it has not seen: believe this one.
        parallel: the same of as many chains as the budget pays for, without revisions.
        sequential: the same of one chain with as many revisions as the budget pays for.
        table: every ratio on all its questions, cheapest first, those beyond the budget too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    begins: float | None
    ends: float | None
    ids: tuple[str, ...]
    chosen: RatioEstimate
    held_out: HeldOut
    parallel: HeldOut
    sequential: HeldOut
    table: tuple[RatioEstimate, ...]


class BestRatios(BaseModel):
    """The best ratio for each class of difficulty, the easiest first.

    Attributes:
        cost: what the limit counts.
        limit: the most of it that a question may cost in the mean.
        classes: at least one.
        held_out: all classes together, on questions that the choice had not seen, in the order of
            the classes and their `ids`.
        one_for_all: the same where one ratio is chosen for all questions, however hard.
        parallel: the same of chains without revisions, as many as each class's budget pays for.
        sequential: the same of one chain and its revisions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cost: Cost
    limit: float
    classes: tuple[DifficultyClass, ...]
    held_out: HeldOut
    one_for_all: HeldOut
    parallel: HeldOut
    sequential: HeldOut

    def at(self, difficulty: float) -> DifficultyClass:
        """The class of a new question's difficulty, measured as that of the recorded ones was."""
        edges = [one.begins for one in self.classes if one.begins is not None]
        return self.classes[class_of(difficulty, edges)]


def best_ratios(
    recorded: Iterable[RecordedChains],
    *,
    mean_tokens: float | None = None,
    mean_calls: float | None = None,
    bins: int = 3,
    probes: int = 2,
    difficulty: Callable[[RecordedChains], float] = observed_difficulty,
    min_questions: int = 20,
    folds: int = 5,
    shared_prompt: bool = True,
    max_subsets: int = 256,
    seed: int = 0,
) -> BestRatios:
    """The best number of chains and of revisions for a budget, by difficulty.

    Every ratio that the recording has chains for is tried, as `refine` would have run it. In each
    class the most accurate is looked for whose mean cost is within the budget, and the cheapest
    that these questions can't tell from it is chosen: its shortfall is within one standard error.
    What that is worth is measured on questions that had no part in the choice.

    How hard a question is must be known before the ratio is chosen, so it is told by the first
    `probes` chains, and what comes of a ratio by the others: the same answers would be counted
    twice. What the probes cost is not counted.

    Args:
        recorded: questions with chains; all with or all without a verifier.
        mean_tokens: the most tokens of a question, in the mean over the questions of a class.
        mean_calls: the most calls instead; give one of the two.
        bins: classes of difficulty, as many questions in each, at least 1.
        probes: chains that tell how hard a question is: at least 1, without a verifier 2, and with
            a `difficulty` of your own 0.
        difficulty: of a question with its probes alone (with 0 probes, all of it); higher is
            harder. It must not look at what is right: new questions don't tell.
        min_questions: classes of fewer are pooled with a neighbour, at least 1. The error of an
            accuracy measured on n questions is up to 0.5 / √n.
        folds: parts of the questions, each measured by what the others choose, at least 2.
        shared_prompt: the first answers of several chains pay for their prompt once.
        max_subsets: the most subsets of the chains that are played for one ratio and question.
        seed: of folds, intervals, and draws of subsets.

    Raises:
        ValueError: in one line, for a bad argument, fewer questions than folds, recordings that
            don't belong together, too few chains, or a budget that pays for no answer.
    """
    cost, limit = _budget(mean_tokens, mean_calls)
    for name, value, least in (
        ("bins", bins, 1),
        ("probes", probes, 0),
        ("min_questions", min_questions, 1),
        ("folds", folds, 2),
    ):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    questions = list(recorded)
    _check(questions, probes, folds, needs_probes=difficulty is observed_difficulty)
    values = [difficulty(_probing(question, probes)) for question in questions]
    edges = difficulty_edges(values, bins=bins, min_questions=max(min_questions, folds))
    places = [class_of(value, edges) for value in values]
    order = sorted(range(len(questions)), key=lambda k: places[k])
    tables = [
        every_ratio(
            questions[k],
            but_first=probes,
            shared_prompt=shared_prompt,
            max_subsets=max_subsets,
            seed=seed,
        )
        for k in order
    ]
    ratios = [ratio for ratio in tables[0] if all(ratio in table for table in tables)]
    chooser = Chooser(tuple(ratios), cost, limit)
    rng = random.Random(f"folds/{seed}")
    found: list[DifficultyClass] = []
    fitted: list[Fitted] = []
    all_folds: list[int] = []
    bounds = (None, *edges, None)
    for place in sorted(set(places)):
        members = [k for k, question in enumerate(order) if places[question] == place]
        own = [tables[k] for k in members]
        drawn = in_folds(len(members), folds=folds, rng=rng)
        all_folds += drawn
        fit = chooser.fitted(own, drawn)
        fitted.append(fit)
        found.append(
            DifficultyClass(
                begins=bounds[place],
                ends=bounds[place + 1],
                ids=tuple(questions[order[k]].id for k in members),
                chosen=estimate(own, chooser.best(own)),
                held_out=held_out(fit.best, seed=seed),
                parallel=held_out(fit.parallel, seed=seed),
                sequential=held_out(fit.sequential, seed=seed),
                table=_table(own, ratios, cost),
            )
        )
    return BestRatios(
        cost=cost,
        limit=limit,
        classes=tuple(found),
        held_out=held_out([one for fit in fitted for one in fit.best], seed=seed),
        one_for_all=held_out(cross_fitted(tables, all_folds, chooser.best), seed=seed),
        parallel=held_out([one for fit in fitted for one in fit.parallel], seed=seed),
        sequential=held_out([one for fit in fitted for one in fit.sequential], seed=seed),
    )


def _table(
    tables: Sequence[Table], ratios: Sequence[Ratio], cost: Cost
) -> tuple[RatioEstimate, ...]:
    rows = [estimate(tables, ratio) for ratio in ratios]
    return tuple(sorted(rows, key=lambda row: getattr(row, cost)))


def _probing(question: RecordedChains, probes: int) -> RecordedChains:
    """The question as it is known before a ratio is chosen; all of it where there are no probes."""
    chains = question.chains[:probes] if probes else question.chains
    return question.model_copy(update={"chains": chains})


def _budget(mean_tokens: float | None, mean_calls: float | None) -> tuple[Cost, float]:
    if (mean_tokens is None) == (mean_calls is None):
        raise ValueError(
            f"give one of mean_tokens and mean_calls, got {mean_tokens} and {mean_calls}"
        )
    cost: Cost = "calls" if mean_tokens is None else "tokens"
    limit = mean_tokens if mean_tokens is not None else mean_calls or 0.0
    if not limit > 0:
        raise ValueError(f"mean_{cost} must be above 0, got {limit}")
    return cost, limit


def _check(
    questions: Sequence[RecordedChains], probes: int, folds: int, *, needs_probes: bool
) -> None:
    if len(questions) < folds:
        raise ValueError(f"needs at least {folds} questions, one a fold, got {len(questions)}")
    verified = {question.verifier is not None for question in questions}
    if len(verified) > 1:
        raise ValueError("questions must all have a verifier or all have none, got both")
    least = 1 if True in verified else 2
    if needs_probes and probes < least:
        by = "a verifier's scores" if True in verified else "agreement"
        raise ValueError(
            f"probes must be at least {least} to tell difficulty by {by}, got {probes}"
        )
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise ValueError(f"each id must be of one question, got {question.id!r} twice")
        seen.add(question.id)
        if len(question.chains) <= probes:
            raise ValueError(
                f"question {question.id!r} must have more than {probes} chains (probes), got "
                f"{len(question.chains)}"
            )
