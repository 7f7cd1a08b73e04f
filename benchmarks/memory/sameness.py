"""Which notes a memory may merge: labelled pairs, and what a threshold on the cosine would do to them.

    python -m benchmarks.memory.sameness [--embedder minilm]

For each embedder it prints the cosines of pairs that say different things and of pairs that say the same, the lowest
threshold that merges no pair of the first, and how many of the second it would merge. The memory uses none of these
thresholds: it merges texts that are equal but for spacing, the capital of a first word that is no name, "a" and "an",
and the last full stop.
"""

from __future__ import annotations

import argparse
from types import MappingProxyType
from typing import Final

import numpy as np

from pathei.memory import make_embedder
from pathei.memory.sameness import canonical

DIFFERENT: Final = MappingProxyType(
    {
        "numbers": (
            ("The door code is 4711.", "The door code is 4712."),
            ("The meeting is at 15:30.", "The meeting is at 16:30."),
            ("The flight leaves on 3 May.", "The flight leaves on 13 May."),
            ("The rent is 1,200 euros a month.", "The rent is 1,250 euros a month."),
            ("Bob has two sisters.", "Bob has three sisters."),
            ("Set the oven to 180 degrees.", "Set the oven to 200 degrees."),
            ("The server runs version 1.5.", "The server runs version 1.15."),
            ("The temperature was 5 degrees.", "The temperature was -5 degrees."),
        ),
        "negation": (
            ("Bob is allergic to peanuts.", "Bob is not allergic to peanuts."),
            ("The door opens without a key.", "The door opens with a key."),
            ("She likes coffee.", "She doesn't like coffee."),
            ("There is milk in the fridge.", "There is no milk in the fridge."),
            ("The lamp can be repaired.", "The lamp cannot be repaired."),
            ("He always locks the door.", "He never locks the door."),
            ("Nobody has a spare key.", "Somebody has a spare key."),
            ("He has a few friends.", "He has few friends."),
        ),
        "names": (
            ("Alice is vegetarian.", "Alicia is vegetarian."),
            ("The parcel is for Anna Meyer.", "The parcel is for Anne Meyer."),
            ("The office is in Austria.", "The office is in Australia."),
            ("Use the account alice@example.com.", "Use the account alice@example.org."),
            ("The file is in /srv/data1.", "The file is in /srv/data2."),
            ("The train stops in Frankfurt (Main).", "The train stops in Frankfurt (Oder)."),
            ("The Wi-Fi password is Kestrel.", "The Wi-Fi password is kestrel."),
            ("The red cup is Bob's.", "The red cup is Rob's."),
        ),
        "antonyms": (
            ("The window is open.", "The window is closed."),
            ("The shop is open before noon.", "The shop is open after noon."),
            ("Turn the valve to the left.", "Turn the valve to the right."),
            ("The heater is on.", "The heater is off."),
            ("He likes cold tea.", "He likes hot tea."),
            ("Prices went up in May.", "Prices went down in May."),
            ("The keys are in the drawer.", "The keys are on the drawer."),
            ("The cat is inside the house.", "The cat is outside the house."),
        ),
        "units and dates": (
            ("The desk is 120 cm wide.", "The desk is 120 mm wide."),
            ("Take 5 mg in the evening.", "Take 5 g in the evening."),
            ("The visit is on 2026-03-05.", "The visit is on 2026-05-03."),
            ("The meeting is on Tuesday.", "The meeting is on Thursday."),
            ("The rent is 900 euros.", "The rent is 900 dollars."),
            ("Dinner is at 7 am.", "Dinner is at 7 pm."),
        ),
        "articles and capitals": (
            ("Bob is a winner.", "Bob is the winner."),
            ("She has a few keys.", "She has few keys."),
            ("China is in the cabinet.", "china is in the cabinet."),
            ("Mark the parcel as sent.", "mark the parcel as sent."),
        ),
        "roles": (
            ("Alice owes Bob money.", "Bob owes Alice money."),
            ("The dog bit the man.", "The man bit the dog."),
            ("Wash the cup, then dry the plate.", "Dry the plate, then wash the cup."),
            ("Red wires go over blue wires.", "Blue wires go over red wires."),
        ),
    }
)
"""Pairs of notes that must both be kept, by what differs."""
SAME: Final = (
    ("The cup is in the kitchen.", "the cup is in the kitchen"),
    ("There is an old kettle in the cabinet.", "there is a old kettle in the cabinet."),
    ("Bob likes  tea.", " Bob likes tea. "),
    ("Happy birthday, Bob!", "Happy birthday, Bob"),
    ("Café Zoë opens at nine.", "Café Zoë opens at nine."),
)
"""Pairs that differ in form only, and are kept once."""
PARAPHRASED: Final = (
    ("The cup is in the kitchen.", "You can find the cup in the kitchen."),
    ("Bob is allergic to peanuts.", "Peanuts give Bob an allergic reaction."),
    ("The meeting was moved to Friday.", "They moved the meeting to Friday."),
    ("Alice doesn't eat meat.", "Alice is a vegetarian."),
    ("The door code is 4711.", "4711 is the code for the door."),
    ("Turn off the heater at night.", "Switch the heater off at night."),
    ("The shop closes at six.", "The shop shuts at 6."),
    ("He lives next to the station.", "His home is by the station."),
)
"""Pairs that say the same in other words. The memory keeps both: to lose one costs more than to hold two."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", action="append", help="the name of an embedder; ngrams by default")
    for name in parser.parse_args().embedder or ["ngrams"]:
        embedder = make_embedder(name)

        def cosines(pairs: tuple[tuple[str, str], ...]) -> np.ndarray:
            first, second = (embedder.embed([pair[side] for pair in pairs]) for side in (0, 1))  # noqa: B023
            return np.asarray((first * second).sum(axis=1))

        print(f"{embedder.name}\n{'':21} pairs  mean   max  merged at 0.9  merged")
        for kind, pairs in DIFFERENT.items():
            found = cosines(pairs)
            merged = sum(canonical(one) == canonical(other) for one, other in pairs)
            print(
                f"{kind:21} {len(pairs):5} {found.mean():5.2f} {found.max():5.3f} {(found >= 0.9).sum():14} {merged:7}"
            )
        safe = max(cosines(pairs).max() for pairs in DIFFERENT.values())
        for kind, pairs in (("same", SAME), ("paraphrased", PARAPHRASED)):
            found = cosines(pairs)
            merged = sum(canonical(one) == canonical(other) for one, other in pairs)
            print(
                f"{kind:21} {len(pairs):5} {found.mean():5.2f} {found.max():5.3f} {(found >= 0.9).sum():14} {merged:7}"
            )
            print(f"  above the lowest threshold that merges no different pair, {safe:.3f}: {(found > safe).sum()}")


if __name__ == "__main__":
    main()
