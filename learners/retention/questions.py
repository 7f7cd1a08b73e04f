"""Multiple-choice questions of common knowledge: a test that a base passes well above chance, asked before and after.

Nothing is fetched: the facts are in this file. A question is the beginning of a sentence ("The capital of France is"),
and its options are answers of the same topic. Not here: asking them (`measure`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...stable_random import HashRandom
from ..examples import Example

KIND: Final = "knowledge"
_OPTIONS: Final = 4


class _Topic(NamedTuple):
    """Facts of one form."""

    name: str
    asks: str
    """The beginning of a sentence, with `{}` for what is asked about."""
    facts: str
    """`what: answer`, or `answer: what, what, ...`, separated by semicolons."""
    grouped: bool = False
    """Whether the answer stands first."""


_TOPICS: Final = (
    _Topic(
        "capitals",
        "The capital of {} is",
        "France: Paris; Germany: Berlin; Italy: Rome; Spain: Madrid; Portugal: Lisbon; England: London; "
        "Ireland: Dublin; "
        "Norway: Oslo; Sweden: Stockholm; Finland: Helsinki; Denmark: Copenhagen; Poland: Warsaw; Austria: Vienna; "
        "Hungary: Budapest; Greece: Athens; Turkey: Ankara; Russia: Moscow; Ukraine: Kyiv; Belgium: Brussels; "
        "Romania: Bucharest; Bulgaria: Sofia; Croatia: Zagreb; Serbia: Belgrade; Egypt: Cairo; Kenya: Nairobi; "
        "Ethiopia: Addis Ababa; Ghana: Accra; Senegal: Dakar; Cuba: Havana; Peru: Lima; Chile: Santiago; "
        "Argentina: Buenos Aires; Colombia: Bogota; Venezuela: Caracas; Ecuador: Quito; Canada: Ottawa; Japan: Tokyo; "
        "China: Beijing; India: New Delhi; Thailand: Bangkok; Vietnam: Hanoi; Indonesia: Jakarta; Iran: Tehran; "
        "Iraq: Baghdad; Syria: Damascus; Lebanon: Beirut; Afghanistan: Kabul; Nepal: Kathmandu; Mongolia: Ulaanbaatar; "
        "South Korea: Seoul; Philippines: Manila; Australia: Canberra; New Zealand: Wellington; Iceland: Reykjavik",
    ),
    _Topic(
        "continents",
        "{} is a country in",
        "Europe: France, Germany, Poland, Norway, Greece, Portugal, Austria, Hungary, Sweden; Asia: Japan, Vietnam, "
        "Thailand, Nepal, India, Mongolia, Malaysia, Cambodia; Africa: Kenya, Nigeria, Ghana, Ethiopia, Tanzania, "
        "Uganda, "
        "Zimbabwe, Senegal, Mali; South America: Brazil, Argentina, Peru, Chile, Bolivia, Uruguay, Paraguay",
        grouped=True,
    ),
    _Topic(
        "languages",
        "The language that is spoken in {} is",
        "France: French; Germany: German; Italy: Italian; Mexico: Spanish; Brazil: Portuguese; Japan: Japanese; "
        "Russia: Russian; Greece: Greek; Turkey: Turkish; Poland: Polish; Sweden: Swedish; Norway: Norwegian; "
        "Finland: Finnish; Hungary: Hungarian; Egypt: Arabic; Iran: Persian; Thailand: Thai; Vietnam: Vietnamese; "
        "China: Chinese; Australia: English; Denmark: Danish; Iceland: Icelandic; Ukraine: Ukrainian; Israel: Hebrew",
    ),
    _Topic(
        "opposites",
        "The opposite of {} is",
        "hot: cold; big: small; tall: short; old: young; fast: slow; good: bad; happy: sad; light: dark; up: down; "
        "left: right; open: closed; full: empty; hard: soft; wet: dry; rich: poor; strong: weak; early: late; "
        "high: low; near: far; loud: quiet; clean: dirty; true: false; inside: outside; first: last; "
        "begin: end; buy: sell; push: pull; win: lose; love: hate; give: take; remember: forget; "
        "wide: narrow; thick: thin; sharp: dull; heavy: lightweight; north: south; east: west; day: night; "
        "summer: winter; war: peace; friend: enemy; question: answer; success: failure; life: death; "
        "above: below; before: after; always: never; more: less; many: few; positive: negative",
    ),
    _Topic(
        "kinds",
        "The word {} names a kind of",
        "fruit: apple, banana, orange, pear, cherry, grape, mango; animal: horse, tiger, elephant, rabbit, goat, "
        "camel, wolf; vegetable: carrot, cabbage, spinach, broccoli, lettuce; musical instrument: violin, "
        "piano, guitar, trumpet, flute, drum; tree: oak, pine, maple, birch, willow; "
        "metal: iron, copper, silver, zinc, aluminium; "
        "clothing: shirt, jacket, trousers, sweater, scarf; furniture: table, sofa, wardrobe, armchair, bookshelf; "
        "vehicle: truck, bicycle, bus, motorcycle, taxi; sport: football, tennis, hockey, volleyball, basketball; "
        "colour: purple, yellow, crimson, turquoise; bird: eagle, sparrow, parrot, penguin, owl, pigeon; "
        "fish: salmon, tuna, trout, shark, cod; insect: ant, bee, butterfly, mosquito, beetle",
        grouped=True,
    ),
    _Topic(
        "work",
        "A {} usually works in a",
        "teacher: school; doctor: hospital; chef: restaurant; farmer: field; judge: courtroom; librarian: library; "
        "banker: bank; priest: church; scientist: laboratory; mechanic: garage; soldier: barracks; sailor: ship; "
        "pilot: plane; actor: theatre; baker: bakery; miner: mine; curator: museum; astronomer: observatory; "
        "waiter: cafe; cashier: shop",
    ),
    _Topic(
        "use",
        "People use a {} to",
        "knife: cut food; pen: write; broom: sweep the floor; key: open a lock; hammer: drive nails; "
        "camera: take pictures; "
        "oven: bake bread; telephone: call someone; umbrella: keep off the rain; bed: sleep; cup: drink tea; "
        "car: travel on roads; boat: cross water; needle: sew clothes; clock: tell the time; lamp: light a room; "
        "soap: wash their hands; fridge: keep food cold; ladder: climb up; map: find the way; saw: cut wood; "
        "shovel: dig a hole; towel: dry themselves; toothbrush: clean their teeth; telescope: look at stars",
    ),
    _Topic(
        "symbols",
        "The chemical symbol of {} is",
        "hydrogen: H; oxygen: O; carbon: C; nitrogen: N; iron: Fe; gold: Au; silver: Ag; copper: Cu; lead: Pb; "
        "sodium: Na; potassium: K; calcium: Ca; helium: He; zinc: Zn; tin: Sn; mercury: Hg; chlorine: Cl; "
        "magnesium: Mg; aluminium: Al; silicon: Si; sulfur: S; iodine: I; neon: Ne; uranium: U",
    ),
    _Topic(
        "young",
        "A young {} is called a",
        "dog: puppy; cat: kitten; cow: calf; sheep: lamb; horse: foal; pig: piglet; goat: kid; duck: duckling; "
        "goose: gosling; bear: cub; swan: cygnet; kangaroo: joey; frog: tadpole; chicken: chick",
    ),
)


def knowledge_questions(per_topic: int | None = None) -> list[Example]:
    """Return the questions, over 300; each with four options, and its topic in `source`.

    Args:
        per_topic: The maximum number of a topic, chosen by their CRC-32; all if None.
    """
    found: list[Example] = []
    for topic, facts in _facts():
        answers = sorted(set(facts.values()))
        asked = sorted(facts, key=lambda asks: (zlib.crc32(asks.encode()), asks))
        found += [_question(topic, asks, facts[asks], answers) for asks in asked[:per_topic]]
    return found


def _facts() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each topic with its answers, by the beginning of the sentence."""
    for topic in _TOPICS:
        facts: dict[str, str] = {}
        for fact in topic.facts.split("; "):
            first, _, rest = fact.partition(": ")
            pairs = [(what, first) for what in rest.split(", ")] if topic.grouped else [(first, rest)]
            facts |= {topic.asks.format(what): answer for what, answer in pairs}
        yield topic.name, facts


def _question(topic: str, asks: str, answer: str, answers: list[str]) -> Example:
    draws = HashRandom(topic, asks)
    wrong = draws.shuffled([one for one in answers if one != answer])[: _OPTIONS - 1]
    choices = tuple(f" {choice}" for choice in draws.shuffled([answer, *wrong]))
    name = f"{KIND}/{topic}/{zlib.crc32(asks.encode()):08x}"
    return Example(name, KIND, asks, f" {answer}", choices, "seen", {"topic": topic})
