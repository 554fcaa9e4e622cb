"""Makes the text classifier that ships with the package of the tasks that were drawn.

    python -m tests.benchmarks.classifying.make [--keep]

Trains on the types of `data/learnt.jsonl.gz` and measures on those of `data/held-out.jsonl.gz`, of
which no type was learnt from; and on random splits of the types learnt from, by type and by family
(types that are alike). `--keep` puts the classifier into the package, the figures into
`report.json`, and both into the manual. On two cores it takes about ten minutes.
"""

import argparse
import json
import platform
import random
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.benchmarks.classifying.draw import CLASSES, DATA, SEED, WORKING_LIFE, Drawn, read
from tests.benchmarks.classifying.measures import (
    accuracy,
    ask,
    calibration_error,
    confusion,
    macro_f1,
)
from tests.benchmarks.results import between
from tscale_graph.classifying import TextClassifier, classify
from tscale_graph.classifying.fitting import LabelledType, train_classifier
from tscale_graph.classifying.model import SHIPPED

REPORT = Path(__file__).with_name("report.json")
MANUAL = Path(__file__).parents[3] / "docs" / "classifying.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
SPLITS, SHARE = 10, 0.2


def labelled(types: Sequence[Drawn]) -> list[LabelledType]:
    """As training takes them."""
    return [LabelledType(one["type"], one["class"], tuple(one["questions"])) for one in types]


def splits(types: Sequence[Drawn], by: str) -> Iterator[tuple[list[Drawn], list[Drawn]]]:
    """Random parts to learn from and to test on, each class by the same share of its groups."""
    for k in range(SPLITS):
        rng, tested = random.Random(f"{SEED}/{by}/{k}"), set[str]()
        for task_class in CLASSES:
            groups = sorted({one[by] for one in types if one["class"] == task_class})
            tested.update(rng.sample(groups, round(SHARE * len(groups))))
        yield (
            [one for one in types if one[by] not in tested],
            [one for one in types if one[by] in tested],
        )


def across(types: Sequence[Drawn], by: str) -> dict[str, float]:
    """The mean and the range of macro-F1 over the splits."""
    scores = [
        macro_f1(ask(train_classifier(labelled(kept), calibrated=False), left))
        for kept, left in splits(types, by)
    ]
    return {"mean": fmean(scores), "low": min(scores), "high": max(scores)}


def milliseconds(classifier: TextClassifier, types: Sequence[Drawn]) -> float:
    """Of processor time for one question, in the mean."""
    questions = [question for one in types for question in one["questions"]]
    ask(classifier, types[:5])
    began = time.process_time()
    for question in questions:
        classifier(question)
    return (time.process_time() - began) / len(questions) * 1000


def made(learnt: Sequence[Drawn]) -> TextClassifier:
    """The classifier; the same types give the same one."""
    card = {
        "data": "templates, reasoning-gym, BIG-Bench Hard and HumanEval; English",
        "types": len(learnt),
        "questions": sum(len(one["questions"]) for one in learnt),
        "made by": "tests.benchmarks.classifying.make",
    }
    return train_classifier(labelled(learnt), card=card)


def report(
    classifier: TextClassifier, learnt: list[Drawn], held_out: list[Drawn]
) -> dict[str, Any]:
    """All figures."""
    told = ask(classifier, held_out)
    tested = {one["family"] for one in held_out}
    strangers = [one for one in learnt if one["family"] not in tested]
    alone = train_classifier(labelled(strangers), calibrated=False)
    others = [one for one in learnt if one["source"] != WORKING_LIFE]
    elsewhere = [one for one in learnt if one["source"] == WORKING_LIFE]
    narrower = train_classifier(labelled(others), calibrated=False)
    free = ask(lambda question: classify(question, default="simple"), held_out)
    return {
        "date": date.today().isoformat(),
        "machine": f"2 cores ({platform.machine()}), Python {platform.python_version()}",
        "types": {"learnt": len(learnt), "held out": len(held_out)},
        "questions": len(told),
        "macro_f1": macro_f1(told),
        "without_relatives": macro_f1(ask(alone, held_out)),
        "relatives": len(learnt) - len(strangers),
        "elsewhere": macro_f1(ask(narrower, elsewhere)),
        "elsewhere types": len(elsewhere),
        "rules": macro_f1(free),
        "majority": max(
            macro_f1([type(one)(one.source, one.right, name, 1.0) for one in told])
            for name in CLASSES
        ),
        "calibration_error": calibration_error(told),
        "sources": {
            name: accuracy([one for one in told if one.source == name])
            for name in sorted({one.source for one in told})
        },
        "confusion": confusion(told),
        "by type": across(learnt, "type"),
        "by family": across(learnt, "family"),
        "milliseconds": milliseconds(classifier, held_out),
    }


def figures(told: dict[str, Any]) -> str:
    """What the manual shows, in Markdown."""
    rows = [
        f"| {name} | " + " | ".join(str(count) for count in row) + " |"
        for name, row in zip(CLASSES, told["confusion"], strict=True)
    ]
    spread = {by: told[f"by {by}"] for by in ("type", "family")}
    sources = ", ".join(f"{name} {share:.0%}" for name, share in told["sources"].items())
    return "\n".join(
        [
            f"{told['types']['held out']} types of tasks ({told['questions']} questions) were held "
            f"out by chance before anything was learnt from the other {told['types']['learnt']}; "
            f"measured on {told['date']}, {told['machine']}:",
            "",
            "| | macro-F1 |",
            "| --- | --- |",
            f"| trained, types never seen | {told['macro_f1']:.3f} |",
            f"| trained without the {told['relatives']} types that are like one of them | "
            f"{told['without_relatives']:.3f} |",
            f"| trained without the {told['elsewhere types']} types of working life, which are by "
            f"another hand, on those | {told['elsewhere']:.3f} |",
            f"| rules | {told['rules']:.3f} |",
            f"| always the same class | {told['majority']:.3f} |",
            *(
                f"| {SPLITS} random splits of the types learnt from, by {by}: mean (range) | "
                f"{one['mean']:.3f} ({one['low']:.3f}–{one['high']:.3f}) |"
                for by, one in spread.items()
            ),
            "",
            f"Right by source: {sources}. The confidence is off by {told['calibration_error']:.3f} "
            f"in the mean (10 bins). A question takes {told['milliseconds']:.2f} ms.",
            "",
            "| is \\ said to be | " + " | ".join(CLASSES) + " |",
            "| --- |" + " --- |" * len(CLASSES),
            *rows,
            "",
        ]
    )


def keep(classifier: TextClassifier, told: dict[str, Any]) -> None:
    """Put the results where they belong."""
    SHIPPED.parent.mkdir(exist_ok=True)
    classifier.save(SHIPPED)
    REPORT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    page = MANUAL.read_text(encoding="utf-8")
    MANUAL.write_text(between(BEGIN, END, figures(told), page=page), encoding="utf-8")


def main(*, keeping: bool) -> None:
    """Make all of it."""
    learnt, held_out = read(DATA / "learnt.jsonl.gz"), read(DATA / "held-out.jsonl.gz")
    classifier = made(learnt)
    told = report(classifier, learnt, held_out)
    print(figures(told))
    if keeping:
        keep(classifier, told)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true")
    main(keeping=parser.parse_args().keep)
