"""The Minecraft world keeps the contracts; its rules give nothing for nothing; life in it has its dangers."""

import math
import os
import re
import signal
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents.skills.view import EpisodeView
from pathei.collectors.coverage import read_act
from pathei.collectors.search.collector import MctsConfig, find_plan
from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.skill_library import lift
from pathei.envs import check_env, check_snapshot
from pathei.envs.goal_space import GoalCondition
from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.explorer import Explorer
from pathei.envs.minecraft.goals import MinecraftGoal
from pathei.envs.minecraft.graph import WORTH
from pathei.envs.minecraft.plans import Planner
from pathei.envs.minecraft.tasks import playing
from pathei.envs.minecraft.verbalizer import MinecraftVerbalizer
from pathei.errors import ConfigError, ForeignRuntimeError, GoalError, SnapshotError
from pathei.experience import Observation
from pathei.memory.builders.signatures import read_counted, write_counted

from .conftest import WORLD, Begin

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("minecraft")]
WOODS = ("oak", "spruce", "birch")
THINGS = ("planks", "log", "slab", "stairs", "fence", "door", "sign", "button", "sapling")


def have(thing: str) -> MinecraftGoal:
    return MinecraftGoal("inventory", thing, 1)


def test_it_keeps_the_contract_of_environments(shared: MinecraftEnv) -> None:
    check_env(shared, steps=4, remake=False)


def test_its_snapshots_hold_everything(shared: MinecraftEnv) -> None:
    check_snapshot(shared, steps=2, rng=np.random.default_rng(1), rounds=1)


@pytest.mark.parametrize(
    ("held", "action", "why"),
    [
        ({}, "mine cobblestone", "stone gives nothing without a wooden_pickaxe or better"),
        ({"wooden_pickaxe": 1}, "mine raw_iron", "iron_ore gives nothing without a stone_pickaxe or better"),
        ({"stone_pickaxe": 1, "diamond_ore": 1}, "mine diamond", "there is no diamond within 32 blocks"),
        ({"oak_planks": 3, "stick": 2}, "craft wooden_pickaxe", "wooden_pickaxe needs a crafting_table"),
        ({"stick": 1}, "craft torch", "torch needs 1 more "),
        ({"raw_iron": 1, "coal": 1}, "smelt raw_iron", "smelting needs a furnace"),
        ({"raw_iron": 1, "furnace": 1}, "smelt raw_iron", "smelting needs fuel"),
        ({"raw_iron": 1, "coal": 1}, "smelt 2 raw_iron", "you have 1 raw_iron, not 2"),
        ({}, "place furnace", "you have no furnace"),
        ({"bread": 1}, "eat bread", "you are not hungry"),
        ({}, "kill ghast", "there is no creature called ghast here"),
        ({}, "sleep", "one can sleep only at night"),
        ({}, "mine bedrock_of_gold", "no block gives bedrock_of_gold"),
        ({"dirt": 1}, "deposit dirt", "there is no chest within 32 blocks"),
        ({}, "dance", "'dance' is no action"),
    ],
)
def test_what_the_rules_do_not_allow_changes_nothing_and_says_why(
    begin: Begin, held: dict[str, int], action: str, why: str
) -> None:
    env = begin(inventory=held)
    before = env.moment.seen
    text, reward, *_, info = env.step(action)
    assert why in info["error"]
    assert info["error"] in text
    assert reward == 0
    assert env.moment.seen == before
    assert action not in info["actions"]


def test_a_diamond_needs_an_iron_pickaxe(begin: Begin) -> None:
    env = begin(inventory={"stone_pickaxe": 1, "diamond_ore": 1})
    env.step("place diamond_ore")
    before = env.moment.seen
    assert env.step("mine diamond")[4]["error"] == "diamond_ore gives nothing without a iron_pickaxe or better"
    assert env.moment.seen == before


def test_a_forged_click_gains_nothing(begin: Begin) -> None:
    env = begin()
    iron = {"present": True, "itemId": 682, "itemCount": 64}
    for slot, mode in ((0, 0), (36, 0), (0, 1), (36, 2), (9999, 0)):
        packet = {
            "windowId": 0, "stateId": 1, "slot": slot, "mouseButton": 0, "mode": mode,
            "changedSlots": [{"location": 36, "item": iron}], "cursorItem": iron,
        }  # fmt: skip
        assert env.game.call("forge", packets=[["window_click", packet, 0]])["inventory"] == {}


@pytest.mark.parametrize(
    ("tool", "block", "gained"),
    [
        ("dirt", "stone", {}),
        ("wooden_pickaxe", "iron_ore", {}),
        ("stone_pickaxe", "diamond_ore", {}),
        ("iron_pickaxe", "diamond_ore", {"diamond": 1}),
    ],
)
def test_the_world_itself_gives_nothing_for_the_wrong_tool(
    begin: Begin, tool: str, block: str, gained: dict[str, int]
) -> None:
    env = begin(inventory={block: 1, tool: 1}, spawn_mobs=False)
    x, y, z = (int(value // 1) for value in env.moment.seen["position"])
    ground, ore = {"x": x + 1, "y": y - 1, "z": z}, {"x": x + 1, "y": y, "z": z}
    put = {
        "hand": 0,
        "location": ground,
        "direction": 1,
        "cursorX": 0.5,
        "cursorY": 1,
        "cursorZ": 0.5,
        "insideBlock": 0,
    }
    placed = env.game.call("forge", packets=[["held_item_slot", {"slotId": 0}, 1], ["block_place", put, 1]])
    assert placed["inventory"] == {tool: 1}
    early = [["held_item_slot", {"slotId": 1}, 1], ["block_dig", {"status": 0, "location": ore, "face": 1}, 2]]
    broken = ["block_dig", {"status": 2, "location": ore, "face": 1}, 30]
    assert "mined" not in env.game.call("forge", packets=[*early, broken])["stats"]
    early[1][2] = 160
    seen = env.game.call("forge", packets=[*early, broken])
    assert seen["stats"]["mined"] == {block: 1}
    assert {name: count for name, count in seen["inventory"].items() if name != tool} == gained


def test_from_wood_to_iron(begin: Begin) -> None:
    env = begin([{"crafted": "iron_pickaxe"}], inventory={"oak_log": 6, "raw_iron": 3})
    done, progress = list[str](), [env.progress]
    for action in islice(playing(env, Explorer(env.game.rules, env.moment.goals)), 40):
        done.append(action)
        progress.append(env.progress)
    assert env.over
    assert (progress[0], progress[-1]) == (0, 1)
    assert sum(later > before for before, later in pairwise(progress)) > 8
    assert {"craft wooden_pickaxe", "place crafting_table", "place furnace", "smelt 3 raw_iron"} <= set(done)
    assert env.moment.seen["stats"]["smelted"] == {"iron_ingot": 3}
    assert env.moment.seen["durability"]["wooden_pickaxe"] < 59
    assert env.step("wait")[4]["error"] == "the goal is reached, and the episode is over"


def test_the_prior_prefers_as_much_as_the_goal_wants(begin: Begin) -> None:
    env = begin([{"inventory": "cobblestone", "count": 3}], inventory={"wooden_pickaxe": 1})
    env.step("explore down")
    weights = dict(zip(env.actions(), env.model().prior(env.actions()), strict=True))
    assert weights["mine 4 cobblestone"] == max(weights.values()) > weights["mine cobblestone"] > weights["wait"]


@pytest.mark.parametrize(
    ("extra", "thing", "steps"),
    [
        ("iron_nugget", "iron_hoe", ["mine 2 raw_iron", "smelt 2 raw_iron", "craft iron_hoe"]),
        ("raw_copper_block", "copper_ingot", ["craft 9 raw_copper", "smelt raw_copper"]),
        ("raw_iron", "shears", ["mine raw_iron", "smelt 2 raw_iron", "craft shears"]),
        ("oak_log", "crafting_table", ["mine crafting_table"]),
    ],
)
def test_a_plan_makes_nothing_of_itself(shared: MinecraftEnv, extra: str, thing: str, steps: list[str]) -> None:
    held = {"stone_pickaxe": 1, "stick": 4, "coal": 4, extra: 1}
    near = ("crafting_table", "furnace", "iron_ore", "stone")
    assert [str(one) for one in Planner(shared.game.rules).steps(have(thing), held, near, 1)] == steps


@given(st.dictionaries(st.sampled_from(WORTH), st.integers(1, 9), max_size=36), st.sampled_from(WORTH))
def test_what_is_carried_bars_no_goal(shared: MinecraftEnv, held: dict[str, int], thing: str) -> None:
    planner, near = Planner(shared.game.rules), ("crafting_table", "furnace", "iron_ore", "oak_log", "stone")
    assert planner.work(have(thing), {**held, thing: 0}, near, 1) < math.inf


def test_a_search_follows_the_recipe_graph(begin: Begin) -> None:
    env = begin([{"crafted": "wooden_pickaxe"}], inventory={"oak_planks": 3, "stick": 2, "crafting_table": 1})
    search = SearchConfig(simulations=20, depth=4, env_steps=20, selection="puct", stop_on_success=True)
    found = find_plan(env.model(), MctsConfig(search), np.random.default_rng(0))
    for action in found.plan:
        env.step(action)
    assert env.over


def test_what_is_listed_is_read_back_as_a_step_of_a_skill(begin: Begin) -> None:
    held = {"chest": 1, "furnace": 1, "crafting_table": 1, "raw_iron": 5, "coal": 3, "bread": 2, "iron_helmet": 1}
    env = begin(inventory={**held, "stone_pickaxe": 1, "oak_log": 9, "white_bed": 1}, food=10)
    for placing in ("chest", "furnace", "crafting_table"):
        env.step(f"place {placing}")
    env.step("deposit 4 oak_log")
    view = EpisodeView(MinecraftVerbalizer())
    view.see(Observation(env.text(), actions=env.actions()))
    assert len(view.actions) > 40
    for action in view.actions:
        step = view.read_step(action)
        assert view.action(step.verb, step.things) == action
        act, thing = read_act(action), action.split()[-1]
        assert act.number == read_counted(step.verb)[1] == next(map(int, re.findall(r" (\d+) ", action)), None)
        assert act.things == ((thing,) if " " in action else ())
        (lifted,) = lift(GoalCondition(("you HOLDS _",), (thing,)), [action])
        assert lifted == " ".join([write_counted(act.verb, act.number), *("x" for _ in act.things)])


def test_what_lies_in_a_chest_is_there_again(begin: Begin) -> None:
    env = begin(inventory={"chest": 1, "diamond": 5})
    env.step("place chest")
    env.step("deposit 5 diamond")
    assert env.moment.seen["inventory"] == {}
    saved = env.snapshot()
    text, *_, info = env.step("withdraw 2 diamond")
    assert "withdraw 3 diamond" in info["actions"]
    assert env.moment.seen["inventory"] == {"diamond": 2}
    assert "held 3 diamond" in text
    env.restore(saved)
    assert "held 5 diamond" in env.text()
    assert env.step("withdraw 6 diamond")[4]["failed"] == "the chest holds 5 diamond, not 6"


def test_one_whose_hands_are_full_throws_away_what_is_not_needed(begin: Begin) -> None:
    junk = {f"{colour}_wool": 1 for colour in ("white", "orange", "magenta", "light_blue", "yellow", "lime", "pink")}
    held = {**junk, **{f"{wood}_{thing}": 1 for wood in WOODS for thing in THINGS}, "cobblestone": 64, "iron_ingot": 3}
    env = begin([{"inventory": "dirt"}, {"crafted": "iron_pickaxe"}], inventory=held)
    assert (len(held), env.moment.seen["free"]) == (36, 0)
    assert env.step("mine dirt")[4]["failed"].startswith("you can carry no more kinds of things")
    assert env.moment.seen["inventory"] == held
    useless = Explorer(env.game.rules, env.moment.goals).next(env.moment.seen, env.moment.begun[0], env.actions())
    assert useless.startswith("drop ")
    assert "iron_ingot" not in useless
    assert env.step("drop 2 oak_door")[4]["error"] == "you have 1 oak_door, not 2"
    env.step("drop 64 cobblestone")
    saved = env.snapshot()
    texts = [env.step(action)[0] for action in ("wait", "mine dirt", "explore east")]
    assert env.moment.seen["inventory"].get("cobblestone", 0) < 2  # what was thrown away is not picked up at once
    assert env.moment.seen["inventory"]["dirt"]
    env.restore(saved)
    assert [env.step(action)[0] for action in ("wait", "mine dirt", "explore east")] == texts


def test_what_is_seen_is_drawn(shared: MinecraftEnv) -> None:
    env = MinecraftEnv(render_mode="rgb_array", image_size=(48, 64), world=WORLD, spawn_mobs=False)
    env.game = shared.game  # one node process for all tests
    env.reset(seed=0)
    saved, first = env.snapshot(), env.render()
    assert (first.shape, first.dtype) == ((48, 64, 3), np.uint8)
    assert first.std() > 20  # trees, ground and sky
    env.step("mine 2 dirt")
    assert not np.array_equal(env.render(), first)
    env.restore(saved)
    assert np.array_equal(env.render(), first)
    env.reset(seed=0, options={"time": 18_000})
    assert env.render().mean() < 0.6 * first.mean()
    with pytest.raises(ConfigError, match="8 to 1024 points"):
        MinecraftEnv(image_size=(0, 64))


def test_a_life_goes_on_where_an_episode_ended(begin: Begin) -> None:
    options = {"stay": True, "inventory": {"oak_log": 1}}
    assert begin(**options).moment.seen["inventory"] == {"oak_log": 1}
    begin(**options).step("craft oak_planks")
    env = begin([{"crafted": "stick"}], **options)
    assert env.moment.seen["inventory"] == {"oak_planks": 4}
    assert env.work({"crafted": "stick"}) < env.work({"crafted": "wooden_pickaxe"})
    assert env.step("craft stick")[2]
    assert begin(**{**options, "stay": False}).moment.seen["inventory"] == {"oak_log": 1}


def test_eating_helps_the_hungry(begin: Begin) -> None:
    env = begin([{"eaten": "cooked_beef"}], inventory={"cooked_beef": 1}, food=10)
    *_, terminated, _, info = env.step("eat cooked_beef")
    assert (terminated, info["success"], env.moment.seen["food"]) == (True, True, 18)


def test_a_night_is_slept_through(begin: Begin) -> None:
    env = begin(inventory={"white_bed": 1}, time=14_000, difficulty="peaceful")
    env.step("place white_bed")
    assert "(night)" in env.text()
    env.step("sleep")
    assert "You slept until the morning." in env.text()
    assert "06:0" in env.text()


def test_creatures_come_at_night_and_the_dead_lose_what_they_carry(begin: Begin) -> None:
    env = begin(inventory={"diamond": 1}, time=14_000)
    for _ in range(60):
        env.step("wait")
        if "died" in env.moment.seen["stats"]:
            break
    assert "You died" in env.text()
    assert env.moment.seen["inventory"] == {}
    assert env.moment.seen["health"] == 20


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"wrold": 3}, "did you mean 'world'"),
        ({"world": -1}, "'world' .* whole number"),
        ({"food": 21}, "'food' .* from 0 to 20"),
        ({"difficulty": "hard"}, "one of peaceful, normal"),
        ({"daylight": 1}, "true or false"),
        ({"inventory": {"dirt": 0}}, "'inventory'"),
    ],
)
def test_wrong_options_are_named(shared: MinecraftEnv, options: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        shared.reset(options=options)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Mine 1 wood log", [{"inventory": "log"}]),
        ("Craft 4 sticks and a crafting table.", [{"crafted": "stick", "count": 4}, {"crafted": "crafting_table"}]),
        ("smelt 3 raw iron", [{"smelted": "iron_ingot", "count": 3}]),
        ("Cook 2 beef, then eat cooked beef", [{"smelted": "cooked_beef", "count": 2}, {"eaten": "cooked_beef"}]),
        ("kill 1 zombie", [{"killed": "zombie"}]),
    ],
)
def test_tasks_in_words_are_read(begin: Begin, said: str, meant: list[dict[str, Any]]) -> None:
    words, env = MinecraftVerbalizer(), begin()
    goal = words.read_instruction(env, said)
    assert list(goal.conditions) == meant
    assert words.read_instruction(env, goal.text) == goal
    for wrong in ("craft 1 copper sword", "kill a dragon", "be happy"):
        with pytest.raises(GoalError, match="Minecraft world"):
            words.read_instruction(env, wrong)


def test_a_killed_process_is_replaced(begin: Begin) -> None:
    env = begin(inventory={"dirt": 1})
    saved, first = env.snapshot(), env.game.pid
    os.kill(first, signal.SIGKILL)
    with pytest.raises(ForeignRuntimeError, match="was killed by SIGKILL"):
        env.step("wait")
    with pytest.raises(SnapshotError, match="is gone"):
        env.restore(saved)
    env = begin(inventory={"dirt": 1})
    assert env.game.pid != first
    assert env.moment.seen["inventory"] == {"dirt": 1}
