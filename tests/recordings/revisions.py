"""Makes the recording of chains of revisions by the embedded model that is kept beside this file.

    python -m tests.recordings.revisions [family …]

Each question is answered by six runs of `refine` of one chain each, with at most four revisions.
The model is shown how revising is done: of the worked examples, some are wrong at first, and a
checker says so. What is there already is not asked again, so a run may be interrupted. The seeds
are fixed, but making it again gives the same versions only in part: what llama.cpp has cached and
batched changes the last digits of its logits.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.recordings.families import COUNTDOWN, EQUATIONS, SENTENCES, Asked, Family
from tscale_graph import Budget, refine
from tscale_graph.recordings.chain_results import recorded_chains
from tscale_graph.recordings.chains import RecordedChains
from tscale_graph.recordings.files import append_question, drop_unfinished_line, read_chains
from tscale_graph.techniques.feedback import to_better
from tscale_graph.verifiers import check_verifier, verify

FILE = Path(__file__).with_name("revisions.jsonl.gz")
QUESTIONS, CHAINS, REVISIONS = 20, 6, 4
MODEL = "SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class Revised:
    """A family of questions, and how the model is shown to revise.

    Attributes:
        family: of the questions.
        examples: question, verifier, a wrong answer or None, and the right one.
    """

    family: Family
    examples: tuple[tuple[str, str, str | None, str], ...]

    async def turns(self) -> list[tuple[str, str]]:
        """The worked examples as (role, text), in the words of `refine` itself."""
        turns: list[tuple[str, str]] = []
        for question, verifier, wrong, right in self.examples:
            turns.append(("human", question))
            if wrong is not None:
                said = await verify(check_verifier(verifier), question, wrong)
                told = to_better(wrong, score=said.score, feedback=said.feedback)
                turns += [(message.type, message.text) for message in told]
            turns.append(("ai", right))
        return turns


FAMILIES = (
    Revised(
        COUNTDOWN,
        (
            ("Use the numbers 2, 3, 4 to make 10.", "countdown", "2 + 3 + 4", "2 * 3 + 4"),
            ("Use the numbers 5, 1, 7 to make 13.", "countdown", None, "5 + 7 + 1"),
            ("Use the numbers 9, 6, 2 to make 13.", "countdown", "9 + 6 + 2", "9 + 6 - 2"),
        ),
    ),
    Revised(
        SENTENCES,
        (
            (
                'Write one sentence of exactly 5 words with the word "dog".',
                "constraints:words=5,contains=dog",
                "The dog slept on the floor all day.",
                "The dog slept all day.",
            ),
            (
                'Write one sentence of exactly 7 words with the word "rain".',
                "constraints:words=7,contains=rain",
                None,
                "The rain fell softly on the roof.",
            ),
            (
                'Write one sentence of exactly 6 words with the word "ship".',
                "constraints:words=6,contains=ship",
                "A ship sailed.",
                "A ship sailed into the night.",
            ),
        ),
    ),
    Revised(
        EQUATIONS,
        (
            ("Solve 2x + 3 = 11 for x.", "equation", "x = 3", "x = 4"),
            ("Solve 5x + 1 = 16 for x.", "equation", None, "x = 3"),
            ("Solve 4x + 2 = 34 for x.", "equation", "x = 6", "x = 8"),
        ),
    ),
)


async def record(revised: Revised, asked: Asked, *, place: int) -> RecordedChains:
    """One question: each chain by a run of its own."""
    family, turns = revised.family, await revised.turns()

    async def run(chain: int):
        graph = refine(
            "local",
            asked["verifier"],
            max_revisions=REVISIONS,
            answer=family.answer,
            temperature=family.temperature,
            max_output_tokens=family.max_output_tokens,
            # Far apart: version k of a run is drawn from the run's seed and k.
            seed=100 * (CHAINS * place + chain),
        ).compile()
        messages = [*turns, ("human", asked["question"])]
        out = await graph.ainvoke({"messages": messages, "budget": Budget(tokens=20_000)})
        return out["result"]

    return recorded_chains(
        await asyncio.gather(*(run(chain) for chain in range(CHAINS))),
        id=asked["id"],
        max_revisions=REVISIONS,
        verifier=asked["verifier"],
        gold=asked.get("gold"),
        kind=family.answer,
        model=MODEL,
        temperature=family.temperature,
    )


def wanted(names: list[str]) -> Iterator[tuple[int, Revised, Asked]]:
    """The questions of these families, or of all, each with its place.

    One family after the other: what they share of their prompts is then still cached.
    """
    for number, revised in enumerate(FAMILIES):
        if not names or revised.family.name in names:
            for k, asked in enumerate(revised.family.questions(QUESTIONS)):
                yield QUESTIONS * number + k, revised, asked


async def main(names: list[str]) -> None:
    drop_unfinished_line(FILE)
    there = {question.id for question in read_chains(FILE)} if FILE.exists() else set()
    missing = [one for one in wanted(names) if one[2]["id"] not in there]
    started = time.monotonic()
    for done, (place, revised, asked) in enumerate(missing, start=1):
        append_question(FILE, await record(revised, asked, place=place))
        print(f"{done} of {len(missing)}, {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
