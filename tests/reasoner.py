"""A scripted model that reasons a step at a time, slips now and then, and knows its prompt alone.

It answers "How many … does … have?" on chains of statements ("Bob has 2 times as many apples as
Ann."), writing out each step that it needs, so that what it spends is what it has to work out; each
step is wrong with a chance of `slip`. What somebody else worked out before, it reads.
"""

import random
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from tests.scripted import Call, Scripted

KNOWN = re.compile(r"(\w+) has (?:[^.=]*= )?(\d+) apples\.")
LEADS = re.compile(r"(\w+) has (\d+) (times as many|more|fewer) apples (?:as|than) (\w+)\.")
ASKED = re.compile(r"apples (?:does|that|of) (\w+)")
SIGNS = {"times as many": "*", "more": "+", "fewer": "-"}


class Reasoner(Scripted):
    """Works out what it is asked, a step at a time."""

    slip: float = 0.0
    rng: Any = None

    def begin(self, messages: Sequence[BaseMessage], options: dict[str, Any]) -> tuple[Call, str]:
        self.answers = [self.say(str(messages[0].text), str(messages[-1].text))]
        return super().begin(messages, options)

    def say(self, shown: str, told: str) -> str:
        # In a rewriting that it is to make better, it reads what it had worked out.
        known = {name: int(count) for name, count in KNOWN.findall(f"{shown}\n{told}")}
        leads = {name: (int(n), SIGNS[how], of) for name, n, how, of in LEADS.findall(shown)}
        everybody = list(dict.fromkeys([*known, *leads]))
        if told.startswith("Which questions"):
            return "\n".join(f"How many apples does {name} have?" for name in everybody)
        if told.startswith(("Rewrite", "This is a rewriting")):
            steps: list[str] = []
            for name in everybody:
                self.work_out(name, known, leads, steps)
            given = [f"{name} has {known[name]} apples." for name in everybody if name not in leads]
            return "\n".join([*given, *dict.fromkeys(steps)])
        asked = ASKED.search(told)
        steps = []
        found = self.work_out(asked[1], known, leads, steps) if asked else None
        if found is None:
            return "I cannot tell."
        return "\n".join([*steps, f"The answer is {found}"])

    def work_out(
        self,
        name: str,
        known: dict[str, int],
        leads: dict[str, tuple[int, str, str]],
        steps: list[str],
    ) -> int | None:
        """How many somebody has; the steps on the way are added to `steps`."""
        if name in known:
            return known[name]
        if name not in leads:
            return None
        count, sign, of = leads[name]
        before = self.work_out(of, known, leads, steps)
        if before is None:
            return None
        right = {"*": before * count, "+": before + count, "-": before - count}[sign]
        rng = self.rng or random
        known[name] = right + (rng.choice((-1, 1)) if rng.random() < self.slip else 0)
        steps.append(f"{name} has {before} {sign} {count} = {known[name]} apples.")
        return known[name]
