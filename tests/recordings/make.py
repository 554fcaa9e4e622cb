"""Makes the recordings of the embedded model that are kept beside this file.

    python -m tests.recordings.make [family …]

100 questions of each family, 64 samples each. What is there already is not sampled again, so a
run may be interrupted. The seeds are fixed, but making them again gives the same samples only in
part: what llama.cpp has cached and batched changes the last digits of its logits.
"""

import asyncio
import sys
import time
from pathlib import Path

from tests.recordings.families import FAMILIES, Family
from tscale_graph.budget import Budget
from tscale_graph.recordings.questions import Example, Question
from tscale_graph.recordings.recorder import Recorded, arecord

QUESTIONS, SAMPLES = 100, 64
HERE = Path(__file__).parent


def path(family: Family) -> Path:
    """Where a family's recording is."""
    return HERE / f"{family.name}.jsonl.gz"


async def make(family: Family) -> Recorded:
    """Record one family, or what is missing of it."""
    return await arecord(
        [Question(**asked) for asked in family.questions(QUESTIONS)],
        path(family),
        model="local",
        samples=SAMPLES,
        budget=Budget(tokens=2_000_000),
        temperature=family.temperature,
        max_output_tokens=family.max_output_tokens,
        answer=family.answer,
        examples=[Example(question=q, answer=a) for q, a in family.examples],
        shown="message" if family.in_one_message else "turns",
        on_progress=lambda r: print(family.name, r.questions, r.usage.tokens, flush=True),
    )


async def main(names: list[str]) -> None:
    for name in names or FAMILIES:
        started = time.monotonic()
        recorded = await make(FAMILIES[name])
        print(f"{name}: {recorded} in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
