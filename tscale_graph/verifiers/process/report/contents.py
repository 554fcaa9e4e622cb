"""What a report tells: the evaluations of a model as tables, and what they come to in words."""

from __future__ import annotations

from dataclasses import dataclass

from tscale_graph.pages.tables import Table
from tscale_graph.verifiers.process.ablating import Ablation
from tscale_graph.verifiers.process.buying import (
    BEST,
    MAJORITY,
    SINGLE,
    WEIGHTED,
    Bought,
)
from tscale_graph.verifiers.process.evaluating import StepEvaluation
from tscale_graph.verifiers.process.report.tables import figure, percent
from tscale_graph.verifiers.process.saving import ModelCard
from tscale_graph.verifiers.process.training import Training


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured of a model.

    Attributes:
        card: of the model.
        steps: how well steps are scored: all questions, then each family; () when not measured.
        bought: what the model buys, likewise.
        ablations: models that know less; () when not measured.
        notes: what else has to be known.
    """

    card: ModelCard
    steps: tuple[StepEvaluation, ...] = ()
    bought: tuple[Bought, ...] = ()
    ablations: tuple[Ablation, ...] = ()
    notes: tuple[str, ...] = ()


def tables(report: Report) -> list[Table]:
    """The tables of a report, what it buys first."""
    found = [_card(report.card)]
    for one in report.bought:
        found += [_curves(one), _differences(one)]
    if report.steps:
        found.append(_steps(report.steps))
    if report.ablations:
        found.append(_ablations(report.ablations))
    return found


def training_tables(training: Training) -> list[Table]:
    """What was tried when a model was trained, and what was chosen."""
    trials = tuple(
        (
            f"{one.kind}: {', '.join(one.featurizers)}",
            figure(one.log_loss),
            "chosen" if not place else figure(one.worse_by, signed=True),
            figure(one.auc),
        )
        for place, one in enumerate(training.trials)
    )
    aggregates = tuple(
        (f"{name} (chosen)" if name == training.model.aggregate else name, figure(value))
        for name, value in sorted(training.aggregates.items(), key=lambda pair: -pair[1])
    )
    return [
        Table(
            f"Classifiers and featurizers, on {training.parts['validate']} validation questions",
            ("classifier: featurizers", "log loss", "worse by", "AUC of steps"),
            trials,
            "The least log loss is chosen. A 95 % interval of what another is worse by that is "
            "above 0 says that the choice is no accident.",
        ),
        Table(
            "How the scores of steps become one",
            ("aggregate", "AUC of solutions"),
            aggregates,
        ),
    ]


def findings(report: Report) -> list[str]:
    """What the figures come to, in sentences, bad news too."""
    told: list[str] = []
    for one in report.bought[:1]:
        told += _gains(one)
        told.append(
            f"Best-of-N by the model rises up to {one.most} samples"
            + (", all that there are." if one.most == one.counts[-1] else " and not beyond.")
        )
        if one.last_least is not None and one.last_least > 0.5:
            told.append(
                f"In {one.last_least:.0%} of the solutions the last step scores least: it judges "
                "outcomes more than steps."
            )
    for one in report.steps[:1]:
        if one.auc is not None:
            told.append(
                f"A right step scores above a wrong one with probability {figure(one.auc)}; "
                f"scores are off the labels by {one.calibration_error.value:.3f} on average."
            )
    told += _owed(report.ablations)
    return told


def _gains(one: Bought) -> list[str]:
    """Where the model helps most, and where it harms most, for certain."""
    told: list[str] = []
    for way in (WEIGHTED, BEST):
        found = one.comparisons[way]
        sure = [k for k, c in enumerate(found) if c.p_holm < 0.05]
        better = [k for k in sure if found[k].difference.value > 0]
        worse = [k for k in sure if found[k].difference.value < 0]
        for places, sign in ((better, 1), (worse, -1)):
            if not places:
                continue
            k = max(places, key=lambda place: sign * found[place].difference.value)
            told.append(
                f"{_capital(way)} is {'better' if sign > 0 else 'worse'} than majority at N = "
                f"{', '.join(str(one.counts[p]) for p in places)}; most at {one.counts[k]}: "
                f"{one.curves[way][k].value:.1%} right against "
                f"{one.curves[MAJORITY][k].value:.1%}, "
                f"{percent(found[k].difference, signed=True)} percentage points "
                f"(p = {found[k].p_holm:.2g} by Holm)."
            )
        if not better:
            told.append(f"{_capital(way)} is nowhere better than majority for certain.")
    return told


def _owed(ablations: tuple[Ablation, ...]) -> list[str]:
    named = {one.name: one for one in ablations}
    full, alone = named.get("all that the model knows"), named.get("arithmetic alone")
    if full is None or alone is None or full.auc is None or alone.auc is None:
        return []
    if alone.auc.value >= full.auc.low:
        return [
            f"Checking arithmetic alone comes to an AUC of {alone.auc.value:.3f} where the model "
            f"has {full.auc.value:.3f}: it is a calculator more than a judge."
        ]
    return [
        f"Checking arithmetic alone comes to an AUC of {alone.auc.value:.3f} where the model has "
        f"{full.auc.value:.3f}: it knows more than a calculator."
    ]


def _card(card: ModelCard) -> Table:
    rows = (
        ("trained on solutions of", card.policy),
        ("questions", card.data),
        ("created", card.created),
        ("steps", card.steps),
        ("labels", card.labels),
        ("featurizers", ", ".join(card.featurizers)),
        ("classifier", card.kind),
        ("aggregate", card.aggregate),
        ("fitted to", f"{card.labelled_steps:,} steps of {card.questions:,} questions"),
    )
    return Table("The model", ("", ""), rows)


def _curves(one: Bought) -> Table:
    shown = [way for way in one.curves if way != SINGLE]
    rows = tuple(
        (str(count), *(percent(one.curves[way][k]) for way in shown))
        for k, count in enumerate(one.counts)
    )
    single = percent(one.curves[SINGLE][0])
    return Table(
        f"Right answers in %, {_questions(one.group, one.questions)}",
        ("N", *shown),
        rows,
        f"One sample: {single}. In brackets 95 % intervals over questions. A sample has "
        f"{one.tokens_per_sample:,.0f} output tokens on average; the model costs none.",
    )


def _differences(one: Bought) -> Table:
    shown = [way for way in one.comparisons if way not in (SINGLE, "oracle")]
    rows = tuple(
        (
            str(count),
            *(
                f"{percent(one.comparisons[way][k].difference, signed=True)}, "
                f"{_p(one.comparisons[way][k].p_holm)}"
                for way in shown
            ),
        )
        for k, count in enumerate(one.counts)
    )
    least = (
        ""
        if one.last_least is None
        else (f" The last step scores least in {one.last_least:.0%} of the solutions.")
    )
    return Table(
        f"Percentage points above majority, {_questions(one.group, one.questions)}",
        ("N", *shown),
        rows,
        "Paired by question; p corrected for the N of a column (Holm). Best-of-N by the model "
        f"rises up to N = {one.most}.{least}",
    )


def _steps(evaluations: tuple[StepEvaluation, ...]) -> Table:
    def row(told: str, field: str) -> tuple[str, ...]:
        return (told, *(figure(getattr(one, field)) for one in evaluations))

    return Table(
        "Scores of steps",
        ("", *(one.group for one in evaluations)),
        (
            ("questions", *(f"{one.questions:,}" for one in evaluations)),
            ("solutions", *(f"{one.solutions:,}" for one in evaluations)),
            ("steps", *(f"{one.steps:,}" for one in evaluations)),
            ("right steps", *(f"{one.right:.1%}" for one in evaluations)),
            row("AUC", "auc"),
            row("AUC before the last step", "before_last"),
            row("AUC of first errors", "error_auc"),
            row("average precision", "average_precision"),
            row("Brier score", "brier"),
            row("calibration error", "calibration_error"),
            row("AUC of solutions", "solution_auc"),
            row("first-error F1", "first_error_f1"),
        ),
        "A step is right when more than half of the completions from there are; steps without a "
        "completion are left out, and all others count the same. Brier score and calibration "
        "error (15 bins of equal numbers) are against the shares themselves. The first wrong step "
        "of a wrong solution is the one after the last from which any completion was right: the "
        "AUC of first errors tells the steps before it from the others.",
    )


def _ablations(found: tuple[Ablation, ...]) -> Table:
    rows = tuple(
        (
            one.name,
            f"{one.questions:,}",
            *map(figure, (one.auc, one.before_last, one.solution_auc, one.brier)),
        )
        for one in found
    )
    return Table(
        "Models that know less",
        (
            "what it knows", "questions", "AUC", "AUC before the last step", "AUC of solutions",
            "Brier",
        ),
        rows,
        "All fitted anew to the training questions and measured on the held-out ones. Shuffled "
        "labels: the mean of several, and where 95 % of them lie.",
    )  # fmt: skip


def _questions(group: str, count: int) -> str:
    return f"{count:,} questions" if group == "all" else f"{group}: {count:,} questions"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
