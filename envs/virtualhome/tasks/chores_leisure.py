"""Household activities around rest, media, body and going out.

Each function carries one out and says what was wanted; to add one, write such a function and name it in `LEISURE`. See
`activities`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .demonstrator import ME, Demonstrator, ObjectRequest


def watch_television(a: Demonstrator) -> ObjectRequest:
    """The character sits on the couch and watches television."""
    screen, couch = a.pick("television"), a.pick("couch")
    a.switch_on(screen)
    a.sit(couch)
    a.watch(screen)
    return ObjectRequest(
        (
            "watch television on the couch",
            "sit on the couch and watch a film on television",
            "relax: couch and television",
        ),
        (a.edge(ME, "ON", couch), a.state(screen, "ON"), a.done("WATCH", screen)),
    )


def listen_to_music(a: Demonstrator) -> ObjectRequest:
    """The radio plays, and the character sits or lies."""
    radio, seat = a.pick("radio"), a.pick("couch", "armchair", "bed")
    a.switch_on(radio)
    a.sit(seat)
    where = a.the(seat)
    return ObjectRequest(
        (f"listen to music on the radio, sitting on {where}", f"sit on {where} while the radio plays"),
        (a.edge(ME, "ON", seat), a.state(radio, "ON")),
    )


def _go_online(a: Demonstrator) -> tuple[int, int]:
    computer = a.pick("computer")
    seat = a.near(computer, "chair", "couch", "bed")
    a.switch_on(computer)
    a.sit(seat)
    return computer, seat


def browse_the_internet(a: Demonstrator) -> ObjectRequest:
    """The character sits at the computer and looks at it."""
    computer, seat = _go_online(a)
    a.watch(computer)
    kind = a.world.scene.classes[seat]
    return ObjectRequest(
        (
            f"browse the internet on the computer, sitting on a {kind}",
            f"sit on a {kind} and read the news on the computer",
        ),
        (a.edge(ME, "ON", kind), a.state(computer, "ON"), a.done("WATCH", computer)),
    )


def write_an_email(a: Demonstrator) -> ObjectRequest:
    """The character sits at the computer and types."""
    computer, seat = _go_online(a)
    keyboard = a.near(computer, "keyboard")
    a.do("TYPE", keyboard)
    kind = a.world.scene.classes[seat]
    return ObjectRequest(
        (f"write an e-mail, sitting on a {kind}", f"type an e-mail on the computer while you sit on a {kind}"),
        (a.edge(ME, "ON", kind), a.state(computer, "ON"), a.done("TYPE", keyboard)),
    )


def answer_the_phone(a: Demonstrator) -> ObjectRequest:
    """The character holds the phone."""
    phone = a.pick("phone")
    a.fetch(phone)
    return ObjectRequest(
        ("answer the phone", "the phone rings: take the call", "somebody calls: get the phone in your hand"),
        (a.edge(ME, "HOLDS", phone),),
    )


def read_something(a: Demonstrator) -> ObjectRequest:
    """The character sits and reads."""
    text, seat = a.pick("book", "newspaper", "magazine"), a.pick("couch", "bed", "armchair", "bench")
    a.fetch(text)
    a.sit(seat)
    a.do("READ", text)
    kind = a.world.scene.classes[text]
    what, where = a.an(text), a.the(seat)
    return ObjectRequest(
        (f"read {what} on {where}", f"sit on {where} with {what} and read", f"enjoy {what}, sitting on {where}"),
        (a.edge(ME, "ON", seat), a.done("READ", kind)),
    )


def study_at_the_desk(a: Demonstrator) -> ObjectRequest:
    """A book is read on a chair, in the light."""
    book, desk = a.pick("book", "notebook"), a.pick("desk")
    light, chair = a.near(desk, "light"), a.near(desk, "chair")
    a.switch_on(light)
    a.fetch(book)
    a.sit(chair)
    a.do("READ", book)
    kind, room = a.world.scene.classes[book], a.name(a.room(desk))
    return ObjectRequest(
        (
            f"study {a.an(book)} on {a.the(chair)}, with the light on",
            f"read {a.an(book)} in the {room}: sit on {a.the(chair)}, and have the light on",
        ),
        (a.state(light, "ON"), a.edge(ME, "ON", chair), a.done("READ", kind)),
    )


def go_to_sleep(a: Demonstrator) -> ObjectRequest:
    """The character sleeps in a bed, and the light there is off."""
    bed = a.pick("bed")
    light = a.near(bed, "light")
    a.switch_off(light)
    a.lie(bed)
    a.do("SLEEP")
    where = a.the(bed)
    return ObjectRequest(
        (f"go to sleep in {where}, with the light off", f"it is late: sleep in {where}, in the dark"),
        (
            a.edge(ME, "ON", bed),
            {"node": {"class": ME}, "state": "LYING"},
            a.state(light, "OFF"),
            {"done": {"verb": "SLEEP"}},
        ),
    )


def take_a_nap(a: Demonstrator) -> ObjectRequest:
    """The character sleeps on the couch."""
    couch = a.pick("couch")
    a.lie(couch)
    a.do("SLEEP")
    return ObjectRequest(
        ("take a nap on the couch", "lie down on the couch and sleep a little"),
        (a.edge(ME, "ON", couch), {"node": {"class": ME}, "state": "LYING"}, {"done": {"verb": "SLEEP"}}),
    )


def take_a_bath(a: Demonstrator) -> ObjectRequest:
    """The character lies in the bathtub, with the light on."""
    tub = a.pick("bathtub")
    light = a.near(tub, "light")
    a.switch_on(light)
    a.lie(tub)
    return ObjectRequest(
        (
            "take a bath with the light on",
            "have a bath: lie in the bathtub, light on",
            "relax in the bathtub, light on",
        ),
        (a.edge(ME, "ON", tub), {"node": {"class": ME}, "state": "LYING"}, a.state(light, "ON")),
    )


def use_the_toilet(a: Demonstrator) -> ObjectRequest:
    """The character sits on the toilet."""
    toilet = a.pick("toilet")
    a.sit(toilet)
    return ObjectRequest(("use the toilet", "go to the toilet", "sit on the toilet"), (a.edge(ME, "ON", toilet),))


def wash_hands(a: Demonstrator) -> ObjectRequest:
    """The character holds soap at the running water of the bathroom sink."""
    soap, bathroom = a.pick("soap"), a.pick("bathroom")
    sink = a.pick("sink", where=lambda n: a.room(n) == bathroom)
    faucet = a.near(sink, "faucet")
    a.fetch(soap)
    a.reach(sink)
    a.switch_on(faucet)
    return ObjectRequest(
        (
            "wash your hands at the bathroom sink: soap in hand, water running",
            "stand at the bathroom sink with the soap in your hand and the faucet on",
        ),
        (a.edge(ME, "HOLDS", soap), a.state(faucet, "ON"), a.edge(ME, "CLOSE", sink)),
    )


def brush_teeth(a: Demonstrator) -> ObjectRequest:
    """Tooth paste is on the toothbrush, which the character holds at the bathroom sink."""
    brush, paste, bathroom = a.pick("toothbrush"), a.pick("tooth_paste"), a.pick("bathroom")
    sink = a.pick("sink", where=lambda n: a.room(n) == bathroom)
    a.pour(paste, brush)
    a.fetch(brush)
    a.reach(sink)
    return ObjectRequest(
        (
            "brush your teeth: hold the toothbrush with tooth paste at the bathroom sink",
            "be at the bathroom sink with tooth paste on the toothbrush in your hand",
        ),
        (a.edge(paste, "INSIDE", brush), a.edge(ME, "HOLDS", brush), a.edge(ME, "CLOSE", sink)),
    )


def get_dressed(a: Demonstrator) -> ObjectRequest:
    """The character wears a top and pants."""
    garments = [a.pick("shirt", "sweater", "dress"), a.pick("pants")]
    for garment in garments:
        a.fetch(garment)
        a.do("PUTON", garment)
    top, pants = (a.world.scene.classes[garment] for garment in garments)
    return ObjectRequest(
        (f"get dressed in a {top} and pants", f"wear a {top} and pants"),
        (a.edge(top, "ON", ME), a.edge(pants, "ON", ME)),
    )


def pet_the_cat(a: Demonstrator) -> ObjectRequest:
    """The cat is petted."""
    cat = a.pick("cat")
    a.reach(cat)
    a.do("TOUCH", cat)
    return ObjectRequest(("pet the cat", "stroke the cat", "give the cat some attention"), (a.done("TOUCH", cat),))


def get_ready_to_go_out(a: Demonstrator) -> ObjectRequest:
    """The character wears a coat and has the keys."""
    coat, keys = a.pick("coat"), a.pick("keys")
    a.fetch(coat)
    a.do("PUTON", coat)
    a.fetch(keys)
    return ObjectRequest(
        ("get ready to go out: wear the coat and have the keys in your hand", "you are leaving: coat on, keys in hand"),
        (a.edge(coat, "ON", ME), a.edge(ME, "HOLDS", keys)),
    )


def pack_a_bag(a: Demonstrator) -> ObjectRequest:
    """Two things are in the backpack, which is closed."""
    bag = a.pick("backpack")
    kinds = ("book", "water", "keys", "notebook", "pen", "wallet", "sweater", "apple", "towel", "phone")
    found = a.some(2, *kinds, where=lambda n: not a.inside(n, "backpack"))
    for n in found:
        a.put_in(n, bag)
    a.close(bag)
    what = a.they(found)
    return ObjectRequest(
        (f"pack {what} in the backpack and close it", f"for the trip: {what} in the closed backpack"),
        (*(a.edge(n, "INSIDE", bag) for n in found), a.state(bag, "CLOSED")),
    )


def set_up_a_reading_corner(a: Demonstrator) -> ObjectRequest:
    """The lamp at the couch is on, a book and something to drink are on the coffee table."""
    lamp, table = a.pick("floor_lamp"), a.pick("coffee_table")
    book = a.pick("book", where=lambda n: not a.on(n, "coffee_table"))
    vessel = a.pick("cup", "glass", where=lambda n: not a.on(n, "coffee_table"))
    a.switch_on(lamp)
    a.put_on(book, table)
    a.put_on(vessel, table)
    what = a.they([book, vessel])
    return ObjectRequest(
        (
            f"set up a reading corner: the floor lamp on, {what} on the coffee table",
            f"make the coffee table a place to read, with {what} there and the floor lamp on",
        ),
        (a.state(lamp, "ON"), a.edge(book, "ON", table), a.edge(vessel, "ON", table)),
    )


def prepare_a_movie_night(a: Demonstrator) -> ObjectRequest:
    """The television is on, a snack is on the coffee table, a pillow on the couch, and the light is off."""
    screen, table, couch = a.pick("television"), a.pick("coffee_table"), a.pick("couch")
    light = a.near(screen, "light")
    snack = a.pick("cookies", "apple", "banana", "pie", "bread", "cheese", where=lambda n: not a.on(n, "coffee_table"))
    pillow = a.pick("pillow", "blanket")
    a.put_on(snack, table)
    a.put_on(pillow, couch)
    a.switch_on(screen)
    a.switch_off(light)
    what, where = a.the(snack), a.the(pillow)
    return ObjectRequest(
        (
            f"prepare a movie night: {what} on the coffee table, {where} on the couch, the television on, light off",
            f"have {what} on the coffee table and {where} on the couch, the television running and the light off",
        ),
        (
            a.state(screen, "ON"),
            a.state(light, "OFF"),
            a.edge(snack, "ON", table),
            a.edge(pillow, "ON", couch),
        ),
    )


LEISURE: Final[tuple[Callable[[Demonstrator], ObjectRequest], ...]] = (
    watch_television,
    listen_to_music,
    browse_the_internet,
    write_an_email,
    answer_the_phone,
    read_something,
    study_at_the_desk,
    go_to_sleep,
    take_a_nap,
    take_a_bath,
    use_the_toilet,
    wash_hands,
    brush_teeth,
    get_dressed,
    pet_the_cat,
    get_ready_to_go_out,
    pack_a_bag,
    set_up_a_reading_corner,
    prepare_a_movie_night,
)
