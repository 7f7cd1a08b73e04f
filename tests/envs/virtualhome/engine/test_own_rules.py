"""Actions, properties and states of one's own: a few lines, through the engine and through the environment.

The examples of `docs/guide/envs/virtualhome_rules.md` are run as they stand there.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.virtualhome.engine.effects import become
from pathei.envs.virtualhome.engine.preconditions import SITTING, STATE_OFF, STATE_ON, Precondition, has, in_state
from pathei.envs.virtualhome.engine.profiles import PROFILES, rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction, Rule, Rules
from pathei.envs.virtualhome.engine.rules_clean import IN_REACH
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.envs.virtualhome.model import HomeModel
from pathei.errors import ConfigError, GraphError, UnknownNameError
from pathei.stable_random import StableRandom


def painters(verb: str = "Paint") -> Rules:
    """The clean rules with one more action, which asks for a new property and brings about a new state."""
    base = rules_named("clean").extended(properties=("PAINTABLE",), states=("PAINTED",))
    painted = base.state("PAINTED")
    dry = Precondition("{0} is painted already", lambda w, c, n: not w.having[painted] >> n & 1)
    paint = Rule(
        verb,
        (f"{verb.lower()} {{0}}",),
        first=(has("PAINTABLE"), IN_REACH, dry),
        effects=(lambda w, c, o, d: w.set_state(o, painted, True),),
    )
    return base.extended(paint, name="painters")


def paintable_house() -> dict[str, Any]:
    house = generate_house(3, size="small")
    table = next(node for node in house["nodes"] if node["class_name"] == "dining_table")
    table["properties"].append("PAINTABLE")
    return house


@pytest.fixture
def scene(tmp_path: Path) -> str:
    path = tmp_path / "home.json"
    path.write_bytes(orjson.dumps(paintable_house()))
    return str(path)


# --- in the engine


def test_a_new_action_is_refused_listed_and_done_like_any_other() -> None:
    mine = painters()
    house = Scene.from_graph(paintable_house(), extra_properties=mine.extra_properties, extra_states=mine.extra_states)
    world = World(house, mine)
    table, lamp = (house.of_class[name].bit_length() - 1 for name in ("dining_table", "light"))
    paint = EngineAction("PAINT", table)
    assert world.act(paint) == f"{house.labels[table]} is not within reach"
    assert world.act(EngineAction("WALK", table)) is None
    assert paint in world.admissible()
    key = world.key
    assert world.act(paint) is None
    assert "PAINTED" in world.states_of(table)
    assert world.key != key
    assert world.act(paint) == f"{house.labels[table]} is painted already"
    assert world.refusal(EngineAction("PAINT", lamp)) == f"{house.labels[lamp]} is not paintable"
    world.restore(world.start)
    assert "PAINTED" not in world.states_of(table)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_can_be_extended_from_known_conditions_and_effects(profile: str) -> None:
    blow = Rule(
        "Blow", first=(has("HAS_SWITCH"), in_state(STATE_ON, "{0} is off")), effects=(become(STATE_OFF, STATE_ON),)
    )
    mine = rules_named(profile).extended(blow)
    world = World(Scene.from_graph(generate_house(3)), mine)
    assert mine.name == f"{profile}+"
    action = next(action for action in world.admissible() if action.verb == "BLOW")
    assert world.act(action) is None
    assert "OFF" in world.states_of(action.first)


def test_a_rule_without_objects_asks_the_actor_itself() -> None:
    rest = Rule("Rest", first=(has(classes=("character",)), in_state(SITTING, "{0} is not sitting")), arity=0)
    world = World(Scene.from_graph(generate_house(3)), rules_named("clean").extended(rest))
    me = world.characters[0]
    assert world.act(EngineAction("REST")) == f"{world.scene.labels[me]} is not sitting"
    assert EngineAction("REST") not in world.admissible()
    assert HomeModel(world, None, verbs=()).sample(StableRandom(np.random.default_rng(0))) is None
    model = HomeModel(world, None, verbs=("REST",))
    assert model.sample(StableRandom(np.random.default_rng(0))) is None
    world.set_state(me, SITTING, True)
    assert EngineAction("REST") in world.admissible()
    assert model.sample(StableRandom(np.random.default_rng(0))) == EngineAction("REST")


def test_a_known_verb_can_be_given_another_rule() -> None:
    mine = rules_named("clean").extended(Rule("Greet", ("greet {0}",)))
    world = World(Scene.from_graph(generate_house(3)), mine)
    assert len([action for action in world.admissible() if action.verb == "GREET"]) == world.size


def test_extending_leaves_the_rules_it_began_with_alone() -> None:
    base = rules_named("clean")
    painters()
    assert "PAINT" not in base.table
    assert base.extra_states == ()


def test_states_have_numbers_by_name() -> None:
    mine = rules_named("clean").extended(states=("wet",)).extended(states=("WET", "HOT", "ON"))
    assert mine.extra_states == ("WET", "HOT", "ON")
    assert [mine.state(name) for name in ("closed", "ON", "WET", "hot")] == [0, 2, 10, 11]
    with pytest.raises(UnknownNameError, match="There is no state 'HOTT'; did you mean 'HOT'"):
        mine.state("HOTT")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("Juggle", arity=3), "takes 3 objects"),
        (Rule("Fly away"), "'Fly away' is not one word"),
        (Rule(""), "'' is not one word"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: Rule, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        rules_named("clean").extended(rule)


# --- in the environment


def test_an_action_of_ones_own_works_through_the_environment(scene: str) -> None:
    goal = {"text": "", "conditions": [{"node": {"class": "dining_table"}, "state": "PAINTED"}]}
    env = VirtualHomeEnv(scene=scene, rules=painters(), goal=goal)
    env.reset(seed=0)
    assert "error" not in env.step("walk to kitchen")[4]
    info = env.step("walk to dining table")[4]
    assert [action for action in info["actions"] if action.startswith("[Paint] <dining_table>")]
    observation, reward, terminated, _, _ = env.step("paint the table")
    assert (reward, terminated) == (1.0, True)
    assert "painted" in observation


def test_the_environment_with_such_rules_keeps_the_contracts(scene: str) -> None:
    env = VirtualHomeEnv(scene=scene, rules=painters())
    check_env(env)
    check_snapshot(env, rng=np.random.default_rng(0), rounds=1)


def test_two_sets_of_rules_of_one_name_are_two(scene: str) -> None:
    env = VirtualHomeEnv(scene=scene)
    for verb in ("Paint", "Varnish"):
        env.reset(seed=0, options={"rules": painters(verb)})
        assert verb.upper() in env.world.rules.table


def test_a_property_or_state_that_was_not_declared_is_named(scene: str) -> None:
    mine = rules_named("clean").extended(Rule("Paint", first=(has("PAINTABLE"),)))
    with pytest.raises(ConfigError, match="PAINTABLE"):
        VirtualHomeEnv(scene="house:1", rules=mine).reset(seed=0)
    with pytest.raises(GraphError, match="unknown property 'PAINTABLE'"):
        VirtualHomeEnv(scene=scene).reset(seed=0)


def documented() -> list[str]:
    page = Path(__file__).parents[4] / "docs" / "guide" / "envs" / "virtualhome_rules.md"
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("code", documented())
def test_the_examples_in_the_documentation_run(code: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(code, "docs/guide/envs/virtualhome_rules.md", "exec"), names)  # noqa: S102  # our own page
    assert "error" not in names["info"]
    if "Rule(" in code:
        assert "painted" in names["observation"]
