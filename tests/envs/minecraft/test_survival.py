"""Staying alive and not getting stuck: armour, death, meals, what is thrown away, what was tried in vain."""

import json
import re
import subprocess
from itertools import pairwise
from typing import Any

import pytest

from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.explorer import Explorer, spare
from pathei.envs.minecraft.plans import Planner
from pathei.envs.minecraft.process.game import RUNTIME, SERVER

from .conftest import Begin, needs_minecraft

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("minecraft")]
IRON = {"iron_helmet": 165, "iron_chestplate": 240, "iron_leggings": 225, "iron_boots": 195}
"""Pieces of armour, and how many hits each takes."""


def wait_for(env: MinecraftEnv, words: str) -> str:
    """Wait until this is said, and return all that is said then."""
    for _ in range(60):
        text = env.step("wait")[0]
        if re.search(words, text):
            return text
    raise AssertionError(f"nothing said {words!r}")


def likeliest(env: MinecraftEnv) -> list[str]:
    """Return what the prior gives the greatest weight."""
    weights = dict(zip(env.actions(), env.model().prior(env.actions()), strict=True))
    return [action for action, weight in weights.items() if weight == max(weights.values())]


@pytest.mark.parametrize("worn", [{}, IRON])
def test_armour_takes_the_edge_off_a_hit_and_wears_out(begin: Begin, worn: dict[str, int]) -> None:
    env = begin(inventory=dict.fromkeys(worn, 1), time=14_000)
    for piece in worn:
        assert "error" not in env.step(f"equip {piece}")[4]
    assert list(filter(None, env.moment.seen["worn"])) == list(worn)
    assert env.moment.seen["inventory"] == {}
    text = wait_for(env, "hit you|shot you")
    healths = [20.0, *map(float, re.findall(r"(?:hit|shot) you \(health ([\d.]+)\)", text))]
    lost = [before - after for before, after in pairwise(healths)]
    assert (lost[0], max(lost)) == (1, 1) if worn else lost[0] >= 2
    assert env.moment.seen["durability"] == {piece: most - len(lost) for piece, most in worn.items()}


@pytest.mark.parametrize("keep", [False, True])
def test_the_dead_come_back_where_they_began(begin: Begin, keep: bool) -> None:
    env = begin(inventory={"diamond": 1}, time=14_000, keep_inventory=keep)
    x, _, z = env.moment.seen["position"]
    text = wait_for(env, "You died")
    assert "You came back to life" in text
    seen = env.moment.seen
    assert (seen["health"], seen["food"], seen["stats"]["died"]) == (20, 20, {"times": 1})
    assert abs(seen["position"][0] - x) + abs(seen["position"][2] - z) < 4
    assert seen["inventory"] == ({"diamond": 1} if keep else {})
    env.step("wait")
    assert env.moment.seen["inventory"] == {"diamond": 1}  # what was lost lay there


def test_one_who_is_hungry_eats_and_armour_is_put_on(begin: Begin) -> None:
    held = {"bread": 1, "rotten_flesh": 1, "iron_helmet": 1, "leather_helmet": 1}
    env = begin([{"inventory": "dirt"}], inventory=held, food=8)
    for first in ("eat bread", "equip iron_helmet"):
        assert likeliest(env) == [first]
        explorer = Explorer(env.game.rules, env.moment.goals)
        assert explorer.next(env.moment.seen, env.moment.begun[0], env.actions()) == first
        env.step(first)
    assert likeliest(env) == ["mine dirt"]
    assert "equip leather_helmet" in env.actions()


def test_what_is_of_no_use_is_thrown_away_first(shared: MinecraftEnv) -> None:
    planner = Planner(shared.game.rules)
    held = {"stick": 2, "stone_pickaxe": 1, "wooden_pickaxe": 1, "iron_pickaxe": 1, "oak_door": 3, "oak_button": 1}
    thrown: list[Any] = []
    while held:
        seen: Any = {"free": 0, "inventory": held, "within": ["stone", "oak_log"], "stats": {}}
        action = spare(planner, (), seen, [f"drop {count} {name}" for name, count in held.items()])
        assert action is not None
        thrown.append(action.split()[-1])
        del held[thrown[-1]]
    assert set(thrown[:4]) == {"oak_button", "wooden_pickaxe", "oak_door", "stone_pickaxe"}
    assert thrown[-1] == "iron_pickaxe"


def test_what_was_tried_in_vain_is_not_expected_to_help(begin: Begin) -> None:
    env = begin([{"inventory": "cobblestone"}], inventory={"chest": 1, "dirt": 2})
    env.step("place chest")
    env.step("deposit 1 dirt")
    assert env.step("withdraw 2 dirt")[4]["failed"] == "the chest holds 1 dirt, not 2"
    assert env.moment.vain == ((0, "withdraw 2 dirt"),)
    assert "error" in env.step("craft furnace")[4]
    (first,) = likeliest(env)
    env._moment = env.moment._replace(vain=(*env.moment.vain, (0, first)))
    assert env.model().prior([first, "wait"]) == [1.0, 1.0]
    assert {"explore north", "explore east"} <= set(likeliest(env))
    env.step("wait")
    assert not env.moment.vain
    assert likeliest(env) == [first]


def test_an_action_that_takes_too_long_says_so(begin: Begin) -> None:
    env = begin(difficulty="peaceful")
    said = [env.step("explore down")[4].get("failed") for _ in range(3)]
    assert "it took longer than 90 seconds of the game" in said
    assert set(said) <= {None, "it took longer than 90 seconds of the game"}


def test_smelting_burns_what_lasts(begin: Begin) -> None:
    env = begin(inventory={"furnace": 1, "coal": 1, "oak_planks": 12, "raw_iron": 9}, difficulty="peaceful")
    env.step("place furnace")
    assert "failed" not in env.step("smelt 9 raw_iron")[4]
    assert env.moment.seen["inventory"] == {"coal": 1, "oak_planks": 6, "iron_ingot": 9}


WAY = """
const { findWay } = require(process.argv[1])
const [bank, deep, from, to] = JSON.parse(process.argv[2])
const names = ['air', 'stone', 'water', 'bedrock']
const data = { solid: [0, 1, 0, 1], blockOf: names.map(name => ({ name })) }
const get = (x, y, z) => Math.abs(z) > 1 || x > 6 ? 3 : x > 0 ? +(y <= bank) : y > 62 ? 0 : y > 58 ? 2 : 1
const reached = deep ? (x, y) => y <= to : x => x >= to
const guess = deep ? (x, y) => Math.max(0, y - to) : x => Math.max(0, to - x)
const { steps, whole } = findWay(data, { get }, from, reached, guess, () => 3)
console.log(JSON.stringify([whole, steps.flatMap(step => step.dig)]))
"""
"""Finds a way in a world between walls: a lake 4 deep where x is at most 0, then stone up to the height `bank`."""


@pytest.mark.parametrize(
    ("bank", "deep", "start", "to", "digs"),
    [
        (62, False, [-3, 62, 0], 3, False),  # a bank as high as the water: one climbs out
        (63, False, [-3, 62, 0], 3, True),  # one block higher: one has to dig
        (62, True, [2, 63, 0], 55, True),  # a shaft beside the lake
        (62, True, [-1, 62, 0], 55, True),  # from the water one goes ashore first
    ],
)
def test_ways_lead_out_of_the_water_and_let_none_in(
    bank: int, deep: bool, start: list[int], to: int, digs: bool
) -> None:
    needs_minecraft()
    ran = subprocess.run(
        ["node", "-e", WAY, str(SERVER / "bot" / "navigate.js"), json.dumps([bank, deep, start, to])],
        env={"NODE_PATH": str(RUNTIME.require() / "node_modules"), "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    whole, dug = json.loads(ran.stdout)
    assert whole
    assert bool(dug) == digs
    if deep:
        assert all(x > 1 for x, _, _ in dug)  # a block at 1 has water at its side


BODY = """
const { fresh, tickBody } = require(process.argv[1])
const hurt = []
const game = { state: { age: 0 }, peaceful: false, name: (x, y) => where[y > 1 ? 1 : 0] }
const player = { state: fresh([0, 0, 0]), hurt: (points, why) => hurt.push([game.state.age, points, why]) }
let where
for (const [ticks, feet, head] of JSON.parse(process.argv[2])) {
  where = [feet, head]
  for (let i = 0; i < ticks; i++) { game.state.age++; tickBody(game, player) }
}
console.log(JSON.stringify(hurt))
"""
"""Lets a body be in some blocks for some ticks, and prints when it was hurt, by how much and why."""


@pytest.mark.parametrize(
    ("stays", "hurt"),
    [
        ([[319, "water", "water"], [100, "water", "air"], [300, "water", "water"]], []),  # up for air in time
        ([[361, "water", "water"]], [[tick, 2, "you are drowning"] for tick in (320, 340, 360)]),
        ([[20, "lava", "air"], [18, "air", "air"], [50, "water", "air"]], [[10, 4, "lava"], [20, 4, "lava"]]),
    ],
)
def test_water_takes_the_breath_and_puts_out_what_lava_sets_on_fire(stays: list[Any], hurt: list[Any]) -> None:
    """As in the game: 15 s of air, then 2 points a second; lava 4 points twice a second, and 15 s of fire after it."""
    assert [[tick, points, why.removeprefix("you are in ")] for tick, points, why in hurt_by(stays)] == hurt


def test_fire_burns_a_second_at_a_time_until_it_is_out() -> None:
    burning = [points for _, points, why in hurt_by([[1, "lava", "air"], [400, "air", "air"]]) if "burning" in why]
    assert burning == [1] * 15


def hurt_by(stays: list[Any]) -> list[Any]:
    """Return when a body was hurt that stayed in blocks for some ticks, by how much, and why."""
    needs_minecraft()
    command = ["node", "-e", BODY, str(SERVER / "game" / "body.js"), json.dumps(stays)]
    return list(json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout))


def test_nobody_drowns_digging_down_by_a_lake(begin: Begin) -> None:
    """In world 1 there is a lake where the bot begins: it walks away from it before it digs."""
    env = begin([{"reached": {"depth": 40}}], world=1, inventory={"stone_pickaxe": 1}, spawn_mobs=False)
    for action in ("explore down", "explore down", "explore down"):
        if not env.over:
            env.step(action)
        assert env.moment.seen["health"] == 20
        assert not env.moment.failed
    assert env.over


def test_one_who_digs_under_water_comes_up_for_air(begin: Begin) -> None:
    """In world 6 the gravel lies on the ground of a lake: what would take longer than a breath is left."""
    env = begin(world=6, spawn_mobs=False)
    text = env.step("mine 30 gravel")[0]
    assert "drowning" not in text
    assert env.moment.seen["health"] == 20
    assert env.moment.seen["inventory"]
