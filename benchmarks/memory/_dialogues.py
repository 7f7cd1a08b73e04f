"""Dialogues made of templates, with a question for each thing that somebody says: what `retrieval.py` searches.

Every message is one item, as chat memories keep them. Somebody says something of one of the topics below, in one of a
few ways; the question has other words for it, and is asked about one of many people and things, so that names, objects
and values decide as well as the topic. Between them is small talk. Topics of even rows and of odd rows differ, so what
is chosen on one half is measured on other topics and other words. Not here: dialogues of people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

PEOPLE = ("Anna", "Bashir", "Chen", "Dalia", "Emeka", "Freya", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena")
TOPICS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("I finally adopted a {0}, the shelter called this morning!", "We have got a {0} at home since last week."),
        ("What kind of pet does {who} have?", "Which animal lives with {who}?", "Does {who} keep a {0}?"),
        (
            "rabbit",
            "greyhound",
            "parrot",
            "tortoise",
            "hamster",
            "kitten",
            "budgie",
            "gecko",
            "ferret",
            "poodle",
            "canary",
            "goldfish",
        ),
    ),
    (
        ("I can't eat {0}, it makes my throat swell up.", "Please no {0} for me, I had to go to hospital last time."),
        ("What is {who} allergic to?", "Which food must {who} avoid?", "Is {0} safe to cook for {who}?"),
        (
            "peanuts",
            "shellfish",
            "strawberries",
            "sesame",
            "celery",
            "walnuts",
            "mustard",
            "kiwi",
            "lupin",
            "almonds",
            "mackerel",
            "soy",
        ),
    ),
    (
        ("They offered me the post as a {0} and I start in autumn.", "Since May I have been working as a {0}."),
        ("What does {who} do for a living?", "What is {who}'s profession?", "Who became a {0}?"),
        (
            "nurse",
            "carpenter",
            "translator",
            "tram driver",
            "pastry chef",
            "surveyor",
            "librarian",
            "welder",
            "midwife",
            "beekeeper",
            "notary",
            "florist",
        ),
    ),
    (
        ("We booked two weeks in {0}, I am counting the days.", "My suitcase is packed, tomorrow we fly to {0}."),
        ("Where is {who} going on holiday?", "Which place will {who} travel to?", "Who takes a trip to {0}?"),
        (
            "Lisbon",
            "Kyoto",
            "Zanzibar",
            "Iceland",
            "Crete",
            "Quito",
            "Tromso",
            "Hanoi",
            "Malta",
            "Nairobi",
            "Lima",
            "Tbilisi",
        ),
    ),
    (
        ("I have been practising the {0} every evening, the neighbours hate it.", "My {0} lessons started again."),
        ("Which instrument does {who} play?", "What music is {who} learning to make?", "Who plays the {0}?"),
        (
            "cello",
            "trombone",
            "accordion",
            "oboe",
            "banjo",
            "drums",
            "harp",
            "clarinet",
            "viola",
            "ukulele",
            "tuba",
            "zither",
        ),
    ),
    (
        ("The garage says the {0} is broken and it costs a fortune.", "My car stopped again, this time it is the {0}."),
        ("What is wrong with {who}'s vehicle?", "Which part needs repair on {who}'s car?", "Whose {0} has failed?"),
        (
            "gearbox",
            "alternator",
            "clutch",
            "radiator",
            "exhaust",
            "starter",
            "brake line",
            "fuel pump",
            "axle",
            "turbo",
            "window lift",
            "thermostat",
        ),
    ),
    (
        ("I am taking evening classes in {0}, it is harder than I thought.", "For my exam in {0} I study every night."),
        ("What subject is {who} studying?", "Which course does {who} attend?", "Who is learning {0}?"),
        (
            "Portuguese",
            "statistics",
            "pottery",
            "law",
            "astronomy",
            "bookkeeping",
            "Arabic",
            "sign language",
            "botany",
            "welding",
            "Latin",
            "economics",
        ),
    ),
    (
        ("For my birthday I would love a new {0}.", "If anybody asks what to give me: a {0}!"),
        ("What present would make {who} happy?", "What could we buy for {who}?", "Who asks for a {0}?"),
        (
            "telescope",
            "wok",
            "hammock",
            "sewing machine",
            "kayak",
            "turntable",
            "tent",
            "microscope",
            "toaster",
            "globe",
            "violin bow",
            "wheelbarrow",
        ),
    ),
)
SMALL_TALK = (
    "How was your weekend?", "It has been raining for days here.", "Sorry, I only saw your message now.",
    "That sounds wonderful, tell me more.", "I am so tired today.", "Did you watch the match last night?",
    "Let us have coffee soon.", "My train was late again.", "Thanks, that is kind of you.", "I have to run, bye!",
    "Haha, exactly what I thought.", "Work is busy as always.", "The new place round the corner is nice.",
)  # fmt: skip


def messages(rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Yield what is said with a question about it; topics alternate by their parity. Small talk has no question.

    Args:
        rng: Chooses words and people; it is consumed.
    """
    facts: list[list[tuple[str, str]]] = [[], []]
    for place, (said, asked, values) in enumerate(TOPICS):
        for who, value in zip(rng.permutation(PEOPLE), rng.permutation(values), strict=True):
            answer = f"{who}: {_choice(rng, said).format(value)}"
            facts[place % 2].append((answer, _choice(rng, asked).format(value, who=who)))
    for one, other in zip(*([half[at] for at in rng.permutation(len(half))] for half in facts), strict=True):
        yield one
        yield other
        for _ in range(2):
            yield f"{_choice(rng, PEOPLE)}: {_choice(rng, SMALL_TALK)}", ""


def _choice(rng: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(rng.integers(len(among)))]
