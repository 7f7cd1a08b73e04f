"""The household activities that the tables of `chores` cannot say, each a function that carries it out."""

from __future__ import annotations

from typing import Final

from ..engine.scene import bits
from ..engine.vocabulary import BETWEEN
from .demonstrator import ME, Demonstrator, ObjectRequest


def set_the_table(a: Demonstrator) -> ObjectRequest:
    """Plates, and forks or glasses, are on the dining table."""
    table, other = a.pick("dining_table"), a.world.scene.classes[a.pick("fork", "glass", "cup")]
    conditions, words = [], []
    for kind, most in (("plate", 2), (other, a.choices.between(1, 2))):
        there = a.all(kind, where=lambda n: a.on(n, "dining_table"))
        found = a.some(most, kind, where=lambda n: not a.on(n, "dining_table"), at_least=0 if there else 1)
        count = max(1, min(most, len(there) + len(found)))
        for n in found[: max(0, count - len(there))]:
            a.put_on(n, table)
        conditions.append(a.edge(kind, "ON", table, count))
        words.append(f"a {kind}" if count == 1 else f"two {kind}s")
    return ObjectRequest(
        (
            f"set the dining table with {words[0]} and {words[1]}",
            f"lay {words[0]} and {words[1]} on the dining table",
            f"dinner is near: there should be {words[0]} and {words[1]} on the dining table",
        ),
        tuple(conditions),
    )


def prepare_breakfast(a: Demonstrator) -> ObjectRequest:
    """Something to eat, something to drink and a dish are on the dining table."""
    table = a.pick("dining_table")
    food, drink, dish = (
        a.choices.pick(a.all(*kinds, where=lambda n: not a.on(n, "dining_table")) or [a.pick(*kinds)])
        for kinds in (
            ("bread", "cereal", "egg", "apple", "banana"),
            ("juice", "milk", "water"),
            ("plate", "bowl", "cup"),
        )
    )
    away = [food, drink, dish]
    for n in away:
        a.put_on(n, table)
    what = a.they(away)
    return ObjectRequest(
        (
            f"prepare breakfast: {what} belong on the dining table",
            f"for breakfast, put {what} on the dining table",
        ),
        tuple(a.edge(n, "ON", table) for n in away),
    )


def eat_a_snack(a: Demonstrator) -> ObjectRequest:
    """Something is eaten, sitting."""
    food, seat = a.pick("apple", "banana", "cookies", "bread", "cheese", "tomato", "pie"), a.pick("chair", "couch")
    a.fetch(food)
    a.sit(seat)
    a.do("EAT", food)
    kind = a.world.scene.classes[seat]
    where = "on a chair" if kind == "chair" else "on the couch"
    return ObjectRequest(
        (f"eat {a.the(food)} {where}", f"have {a.the(food)} as a snack, sitting {where}"),
        (a.edge(ME, "ON", kind), a.done("EAT", food)),
    )


def turn_off_all_lights(a: Demonstrator) -> ObjectRequest:
    """No light is on."""
    for light in a.all("light", where=lambda n: a.in_state(n, "ON")):
        a.switch_off(light)
    return ObjectRequest(
        ("turn off the light in every room", "no room should have its light on", "save power: all lights off"),
        ({"not": a.state("light", "ON")},),
    )


def switch_everything_off(a: Demonstrator) -> ObjectRequest:
    """Nothing of a certain list is on."""
    kinds = [k for k in ("stove", "television", "radio", "computer", "floor_lamp", "table_lamp") if a.all(k)]
    for device in a.all(*kinds, where=lambda n: a.in_state(n, "ON")):
        a.switch_off(device)
    words = [kind.replace("_", " ") for kind in kinds]
    return ObjectRequest(
        (
            f"before leaving: see that nothing of this is on: {', '.join(words)}",
            f"switch off whatever is on of these: {', '.join(words)}",
        ),
        tuple({"not": a.state(kind, "ON")} for kind in kinds),
    )


def close_all_doors(a: Demonstrator) -> ObjectRequest:
    """Every door is closed."""
    depth = _depths(a)
    while ajar := a.all("door", where=lambda n: a.in_state(n, "OPEN")):
        # The farthest first, each from the near side: so no door has to be opened again.
        sides = [(sorted(depth.get(room, 0) for room in _sides(a, door)), door) for door in ajar]
        door = max(sides)[1]
        a.go(min(_sides(a, door), key=lambda room: depth.get(room, 0)))
        a.close(door)
    return ObjectRequest(
        ("close every door in the house", "shut all doors", "no door should be open"),
        ({"not": a.state("door", "OPEN")},),
    )


def _sides(a: Demonstrator, door: int) -> list[int]:
    return list(bits(a.world.out[BETWEEN][door] & a.world.scene.rooms)) or [a.room(door)]


def _depths(a: Demonstrator) -> dict[int, int]:
    """How many doors lie between the room that the character is in and each other."""
    here = a.room(a.me)
    depth, queue = {here: 0}, [here]
    for room in queue:
        for other, _ in a.world.doorways.joined.get(room, ()):
            if other not in depth:
                depth[other] = depth[room] + 1
                queue.append(other)
    return depth


def bring_something(a: Demonstrator) -> ObjectRequest:
    """Something is in another room."""
    n = a.pick("keys", "phone", "book", "towel", "newspaper", "radio", "backpack", "blanket", "pillow", "pen")
    room = a.choices.pick([room for room in bits(a.world.scene.rooms) if room != a.room(n)])
    a.fetch(n)
    a.go(room)
    still = a.world.scene.having["SURFACES"] & ~(a.world.scene.having["GRABBABLE"] | a.world.scene.backdrop)
    spots = [s for s in bits(still) if a.room(s) == room]
    if spots:
        a.put_on(n, a.choices.pick(spots))
    else:
        a.do("DROP", n)
    what, where = a.the(n), a.name(room)
    return ObjectRequest(
        (f"bring {what} to the {where}", f"{what} is needed in the {where}", f"take {what} to the {where}"),
        (a.edge(n, "INSIDE", room),),
    )


SPECIAL: Final = (
    set_the_table,
    prepare_breakfast,
    eat_a_snack,
    turn_off_all_lights,
    switch_everything_off,
    close_all_doors,
    bring_something,
)
