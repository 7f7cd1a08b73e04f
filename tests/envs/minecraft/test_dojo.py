"""MineDojo's programmatic tasks in this world are what the package's own list and rules of success say they are."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from pathei.collectors.tasks import tasks_named
from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.goals import MinecraftGoal, read_goal
from pathei.envs.minecraft.plans import Planner
from pathei.envs.minecraft.tasks import demonstration
from pathei.envs.minecraft.tasks.dojo import KINDS, goal_of, read_task, to_task, why_not
from pathei.envs.minecraft.tasks.dojo_list import dojo_names, dojo_tasks
from pathei.envs.minedojo import runtime as package
from pathei.envs.registry import get_env
from pathei.errors import ConfigError, ForeignRuntimeError, GoalError

from .conftest import Begin

ASK = """
import json
from minedojo.tasks import ALL_TASKS_SPECS, P_TASKS_PROMPTS_GUIDANCE
from minedojo.tasks.meta.utils import success_criteria as rules

def plain(x):
    if hasattr(x, "items"):
        return {str(k): plain(v) for k, v in x.items()}
    return x if isinstance(x, (str, int)) else str(x)

def stat(kind, name, number):
    used = {"minecraft": {name: number}}
    return {"stat": {"kill_entity": {name: number}, "use_item": used, "time_since_death": number}}

def held(number):
    return {"inventory": [{"name": "dirt", "quantity": 1}, {"name": "log", "quantity": number}]}

said = []
for before, now in [(0, 0), (0, 1), (1, 1), (2, 3), (0, 8), (3, 10), (3, 11)]:
    said.append([before, now, bool(rules.simple_inventory_based_check("log", 8)(
        ini_info_dict=held(before), cur_info_dict=held(now), elapsed_timesteps=1))])
used = [[n, bool(rules.use_all_item_check({"bow": 1})(
    ini_info_dict=stat("", "bow", 0), cur_info_dict=stat("", "bow", n), elapsed_timesteps=1))] for n in (0, 1, 2)]
killed = [[n, bool(rules.simple_stat_kill_entity_based_check("cow", 1)(
    ini_info_dict=stat("", "cow", 0), cur_info_dict=stat("", "cow", n), elapsed_timesteps=1))] for n in (0, 1, 2)]
lived = [[n, bool(rules.time_since_death_check(100 * 24000)(
    ini_info_dict={}, cur_info_dict=stat("", "x", n), elapsed_timesteps=1))] for n in (0, 2399999, 2400000)]
print(json.dumps({"specs": {k: plain(v) for k, v in ALL_TASKS_SPECS.items() if k in P_TASKS_PROMPTS_GUIDANCE},
                  "harvest": said, "techtree": used, "combat": killed, "survival": lived}))
"""
"""Asks the real package for its programmatic tasks, and its rules of success about some cases."""


@pytest.fixture(scope="module")
def real() -> Any:
    """What the real package says."""
    if package.RUNTIME.folder is None:
        pytest.skip("MineDojo is not installed: run 'pathei env install minedojo'")
    said = subprocess.run([package.python(), "-c", ASK], capture_output=True, text=True, check=True, timeout=300)
    return json.loads(said.stdout.splitlines()[-1])


@pytest.fixture
def begin_task(begin: Begin) -> Callable[[str, int], MinecraftEnv]:
    """Begins one of MineDojo's tasks, by its id, in a world."""

    def started(name: str, world: int) -> MinecraftEnv:
        task = to_task(read_task(name), world)
        return begin(task.goal.conditions, **{"inventory": {}, **task.options})

    return started


@pytest.mark.integration
def test_every_programmatic_task_is_read_as_the_package_specifies_it(real: Any) -> None:
    assert len(real["specs"]) == 1572
    for name, spec in real["specs"].items():
        task, begun = read_task(name), spec.get("initial_inventory", {})
        on = ("feet", "legs", "chest", "head", "offhand")
        assert task.kind == spec["__cls__"]
        assert task.target == (spec.get("target_names") or spec.get("tech_item") or "")
        assert task.number == (spec.get("target_quantities") or spec.get("target_days") or 1)
        assert task.biome == spec.get("specified_biome")
        assert task.worn == tuple(one["name"] for place, one in begun.items() if place in on)
        assert task.held == {one["name"]: one.get("quantity", 1) for place, one in begun.items() if place not in on}
        assert task.creatures == ((spec["initial_mobs"],) if "initial_mobs" in spec else ())
        assert task.night == bool(spec.get("always_night"))


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_the_list_is_what_this_world_can_hold_of_the_package_s(real: Any, shared: MinecraftEnv) -> None:
    planner = Planner(shared.game.rules)
    held = [name for name in real["specs"] if why_not(read_task(name), planner) is None]
    assert sorted(held) == sorted(dojo_names())
    assert why_not(read_task("combat_bat_plains_barehand"), planner) == "there is no creature bat"
    assert why_not(read_task("harvest_1_log_jungle"), planner) == "there is no biome jungle"
    assert why_not(read_task("harvest_8_quartz"), planner) == "no way is known to get quartz"
    assert why_not(read_task("techtree_from_barehand_to_archery"), planner) == "nothing can be done with a bow"


@pytest.mark.integration
def test_the_rules_of_success_are_the_package_s(real: Any) -> None:
    nothing = {"inventory": {}, "stats": {}, "worn": [], "alive": 0, "position": [0, 0, 0], "biome": ""}

    def reached(goal: MinecraftGoal, **seen: Any) -> bool:
        return goal.measure({**nothing, **seen}, nothing) >= 1

    for before, now, success in real["harvest"]:
        goal = goal_of(read_task("harvest_8_log")._replace(held={"log": before} if before else {}))
        assert reached(goal, inventory={"dirt": 1, "oak_log": now}) == success
    for number, success in real["techtree"]:
        goal = goal_of(read_task("techtree_from_wood_to_stone_axe"))
        assert reached(goal, stats={"used": {"stone_axe": number}}) == success
    for number, success in real["combat"]:
        assert reached(goal_of(read_task("combat_cow_plains_barehand")), stats={"killed": {"cow": number}}) == success
    for ticks, success in real["survival"]:
        assert reached(goal_of(read_task("survival")), alive=ticks) == success


def test_the_list_comes_by_name_and_says_what_it_asks_for() -> None:
    world = get_env("minecraft")
    tasks = tasks_named("minedojo", world)
    assert len({task.id for task in tasks}) == len(tasks) == 948
    counts = [len(tasks_named(f"minedojo-{kind}", world)) for kind in KINDS]
    assert counts == [537, 228, 181, 2]
    by_id = {task.id: task for task in tasks}
    fight = by_id["minedojo:combat_zombie_extreme_hills_iron_armors_wooden_sword_shield"]
    assert fight.goal.text == (
        "Kill a zombie, in extreme hills at night, given 1 wooden sword and iron armour and a shield."
    )
    assert fight.options["biome"] == "windswept_hills"
    assert fight.goal.conditions == ({"killed": "zombie"},)
    assert by_id["minedojo:techtree_from_gold_to_diamond_axe"].goal.conditions == ({"used": "diamond_axe"},)
    assert read_goal(by_id["minedojo:harvest_8_coal"].goal.conditions[0]).thing == "coal|charcoal"
    with pytest.raises(ConfigError, match="nor one of robothow, robothow-eai, minecraft-life, minedojo, "):
        tasks_named("minedojo-cooking", world)
    with pytest.raises(GoalError, match="'bake_a_cake' is no programmatic task of MineDojo's"):
        read_task("bake_a_cake")


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_a_harvest_task_is_reached_with_its_number_and_not_before(begin_task: Any) -> None:
    env = begin_task("harvest_wool_with_shears_and_sheep", 3)
    assert "use shears" in env.actions()
    *_, terminated, _, info = env.step("use shears")
    assert (terminated, info["success"]) == (True, True)
    assert env.moment.seen["stats"]["used"] == {"shears": 1}
    env = begin_task("harvest_8_log", 3)
    *_, terminated, _, info = env.step("mine 2 birch_log")
    assert (terminated, info["success"]) == (False, False)
    assert 0 < info["progress"] < 0.5


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_milk_is_got_from_a_cow_with_a_bucket(begin_task: Any) -> None:
    env = begin_task("harvest_milk_with_empty_bucket_and_cow", 3)
    *_, terminated, _, _ = env.step("use bucket")
    assert terminated
    assert env.moment.seen["inventory"] == {"milk_bucket": 1}


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_a_combat_task_begins_armed_before_its_creature_and_wants_that_one_killed(begin_task: Any) -> None:
    env = begin_task("combat_zombie_plains_iron_armors_iron_sword_shield", 3)
    seen = env.moment.seen
    assert seen["biome"] == "plains"
    assert seen["worn"] == ["iron_helmet", "iron_chestplate", "iron_leggings", "iron_boots"]
    assert seen["inventory"] == {"iron_sword": 1, "shield": 1}
    assert [one["name"] for one in seen["entities"]] == ["zombie"]
    assert seen["time"] == 18_000
    assert not env.step("use iron_sword")[2]
    *_, terminated, _, info = env.step("kill zombie")
    assert (terminated, info["success"]) == (True, True)
    env = begin_task("combat_cow_plains_barehand", 3)
    assert env.step("kill zombie")[4]["error"] == "there is no zombie within 32 blocks"
    assert not env.over


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
@pytest.mark.parametrize(("thing", "doing"), [("stone_hoe", "use"), ("golden_pickaxe", "use"), ("iron_boots", "equip")])
def test_a_tech_tree_task_wants_the_tool_used_and_not_only_had(begin: Begin, thing: str, doing: str) -> None:
    env = begin([{"used": thing}], inventory={"diamond_shovel": 1, thing: 1})
    assert env.step("mine dirt")[2] is False
    assert f"{doing} {thing}" in env.actions()
    assert env.step(f"{doing} {thing}")[2] is True


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_the_oracle_solves_a_tech_tree_task(shared: MinecraftEnv) -> None:
    actions = demonstration(to_task(read_task("techtree_from_barehand_to_wooden_axe"), 3))
    assert actions[-1] == "use wooden_axe"


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
def test_survival_counts_from_the_last_death(begin: Begin) -> None:
    env = begin([{"survived": "day"}], inventory={"lava_bucket": 1}, spawn_mobs=False)
    begun = env.moment.seen["alive"]
    env.step("wait")
    assert env.moment.seen["alive"] > begun + 90
    put = {"hand": 0, "sequence": 0}
    env.game.call("forge", packets=[["look", {"yaw": 0, "pitch": 90, "onGround": True}, 1], ["use_item", put, 200]])
    env.step("wait")
    seen = env.moment.seen
    assert seen["stats"]["died"]["times"] >= 1
    assert seen["alive"] < seen["age"] - 100
    assert not env.over


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"biome": "jungle"}, ConfigError, "'biome' of the Minecraft world is one of plains, forest, .*, not 'jungle'"),
        ({"worn": "shield"}, ConfigError, "'worn' of the Minecraft world is a list of at most 16 names"),
        ({"creatures": [3]}, ConfigError, "'creatures' of the Minecraft world is a list"),
        ({"creatures": ["ghast"]}, ForeignRuntimeError, "there is no creature called ghast here"),
        ({"worn": ["stick"]}, ForeignRuntimeError, "stick cannot be worn"),
    ],
)
def test_what_one_cannot_begin_with_is_named(
    begin: Begin, options: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        begin(**options)


@pytest.mark.integration
@pytest.mark.xdist_group("minecraft")
@pytest.mark.parametrize(
    ("held", "action", "why"),
    [
        ({}, "use shears", "you have no shears"),
        ({"stick": 1}, "use stick", "stick is no tool: equip, place, eat or smelt it"),
        ({"bucket": 1}, "use bucket", "there is no cow within 32 blocks"),
    ],
)
def test_a_tool_that_cannot_be_used_changes_nothing(begin: Begin, held: Any, action: str, why: str) -> None:
    env = begin(inventory=held, spawn_mobs=False)
    before = env.moment.seen
    assert env.step(action)[4]["error"] == why
    assert env.moment.seen == before


def test_tasks_of_some_kinds_only() -> None:
    assert [task.id for task in dojo_tasks(["survival"])] == ["minedojo:survival", "minedojo:survival_sword_food"]
