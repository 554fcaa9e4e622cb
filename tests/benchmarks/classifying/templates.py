"""Questions from templates: `{a|b}` is one of several, `{2-9}` a number, `{city}` a word of a kind.

Braces nest; what stands in braces and is none of these is left as it is.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
_NUMBER, _SEVERAL = re.compile(r"(\d+)-(\d+)"), re.compile(r"(\w+)\*(\d+)")


@dataclass(frozen=True)
class TaskType:
    """A kind of task.

    Attributes:
        name: no other has it.
        task_class: what it is.
        why: it is that.
        templates: of its questions, when it has any.
    """

    name: str
    task_class: str
    why: str
    templates: tuple[str, ...] = ()


def read_templates(task_class: str, *, folder: str = "types") -> list[TaskType]:
    """The types of a class that are made of templates: `name: why`, then indented templates."""
    found: list[tuple[str, str, list[str]]] = []
    for line in _lines(f"{folder}/{task_class}.txt"):
        if line.startswith("  "):
            found[-1][2].append(line.strip().replace("\\n", "\n"))
        else:
            name, _, why = line.partition(": ")
            found.append((name, why, []))
    return [TaskType(name, task_class, why, tuple(made)) for name, why, made in found]


def read_table(source: str) -> list[TaskType]:
    """The types of another source: `class name: why`."""
    found: list[TaskType] = []
    for line in _lines(f"types/{source}.txt"):
        head, _, why = line.partition(": ")
        task_class, name = head.split()
        found.append(TaskType(name, task_class, why))
    return found


def read_families() -> dict[str, str]:
    """By the name of a type, that of its family: lines that share a type are one family."""
    family: dict[str, str] = {}
    for row in (line.split() for line in _lines("types/families.txt")):
        joined = {family.get(name, name) for name in row} | set(row)
        first = min(joined)
        family |= {name: first for name in family if family[name] in joined}
        family |= dict.fromkeys(row, first)
    return family


def read_held_out() -> frozenset[str]:
    """The names of the types that are tested on."""
    return frozenset(_lines("types/held_out.txt"))


def read_vocabulary() -> dict[str, list[str]]:
    """Words by their kind."""
    rows = [line.partition(": ") for line in _lines("vocabulary.txt")]
    return {kind: words.split(", ") for kind, _, words in rows}


@dataclass
class Filler:
    """Fills templates in; no word of a kind comes twice in one question before all have come.

    Attributes:
        words: by their kind.
        texts: sentences to quote.
        rng: chooses.
    """

    words: Mapping[str, Sequence[str]]
    texts: Sequence[str]
    rng: random.Random
    _left: dict[str, list[str]] = field(default_factory=dict)

    def fill(self, template: str) -> str:
        """One question."""
        self._left.clear()
        return self._filled(template)

    def _filled(self, template: str) -> str:
        out, at = list[str](), 0
        while at < len(template):
            if template[at] != "{":
                out.append(template[at])
                at += 1
                continue
            end = _closing(template, at)
            out.append(self._chosen(template[at + 1 : end]))
            at = end + 1
        return "".join(out)

    def _chosen(self, inner: str) -> str:
        several = _alternatives(inner)
        if len(several) > 1:
            return self._filled(self.rng.choice(several))
        if number := _NUMBER.fullmatch(inner):
            return str(self.rng.randint(int(number[1]), int(number[2])))
        if many := _SEVERAL.fullmatch(inner):
            return ", ".join(self._word(many[1]) for _ in range(int(many[2])))
        if inner == "sentence":
            return self.rng.choice(self.texts)
        if inner == "paragraph":
            at = self.rng.randrange(len(self.texts) - 4)
            return " ".join(self.texts[at : at + self.rng.randint(2, 4)])
        return self._word(inner) if inner in self.words else f"{{{self._filled(inner)}}}"

    def _word(self, kind: str) -> str:
        left = self._left.get(kind)
        if not left:
            left = self._left[kind] = self.rng.sample(self.words[kind], len(self.words[kind]))
        return left.pop()


def _closing(template: str, at: int) -> int:
    depth = 0
    for place in range(at, len(template)):
        depth += {"{": 1, "}": -1}.get(template[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"a brace is not closed in {template!r}")


def _alternatives(inner: str) -> list[str]:
    parts, depth = [""], 0
    for letter in inner:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _lines(name: str) -> list[str]:
    told = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in told if line.strip() and not line.startswith("#")]
