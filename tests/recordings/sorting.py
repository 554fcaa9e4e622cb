"""Words to be sorted into kinds, with a short and with a long prompt: recordings of two rungs.

    python -m tests.recordings.sorting [short | long …]

A small model sorts better the more worked examples it is shown, and each costs tokens. The short
prompt shows one example for each kind, the long one several. What is recorded already is not
sampled again. The seeds are fixed; see `tests.recordings.make` for how far that goes.
"""

import asyncio
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tscale_graph.budget import Budget
from tscale_graph.recordings.questions import Example, Question
from tscale_graph.recordings.recorder import Recorded, arecord

HERE = Path(__file__).parent
THINGS = {
    "animal": "lion tiger horse rabbit whale eagle spider goat camel snake shark wolf duck monkey "
    "otter parrot beetle salmon donkey turtle owl bear fox mouse sheep deer crow frog lizard "
    "dolphin penguin squirrel hawk zebra moose",
    "food": "bread cheese rice soup pasta butter cake omelette sausage yogurt honey pizza salad "
    "noodles pancake pie jam porridge cookie burger sandwich stew curry muffin pudding biscuit "
    "bacon chocolate waffle cereal gravy ham toast custard pretzel",
    "clothing": "shirt hat scarf glove jacket sock coat skirt boot dress sweater belt sandal vest "
    "apron tie blouse uniform slipper robe mitten cardigan hoodie raincoat tuxedo stocking beret "
    "kimono cloak gown poncho legging bonnet jersey trousers",
    "tool": "hammer saw drill wrench shovel axe chisel rake pliers screwdriver spade ladder clamp "
    "crowbar hoe mallet trowel file sander anvil sickle pickaxe scythe hacksaw scissors tweezers "
    "tongs awl lathe jack hatchet pitchfork level spanner winch",
    "vehicle": "car truck bus train bicycle boat plane tram helicopter tractor ferry van scooter "
    "canoe submarine taxi rocket yacht motorcycle ambulance sled wagon jeep ship glider "
    "rickshaw kayak limousine carriage bulldozer hovercraft moped airplane trolley raft",
}
PLACES = {
    "Europe": "France Spain Italy Germany Poland Norway Sweden Finland Denmark Greece Portugal "
    "Ireland Austria Hungary Romania Bulgaria Croatia Serbia Belgium Iceland Latvia Estonia "
    "Lithuania Slovakia Slovenia Ukraine Albania Malta Switzerland Paris Madrid Rome Berlin Vienna "
    "Lisbon Athens Warsaw Prague Dublin Oslo Stockholm Brussels Budapest Milan",
    "Asia": "China Japan India Thailand Vietnam Mongolia Nepal Pakistan Iran Iraq Indonesia "
    "Malaysia Cambodia Laos Bangladesh Afghanistan Jordan Syria Lebanon Yemen Oman Qatar Kuwait "
    "Bhutan Singapore Uzbekistan Kazakhstan Myanmar Philippines Tokyo Beijing Delhi Bangkok Seoul "
    "Mumbai Shanghai Hanoi Manila Jakarta Baghdad Tehran Kabul Osaka Karachi",
    "Africa": "Egypt Kenya Nigeria Ghana Morocco Algeria Tunisia Libya Ethiopia Uganda Tanzania "
    "Zambia Zimbabwe Angola Namibia Botswana Senegal Mali Niger Chad Sudan Somalia Rwanda Congo "
    "Cameroon Gabon Madagascar Mozambique Malawi Cairo Nairobi Lagos Accra Tunis Algiers Tripoli "
    "Kampala Lusaka Harare Luanda Dakar Khartoum Kigali Durban",
    "America": "Canada Mexico Brazil Argentina Chile Peru Colombia Venezuela Ecuador Bolivia "
    "Uruguay Paraguay Cuba Jamaica Haiti Panama Guatemala Honduras Nicaragua Belize Guyana "
    "Suriname Bahamas Barbados Dominica Grenada Chicago Toronto Boston Lima Bogota Havana Caracas "
    "Quito Montreal Seattle Denver Santiago Houston Dallas Vancouver",
}


@dataclass(frozen=True)
class Sorting:
    """One way to sort words.

    Attributes:
        asked: the question, with a place for the word.
        kinds: for each kind, its words.
    """

    asked: str
    kinds: dict[str, str]

    def drawn(self, rng: random.Random) -> list[tuple[str, str]]:
        """Every question with its answer, in a seeded order in which the kinds take turns."""
        words = {
            kind: rng.sample(names.split(), len(names.split()))
            for kind, names in self.kinds.items()
        }
        asked: list[tuple[str, str]] = []
        for turn in range(max(map(len, words.values()))):
            kinds = [kind for kind in words if turn < len(words[kind])]
            for kind in rng.sample(kinds, len(kinds)):
                asked.append((self.asked.format(words[kind][turn]), kind))
        return asked


SORTINGS = (
    Sorting("What kind of thing is this: {}?", THINGS),
    Sorting("On which continent is {}?", PLACES),
)
SHOTS = {"short": 1, "long": 4}
"""Worked examples that a prompt shows for each kind."""
SAMPLES = {"short": 12, "long": 16}


def path(prompt: str, place: int) -> Path:
    """Where the recording of a prompt and one way to sort is."""
    return HERE / f"sorting-{prompt}-{place}.jsonl.gz"


def drawn(place: int, prompt: str) -> tuple[list[Example], list[Question]]:
    """The worked examples of a prompt, and the questions, which are the same for each prompt."""
    sorting = SORTINGS[place]
    asked = sorting.drawn(random.Random(f"sorting/{place}"))
    most, shown = (len(sorting.kinds) * shots for shots in (max(SHOTS.values()), SHOTS[prompt]))
    examples = [Example(question=question, answer=answer) for question, answer in asked[:shown]]
    questions = [
        Question(id=f"sorting-{place}/{k}", question=question, gold=answer)
        for k, (question, answer) in enumerate(asked[most:])
    ]
    return examples, questions


async def make(prompt: str, place: int) -> Recorded:
    """Record one prompt, or what is missing of it."""
    examples, questions = drawn(place, prompt)
    return await arecord(
        questions,
        path(prompt, place),
        model="local",
        samples=SAMPLES[prompt],
        budget=Budget(tokens=2_000_000),
        temperature=0.8,
        max_output_tokens=6,
        answer="text",
        examples=examples,
    )


async def main(prompts: list[str]) -> None:
    for prompt in prompts or SHOTS:
        for place in range(len(SORTINGS)):
            started = time.monotonic()
            recorded = await make(prompt, place)
            print(f"{prompt} {place}: {recorded} in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
