"""Household activities around food and dishes.

Each function carries one out and says what was wanted; to add one, write such a function and name it in `KITCHEN`. See
`activities`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .demonstrator import ME, Demonstrator, Json, ObjectRequest

DISHES: Final = ("plate", "bowl", "cup", "glass", "fork", "spoon", "pot", "frying_pan", "kitchen_knife")
TABLES: Final = ("dining_table", "coffee_table", "kitchen_counter", "desk")


def drink_something(a: Demonstrator) -> ObjectRequest:
    """Pour a drink and drink it."""
    vessel = a.pick("glass", "cup")
    drink = a.pick("DRINKABLE")
    a.pour(drink, vessel)
    a.fetch(vessel)
    a.do("DRINK", vessel)
    kind = a.world.scene.classes[vessel]
    what, from_what = a.name(drink), a.an(vessel)
    return ObjectRequest(
        (
            f"have some {what} from {from_what}",
            f"you are thirsty: drink {what} out of {from_what}",
            f"drink a {a.name(vessel)} of {what}",
        ),
        (a.edge(drink, "INSIDE", kind), a.done("DRINK", kind)),
    )


def serve_a_drink(a: Demonstrator) -> ObjectRequest:
    """A filled glass stands on a table."""
    vessel, drink, table = a.pick("glass", "cup"), a.pick("DRINKABLE"), a.pick("coffee_table", "dining_table", "desk")
    a.pour(drink, vessel)
    a.put_on(vessel, table)
    return ObjectRequest(
        (
            f"serve a {a.name(vessel)} of {a.name(drink)} on {a.the(table)}",
            f"there should be {a.name(drink)} in {a.the(vessel)}, and that on {a.the(table)}",
        ),
        (a.edge(drink, "INSIDE", vessel), a.edge(vessel, "ON", table)),
    )


def make_coffee(a: Demonstrator) -> ObjectRequest:
    """The coffee maker is filled and runs."""
    machine, coffee = a.pick("coffee_maker"), a.pick("ground_coffee")
    a.pour(coffee, machine)
    a.switch_on(machine)
    return ObjectRequest(
        ("make coffee", "brew some fresh coffee", "get the coffee maker going with ground coffee"),
        (a.edge(coffee, "INSIDE", machine), a.state(machine, "ON")),
    )


def boil_water(a: Demonstrator) -> ObjectRequest:
    """Water boils in a pot on the stove."""
    water, pot, stove = a.pick("water"), a.pick("pot"), a.pick("stove")
    a.put_on(pot, stove)
    a.pour(water, pot)
    a.switch_on(stove)
    return ObjectRequest(
        ("boil water in the pot on the stove", "bring some water to the boil in the pot"),
        (a.edge(water, "INSIDE", pot), a.edge(pot, "ON", stove), a.state(stove, "ON")),
    )


def cook_on_the_stove(a: Demonstrator) -> ObjectRequest:
    """Food cooks in a vessel on the stove."""
    stove, vessel = a.pick("stove"), a.pick("pot", "frying_pan")
    food = a.pick("chicken", "egg", "tomato", "soup", "cheese")
    a.put_on(vessel, stove)
    a.put_in(food, vessel)
    a.switch_on(stove)
    return ObjectRequest(
        (
            f"cook {a.the(food)} in {a.the(vessel)} on the stove",
            f"make a hot meal of {a.the(food)}, with {a.the(vessel)} on the stove",
        ),
        (a.edge(food, "INSIDE", vessel), a.edge(vessel, "ON", stove), a.state(stove, "ON")),
    )


def _heat(a: Demonstrator, machine: int, food: int) -> tuple[Json, ...]:
    a.put_in(food, machine)
    a.close(machine)
    a.switch_on(machine)
    return a.edge(food, "INSIDE", machine), a.state(machine, "CLOSED"), a.state(machine, "ON")


def heat_in_the_microwave(a: Demonstrator) -> ObjectRequest:
    """Food is heated in the microwave."""
    food = a.pick("chicken", "pie", "bread", "soup", "tomato", "egg", "milk")
    conditions = _heat(a, a.pick("microwave"), food)
    return ObjectRequest(
        (f"warm up {a.the(food)} in the microwave", f"microwave {a.the(food)}", f"cook {a.the(food)} in the microwave"),
        conditions,
    )


def bake_in_the_oven(a: Demonstrator) -> ObjectRequest:
    """Food bakes in the oven."""
    food = a.pick("chicken", "pie", "bread", "cheese", "apple")
    conditions = _heat(a, a.pick("oven"), food)
    return ObjectRequest(
        (f"bake {a.the(food)}", f"get {a.the(food)} baking in the oven", f"roast {a.the(food)}"), conditions
    )


def make_toast(a: Demonstrator) -> ObjectRequest:
    """Bread is in the toaster, and it is on."""
    bread, toaster = a.pick("bread"), a.pick("toaster")
    a.put_in(bread, toaster)
    a.switch_on(toaster)
    return ObjectRequest(
        ("make toast", "toast some bread", "have bread toasting in the toaster"),
        (a.edge(bread, "INSIDE", toaster), a.state(toaster, "ON")),
    )


def put_groceries_in_the_fridge(a: Demonstrator) -> ObjectRequest:
    """One or two groceries are in the fridge, which is closed."""
    fridge = a.pick("fridge")
    count = a.choices.between(1, 2)
    foods = a.some(count, "EATABLE", "DRINKABLE", where=lambda n: not a.inside(n, "fridge"), at_least=1)
    for food in foods:
        a.put_in(food, fridge)
    a.close(fridge)
    what = a.they(foods)
    return ObjectRequest(
        (f"put {what} in the fridge", f"store {what} in the fridge", f"{what} should be kept cold: use the fridge"),
        (*(a.edge(food, "INSIDE", fridge) for food in foods), a.state(fridge, "CLOSED")),
    )


def take_food_out_of_the_fridge(a: Demonstrator) -> ObjectRequest:
    """Something from the fridge is on a table, and the fridge is closed."""
    fridge = a.pick("fridge")
    food = a.pick("EATABLE", "DRINKABLE", where=lambda n: a.inside(n, "fridge"))
    table = a.pick("dining_table", "kitchen_counter")
    a.put_on(food, table)
    a.close(fridge)
    return ObjectRequest(
        (
            f"get {a.the(food)} from the fridge and leave it on {a.the(table)}",
            f"bring {a.the(food)} to {a.the(table)}, and mind that the fridge is closed",
        ),
        (a.edge(food, "ON", table), a.state(fridge, "CLOSED")),
    )


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


def serve_dinner(a: Demonstrator) -> ObjectRequest:
    """Food is on a plate, and the plate on the dining table."""
    food, plate, table = a.pick("chicken", "pie", "bread", "cheese", "tomato"), a.pick("plate"), a.pick("dining_table")
    a.put_on(plate, table)
    a.put_on(food, plate)
    return ObjectRequest(
        (
            f"serve {a.the(food)} on a plate at the dining table",
            f"dinner: {a.the(food)} on a plate, the plate on the dining table",
        ),
        (a.edge(food, "ON", "plate"), a.edge("plate", "ON", table)),
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


def cut_food(a: Demonstrator) -> ObjectRequest:
    """Something is cut."""
    food, knife = a.pick("CUTTABLE"), a.pick("kitchen_knife")
    a.fetch(knife)
    a.reach(food)
    a.do("CUT", food)
    what = a.the(food)
    return ObjectRequest(
        (f"slice {what}", f"cut {what} up", f"cut {what} with the kitchen knife"), (a.done("CUT", food),)
    )


def throw_food_away(a: Demonstrator) -> ObjectRequest:
    """Food is in the trash can, which is closed."""
    food, can = a.pick("EATABLE"), a.pick("trashcan")
    a.put_in(food, can)
    a.close(can)
    what = a.the(food)
    return ObjectRequest(
        (f"{what} has gone bad: throw it away and close the trash can", f"get rid of {what} in the closed trash can"),
        (a.edge(food, "INSIDE", can), a.state(can, "CLOSED")),
    )


def pack_a_lunch(a: Demonstrator) -> ObjectRequest:
    """Food is in a lunch box or a backpack, which is closed."""
    food, bag = a.pick("apple", "banana", "bread", "cookies", "cheese"), a.pick("lunch_box", "backpack")
    a.put_in(food, bag)
    a.close(bag)
    return ObjectRequest(
        (f"pack {a.the(food)} in {a.the(bag)} and close it", f"{a.the(food)} for lunch goes into {a.the(bag)}, closed"),
        (a.edge(food, "INSIDE", bag), a.state(bag, "CLOSED")),
    )


def wash_dishes(a: Demonstrator) -> ObjectRequest:
    """A dirty dish is clean and in the kitchen sink."""
    dish = a.pick(*DISHES, where=a.dirty)
    sink = a.near(a.pick("fridge"), "sink")
    faucet = a.near(sink, "faucet")
    a.put_in(dish, sink)
    a.switch_on(faucet)
    a.reach(dish)
    a.do("SCRUB", dish)
    a.switch_off(faucet)
    what = a.the(dish)
    return ObjectRequest(
        (f"wash {what} in the kitchen sink", f"{what} is dirty: get it clean and leave it in the kitchen sink"),
        (a.edge(dish, "INSIDE", sink), a.state(dish, "CLEAN"), a.state(faucet, "OFF")),
    )


def run_the_dishwasher(a: Demonstrator) -> ObjectRequest:
    """Dirty dishes are in the dishwasher, which runs."""
    machine = a.pick("dishwasher")
    dishes = a.some(a.choices.between(1, 2), *DISHES, where=a.dirty, at_least=1)
    for dish in dishes:
        a.put_in(dish, machine)
    a.close(machine)
    a.switch_on(machine)
    what = a.they(dishes)
    return ObjectRequest(
        (f"wash {what}, using the dishwasher", f"run the dishwasher with {what} in it"),
        (*(a.edge(d, "INSIDE", machine) for d in dishes), a.state(machine, "CLOSED"), a.state(machine, "ON")),
    )


def bring_dishes_to_the_sink(a: Demonstrator) -> ObjectRequest:
    """Dishes that stand about are in the kitchen sink."""
    sink = a.near(a.pick("fridge"), "sink")
    dishes = a.some(a.choices.between(1, 2), *DISHES, where=lambda n: a.on(n, *TABLES), at_least=1)
    for dish in dishes:
        a.put_in(dish, sink)
    what = a.they(dishes)
    return ObjectRequest(
        (f"bring {what} to the kitchen sink", f"tidy up: {what} should be in the kitchen sink"),
        tuple(a.edge(dish, "INSIDE", sink) for dish in dishes),
    )


def put_dishes_away(a: Demonstrator) -> ObjectRequest:
    """Clean dishes are in the kitchen cabinet, which is closed."""
    cabinet = a.pick("kitchen_cabinet")
    clean = a.some(
        a.choices.between(1, 2),
        *DISHES,
        where=lambda n: not a.dirty(n) and not a.inside(n, "kitchen_cabinet"),
        at_least=1,
    )
    for dish in clean:
        a.put_in(dish, cabinet)
    a.close(cabinet)
    what = a.they(clean)
    return ObjectRequest(
        (f"put {what} away in the kitchen cabinet", f"{what} should be in the kitchen cabinet, with its door closed"),
        (*(a.edge(dish, "INSIDE", cabinet) for dish in clean), a.state(cabinet, "CLOSED")),
    )


def feed_the_cat(a: Demonstrator) -> ObjectRequest:
    """There is food in the cat's bowl."""
    food, bowl = a.pick("cat_food"), a.pick("cat_bowl")
    a.pour(food, bowl)
    return ObjectRequest(
        ("feed the cat", "the cat is hungry: fill its bowl", "there should be cat food in the cat bowl"),
        (a.edge(food, "INSIDE", bowl),),
    )


def water_a_plant(a: Demonstrator) -> ObjectRequest:
    """A houseplant has water."""
    plant, water = a.pick("houseplant"), a.pick("water")
    a.pour(water, plant)
    what = a.the(plant)
    return ObjectRequest((f"water {what}", f"{what} looks dry: give it water"), (a.edge(water, "INSIDE", plant),))


KITCHEN: Final[tuple[Callable[[Demonstrator], ObjectRequest], ...]] = (
    drink_something,
    serve_a_drink,
    make_coffee,
    boil_water,
    cook_on_the_stove,
    heat_in_the_microwave,
    bake_in_the_oven,
    make_toast,
    put_groceries_in_the_fridge,
    take_food_out_of_the_fridge,
    set_the_table,
    prepare_breakfast,
    serve_dinner,
    eat_a_snack,
    cut_food,
    throw_food_away,
    pack_a_lunch,
    wash_dishes,
    run_the_dishwasher,
    bring_dishes_to_the_sink,
    put_dishes_away,
    feed_the_cat,
    water_a_plant,
)
