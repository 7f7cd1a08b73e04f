"""Household activities around light, order, laundry and cleaning.

Each function carries one out and says what was wanted; to add one, write such a function and name it in `HOUSE`. See
`activities`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..engine.scene import bits
from ..engine.vocabulary import BETWEEN
from .demonstrator import Demonstrator, ObjectRequest

TOYS: Final = ("toy_car", "teddy_bear", "building_blocks", "ball", "board_game")
TOOLS: Final = ("sponge", "rag", "towel")


def turn_on_a_light(a: Demonstrator) -> ObjectRequest:
    """The light of a room is on."""
    light = a.pick("light", where=lambda n: a.in_state(n, "OFF"))
    a.switch_on(light)
    room = a.name(a.room(light))
    return ObjectRequest(
        (f"turn on the light in the {room}", f"it is dark in the {room}: make light", f"light up the {room}"),
        (a.state(light, "ON"),),
    )


def turn_off_all_lights(a: Demonstrator) -> ObjectRequest:
    """No light is on."""
    for light in a.all("light", where=lambda n: a.in_state(n, "ON")):
        a.switch_off(light)
    return ObjectRequest(
        ("turn off the light in every room", "no room should have its light on", "save power: all lights off"),
        ({"not": a.state("light", "ON")},),
    )


def turn_on_a_lamp(a: Demonstrator) -> ObjectRequest:
    """A lamp is on."""
    lamp = a.pick("floor_lamp", "table_lamp", where=lambda n: a.in_state(n, "OFF"))
    a.switch_on(lamp)
    what = a.the(lamp)
    return ObjectRequest((f"turn on {what}", f"get {what} to shine", f"switch {what} on"), (a.state(lamp, "ON"),))


def unplug_a_device(a: Demonstrator) -> ObjectRequest:
    """A device is unplugged."""
    device = a.pick("HAS_PLUG", where=lambda n: a.in_state(n, "PLUGGED_IN") and not a.in_state(n, "ON"))
    a.reach(device)
    a.do("PLUGOUT", device)
    what = a.the(device)
    return ObjectRequest((f"unplug {what}", f"pull the plug of {what}"), (a.state(device, "PLUGGED_OUT"),))


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


def open_a_window(a: Demonstrator) -> ObjectRequest:
    """A window is open."""
    window = a.pick("window", where=lambda n: a.in_state(n, "CLOSED"))
    a.open(window)
    room = a.name(a.room(window))
    return ObjectRequest(
        (f"open the window in the {room}", f"let some fresh air into the {room}", f"air the {room}"),
        (a.state(window, "OPEN"),),
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


def darken_the_bedroom(a: Demonstrator) -> ObjectRequest:
    """The bedroom's curtain is closed and its light off."""
    curtain = a.pick("curtain")
    light = a.near(curtain, "light")
    a.switch_off(light)
    a.close(curtain)
    room = a.name(a.room(curtain))
    return ObjectRequest(
        (f"make the {room} dark: light off, curtain closed", f"darken the {room} with the curtain and the light"),
        (a.state(curtain, "CLOSED"), a.state(light, "OFF")),
    )


def clean_a_floor(a: Demonstrator) -> ObjectRequest:
    """A dirty floor is clean."""
    floor, tool = a.pick("floor", where=a.dirty), a.pick("mop", "broom", "rag")
    a.fetch(tool)
    a.reach(floor)
    a.do("WIPE", floor)
    room = a.name(a.room(floor))
    return ObjectRequest(
        (f"clean the floor of the {room}", f"the floor in the {room} is dirty: make it clean"),
        (a.state(floor, "CLEAN"),),
    )


def wipe_a_surface(a: Demonstrator) -> ObjectRequest:
    """A dirty table, desk or counter is clean."""
    kinds = ("dining_table", "coffee_table", "kitchen_counter", "desk", "stove")
    surface, tool = a.pick(*kinds, where=a.dirty), a.pick(*TOOLS)
    a.fetch(tool)
    a.reach(surface)
    a.do("WIPE", surface)
    what = a.the(surface)
    return ObjectRequest(
        (f"clean {what}", f"wipe {what} clean", f"{what} is dirty: clean it"), (a.state(surface, "CLEAN"),)
    )


def clean_the_bathroom(a: Demonstrator) -> ObjectRequest:
    """What was dirty in the bathroom is clean."""
    bathroom = a.pick("bathroom")
    kinds = ("toilet", "bathtub", "sink", "floor")
    dirty = a.some(4, *kinds, where=lambda n: a.dirty(n) and a.room(n) == bathroom, at_least=1)
    for n in dirty:
        a.reach(n)
        a.do("SCRUB", n)
    what = " and ".join(a.name(n) for n in dirty)
    return ObjectRequest(
        (f"clean the bathroom: {what}", f"scrub the bathroom until {what} shine"),
        tuple(a.state(n, "CLEAN") for n in dirty),
    )


def wash_clothes(a: Demonstrator) -> ObjectRequest:
    """Dirty clothes are in the washing machine, which runs."""
    machine = a.pick("washing_machine")
    clothes = a.some(a.choices.between(1, 2), "CLOTHES", where=a.dirty, at_least=1)
    for n in clothes:
        a.put_in(n, machine)
    a.close(machine)
    a.switch_on(machine)
    what = a.they(clothes)
    return ObjectRequest(
        (
            f"wash {what} in the washing machine",
            f"the washing machine should be washing {what}",
            f"have {what} machine-washed",
        ),
        (*(a.edge(n, "INSIDE", machine) for n in clothes), a.state(machine, "CLOSED"), a.state(machine, "ON")),
    )


def collect_laundry(a: Demonstrator) -> ObjectRequest:
    """Dirty clothes and towels are in the laundry basket."""
    basket = a.pick("laundry_basket")
    count = a.choices.between(1, 2)
    found = a.some(
        count,
        "CLOTHES",
        "towel",
        where=lambda n: a.dirty(n) and not a.inside(n, "laundry_basket"),
        at_least=1,
    )
    for n in found:
        a.put_in(n, basket)
    what = a.they(found)
    return ObjectRequest(
        (f"put {what} in the laundry basket", f"{what} should be washed some day: into the laundry basket"),
        tuple(a.edge(n, "INSIDE", basket) for n in found),
    )


def put_clothes_away(a: Demonstrator) -> ObjectRequest:
    """Clothes are in a closet or dresser, which is closed."""
    place = a.pick("closet", "dresser")
    there = a.world.scene.classes[place]
    clothes = a.some(a.choices.between(1, 2), "CLOTHES", where=lambda n: not a.inside(n, there), at_least=1)
    for n in clothes:
        a.put_in(n, place)
    a.close(place)
    what, where = a.they(clothes), a.the(place)
    return ObjectRequest(
        (f"put {what} in {where} and close it", f"{what} should be in {where}, and that closed"),
        (*(a.edge(n, "INSIDE", place) for n in clothes), a.state(place, "CLOSED")),
    )


def hang_up_a_towel(a: Demonstrator) -> ObjectRequest:
    """A towel hangs on the rack."""
    rack, towel = a.pick("towel_rack"), a.pick("towel", where=lambda n: not a.on(n, "towel_rack"))
    a.put_on(towel, rack)
    what = a.the(towel)
    return ObjectRequest(
        (f"hang {what} on the towel rack", f"{what} belongs on the towel rack"), (a.edge(towel, "ON", rack),)
    )


def tidy_up_toys(a: Demonstrator) -> ObjectRequest:
    """Toys are in the toy box."""
    box = a.pick("toy_box")
    toys = a.some(a.choices.between(1, 3), *TOYS, where=lambda n: not a.inside(n, "toy_box"), at_least=1)
    for toy in toys:
        a.put_in(toy, box)
    what = a.they(toys)
    return ObjectRequest(
        (f"tidy {what} into the toy box", f"{what} should be in the toy box", f"playtime is over: toy box for {what}"),
        tuple(a.edge(toy, "INSIDE", box) for toy in toys),
    )


def shelve_books(a: Demonstrator) -> ObjectRequest:
    """Books are on the bookshelf."""
    shelf = a.pick("bookshelf")
    count = a.choices.between(1, 2)
    books = a.some(count, "book", "magazine", where=lambda n: not a.on(n, "bookshelf"), at_least=1)
    for book in books:
        a.put_on(book, shelf)
    what = a.they(books)
    return ObjectRequest(
        (f"put {what} on the bookshelf", f"{what} should be on the bookshelf"),
        tuple(a.edge(book, "ON", shelf) for book in books),
    )


def make_the_bed(a: Demonstrator) -> ObjectRequest:
    """Pillows and blanket are on a bed."""
    bed = a.pick("bed")
    found = a.some(2, "pillow", "blanket", where=lambda n: not a.on(n, "bed"), at_least=1)
    for n in found:
        a.put_on(n, bed)
    what, where = a.they(found), a.the(bed)
    return ObjectRequest(
        (f"make {where} with {what}", f"{what} should be on {where}"),
        tuple(a.edge(n, "ON", bed) for n in found),
    )


def restock_the_bathroom(a: Demonstrator) -> ObjectRequest:
    """Something for the bathroom is in its cabinet, which is closed."""
    cabinet = a.pick("bathroom_cabinet")
    kinds = ("soap", "shampoo", "toilet_paper", "towel", "tooth_paste", "toothbrush")
    n = a.pick(*kinds, where=lambda n: not a.inside(n, "bathroom_cabinet"))
    a.put_in(n, cabinet)
    a.close(cabinet)
    what = a.the(n)
    return ObjectRequest(
        (f"keep {what} in the bathroom cabinet, closed", f"store {what} in the bathroom cabinet and close it"),
        (a.edge(n, "INSIDE", cabinet), a.state(cabinet, "CLOSED")),
    )


def store_in_a_box(a: Demonstrator) -> ObjectRequest:
    """Something is in a box, which is closed."""
    box = a.pick("box")
    n = a.pick("sweater", "shoes", "book", "coat", "magazine", "photo_frame", where=lambda n: not a.inside(n, "box"))
    a.put_in(n, box)
    a.close(box)
    what, where = a.the(n), a.the(box)
    return ObjectRequest(
        (f"store {what} in {where} and close it", f"pack {what} into {where}, lid closed"),
        (a.edge(n, "INSIDE", box), a.state(box, "CLOSED")),
    )


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


def throw_papers_away(a: Demonstrator) -> ObjectRequest:
    """Old papers are in the trash can."""
    paper, can = a.pick("newspaper", "magazine", "envelope", "notebook", "toilet_paper"), a.pick("trashcan")
    a.put_in(paper, can)
    what = a.the(paper)
    return ObjectRequest((f"throw {what} into the trash can", f"dispose of {what}"), (a.edge(paper, "INSIDE", can),))


HOUSE: Final[tuple[Callable[[Demonstrator], ObjectRequest], ...]] = (
    turn_on_a_light,
    turn_off_all_lights,
    turn_on_a_lamp,
    unplug_a_device,
    switch_everything_off,
    open_a_window,
    close_all_doors,
    darken_the_bedroom,
    clean_a_floor,
    wipe_a_surface,
    clean_the_bathroom,
    wash_clothes,
    collect_laundry,
    put_clothes_away,
    hang_up_a_towel,
    tidy_up_toys,
    shelve_books,
    make_the_bed,
    restock_the_bathroom,
    store_in_a_box,
    bring_something,
    throw_papers_away,
)
