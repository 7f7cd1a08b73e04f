"""The household as a gymnasium environment: contracts, options, goals, facts, snapshots, and what it survives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import orjson
import pytest
from gymnasium.wrappers import OrderEnforcing, RecordEpisodeStatistics, TimeLimit
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.envs import check_env, check_snapshot, restore, snapshot
from pathei.envs.virtualhome.engine.profiles import PROFILES
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.houses.generate import generate_house
from pathei.errors import ConfigError, GoalError, GraphError, PatheiError

Env = gymnasium.Env[str, str]
Wrap = Callable[[Env], Env]

GOAL = {
    "text": "light the kitchen and hold something",
    "conditions": [
        {"node": {"class": "light"}, "state": "ON", "count": "all"},
        {"from": {"class": "character"}, "relation": "HOLDS", "to": {"property": "GRABBABLE"}, "weight": 2.0},
    ],
}


def make(**options: Any) -> VirtualHomeEnv:
    return VirtualHomeEnv(**{"size": "small", **options})


def wander(env: Env, info: dict[str, Any], rng: np.random.Generator, steps: int) -> list[tuple[Any, ...]]:
    """Take random admissible actions; return what each step returned."""
    results = []
    for _ in range(steps):
        result = env.step(str(rng.choice(info["actions"])))
        results.append(result)
        info = result[4]
    return results


# --- contracts

WRAPPINGS: dict[str, Wrap] = {
    "bare": lambda env: env,
    "time limit": lambda env: TimeLimit(env, 15),
    "all": lambda env: RecordEpisodeStatistics(TimeLimit(OrderEnforcing(env), 12)),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("options", [{}, {"characters": 2, "rules": "v1"}, {"goal": GOAL, "scene": "house:3"}], ids=str)
def test_the_environment_and_its_wrapped_forms_keep_the_contracts(wrapping: str, options: dict[str, Any]) -> None:
    env = WRAPPINGS[wrapping](make(**options))
    check_env(env)
    check_snapshot(env, rng=np.random.default_rng(1), rounds=2)


@pytest.mark.parametrize("rules", sorted(PROFILES))
def test_every_set_of_rules_keeps_the_contracts(rules: str) -> None:
    env = TimeLimit(make(rules=rules, listing="all"), 20)
    check_env(env)
    check_snapshot(env, rng=np.random.default_rng(2), rounds=2)


def test_render_tells_what_was_observed() -> None:
    env = make(render_mode="ansi")
    observation, _ = env.reset(seed=1)
    assert env.render() == observation
    assert make().render() is None


def test_acting_before_a_reset_is_refused_as_gymnasium_does() -> None:
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"reset\(\)"):
        make().step("stand up")


# --- seeds and options


def test_the_same_seed_and_actions_make_the_same_episode() -> None:
    def episode(seed: int) -> list[Any]:
        env = make()
        observation, info = env.reset(seed=seed)
        return [observation, info, *wander(env, info, np.random.default_rng(5), 25)]

    assert episode(4) == episode(4)
    assert episode(4)[0] != episode(5)[0]


def test_a_reset_without_a_seed_goes_on_to_another_house() -> None:
    env = make()
    env.reset(seed=1)
    first = env.world.scene.edges
    env.reset()
    assert env.world.scene.edges != first


def test_a_household_that_was_played_in_begins_anew() -> None:
    env = make(scene="house:3")
    observation, info = env.reset(seed=1)
    wander(env, info, np.random.default_rng(1), 20)
    again, info_again = env.reset(seed=2)
    assert (again, info_again) == (observation, info)


def test_options_of_a_reset_go_before_those_of_the_constructor() -> None:
    env = VirtualHomeEnv(scene="house:1", rules="v1", size="small", characters=2)
    env.reset(seed=0, options={"rules": "vh23", "characters": 3, "scene": "house:2"})
    assert env.world.rules.name == "vh23"
    assert len(env.world.characters) == 3
    env.reset(seed=0)
    assert env.world.rules.name == "v1"
    assert len(env.world.characters) == 2


def test_more_houses_than_are_kept_can_be_played() -> None:
    env = make()
    texts = [env.reset(options={"scene": f"house:{n}"})[0] for n in range(20)]
    assert [env.reset(options={"scene": f"house:{n}"})[0] for n in range(20)] == texts


def test_all_unknown_options_are_named_at_once() -> None:
    expected = "no option 'scenes', 'goals'; known are: scene, rules,"
    with pytest.raises(ConfigError, match=expected):
        VirtualHomeEnv(scenes="house:1", goals=[])
    with pytest.raises(ConfigError, match=expected):
        make().reset(options={"scenes": "house:1", "goals": [], "size": "small"})


@pytest.mark.parametrize(
    ("options", "error", "expected"),
    [
        ({"rules": "v2"}, PatheiError, "There is no rule profile 'v2'; did you mean"),
        ({"rules": 5}, ConfigError, "'rules' .* not 5"),
        ({"listing": "some"}, ConfigError, "'listing' is 'perceived' or 'all', not 'some'"),
        ({"scene": "house:x"}, ConfigError, "named by its seed"),
        ({"scene": 7}, ConfigError, "name of a scene is a string"),
        ({"scene": "nowhere.json", "size": None}, GraphError, "cannot be read"),
        ({"size": "huge"}, ConfigError, "its size is one of"),
        ({"characters": 0}, ConfigError, "1 to 4 characters live in it"),
        ({"characters": "two"}, ConfigError, "1 to 4 characters live in it"),
        ({"characters": 1.5, "size": "tiny"}, ConfigError, "its size is one of .*; 1 to 4 characters live in it"),
        ({"goal": "tidy up"}, ConfigError, "'goal' .* not 'tidy up'"),
        ({"goal": {"text": "x", "conditions": 5}}, ConfigError, "'goal' "),
        ({"goal": {"conditions": [{"node": {"class": "dragon"}, "state": "ON"}]}}, GoalError, "no dragon"),
    ],
)
def test_each_wrong_option_is_explained(options: dict[str, Any], error: type[Exception], expected: str) -> None:
    env = make()
    with pytest.raises(error, match=expected) as caught:
        env.reset(seed=0, options=options)
    assert "\n" not in str(caught.value)
    observation, info = env.reset(seed=0)
    assert observation
    assert info["actions"]


def test_a_reset_that_fails_leaves_the_episode_as_it_was() -> None:
    env = make(goal=GOAL)
    _, info = env.reset(seed=3)
    before = snapshot(env)
    expected = env.step(info["actions"][5])
    restore(env, before)
    with pytest.raises(GoalError):
        env.reset(options={"scene": "house:9", "goal": {"conditions": [{"node": {"class": "dragon"}, "state": "ON"}]}})
    assert env.step(info["actions"][5]) == expected


def test_a_graph_file_is_a_scene(tmp_path: Path) -> None:
    path = tmp_path / "home.json"
    path.write_bytes(orjson.dumps(generate_house(6)))
    env = VirtualHomeEnv(scene=str(path))
    observation, _ = env.reset(seed=0)
    assert observation == VirtualHomeEnv(scene="house:6").reset(seed=0)[0]


# --- acting


def test_a_script_line_and_plain_english_do_the_same() -> None:
    env = make(scene="house:3")
    _, info = env.reset(seed=0)
    start = snapshot(env)
    line = next(action for action in info["actions"] if action.startswith("[Walk]"))
    name, number = line.removeprefix("[Walk] <").rstrip(")").split("> (")
    by_line = env.step(line)
    restore(env, start)
    assert env.step(f"walk to the {name.replace('_', ' ')} {number}") == by_line


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("[Grab] <cup> (99999)", "names node 99999, and there is no such node"),
        ("[Gra] <cup> (1)", "did you mean"),
        ("[Grab]", "takes one object"),
        ("[", "does not begin with a verb"),
        ("[Grab] <cup> (" + "9" * 5000 + ")", ""),
        ("[Walk] <dragon> (1)", "calls node 1 a dragon"),
        ("fly away", "is not understood"),
        ("grab the moon", "you see no moon here"),
        ("", "is not understood"),
        ("grab \ud800", "UTF-8"),
        (7, "not int"),
        (None, "not NoneType"),
        ("x" * (1 << 20), "is not understood"),
        ("[" + "\0" * ((1 << 20) - 1), "The line"),
        ("x" * ((1 << 20) + 1), "at most"),
    ],
)
def test_what_cannot_be_done_is_explained_and_changes_nothing(action: Any, expected: str) -> None:
    env = make(goal=GOAL)
    _, info = env.reset(seed=0)
    version = env.world.version
    observation, reward, terminated, truncated, after = env.step(action)
    assert env.world.version is version
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert expected in after["error"]
    assert after["error"] in observation
    assert observation in env.observation_space
    assert len(after["error"]) < 1000
    assert not after["error"].removesuffix("...").endswith(".")
    assert after["actions"] == info["actions"]
    assert after["facts"] == {"changes": []}


@settings(max_examples=60)
@given(st.lists(st.text() | st.from_regex(r"\[\w+\]( <\w+> \(\d*\))*", fullmatch=True), max_size=5))
def test_whatever_is_said_the_episode_goes_on(actions: list[str]) -> None:
    env = make(scene="house:2", rules="v1")
    env.reset(seed=0)
    for action in actions:
        observation, _, _, _, info = env.step(action)
        assert observation in env.observation_space
        orjson.dumps(info)


def test_every_listed_action_is_accepted() -> None:
    env = make(scene="house:3")
    _, info = env.reset(seed=0)
    start = snapshot(env)
    for action in info["actions"]:
        restore(env, start)
        assert "error" not in env.step(action)[4]


def test_the_listing_names_what_is_perceived_or_everything() -> None:
    perceived = make(scene="house:3").reset(seed=0)[1]["actions"]
    everything = make(scene="house:3", listing="all").reset(seed=0)[1]["actions"]
    assert set(perceived) < set(everything)


def test_an_explanation_is_gone_after_the_next_step() -> None:
    env = make()
    _, info = env.reset(seed=0)
    assert "error" in env.step("fly")[4]
    observation, _, _, _, after = env.step(info["actions"][0])
    assert "error" not in after
    assert "did not work" not in observation


# --- several characters


def test_characters_act_in_turn_and_a_refusal_does_not_pass_the_turn() -> None:
    env = make(characters=3, scene="house:3")
    observation, info = env.reset(seed=0)
    people = info["facts"]["graph"]["characters"]
    order = [info["character"]]
    for _ in range(5):
        assert observation.startswith(f"You are character ({info['character']}). You are in the ")
        refused = env.step("fly")
        assert refused[4]["character"] == info["character"]
        observation, _, _, _, info = env.step(info["actions"][0])
        order.append(info["character"])
    assert order == (people * 2)[:6]


def test_each_character_perceives_its_own_room() -> None:
    env = make(characters=2, scene="house:3")
    env.reset(seed=0)
    other, _, _, _, _ = env.step("go to the bedroom")
    first, _, _, _, _ = env.step("go to the kitchen")
    assert "You are in the bedroom" in first
    env.step("stand up")
    assert other.startswith("You are character")
    again, _, _, _, _ = env.step("go to the kitchen")
    assert "You are in the kitchen" in again


# --- goals


def test_rewards_add_up_to_the_progress_made() -> None:
    env = make(goal=GOAL, scene="house:3", end_on_success=False)
    for seed in range(5):
        _, info = env.reset(seed=seed)
        begun = info["progress"]
        results = wander(env, info, np.random.default_rng(seed), 60)
        total = sum(result[1] for result in results)
        assert total == pytest.approx(results[-1][4]["progress"] - begun)
        assert all(result[4]["success"] == (result[4]["progress"] == 1.0) for result in results)


def test_the_episode_ends_when_the_goal_holds_unless_it_shall_not() -> None:
    goal = {"text": "", "conditions": [{"done": {"verb": "WALK"}}]}
    for ends in (True, False):
        env = make(goal=goal, scene="house:3", end_on_success=ends)
        _, info = env.reset(seed=0)
        assert not info["success"]
        walk = next(action for action in info["actions"] if action.startswith("[Walk]"))
        _, reward, terminated, _, info = env.step(walk)
        assert (reward, terminated, info["success"], info["progress"]) == (1.0, ends, True, 1.0)


def test_a_goal_without_conditions_is_not_judged() -> None:
    _, info = make(goal={"text": "be happy", "conditions": []}).reset(seed=0)
    assert "success" not in info
    assert "progress" not in info


def test_a_goal_that_holds_from_the_beginning_says_so() -> None:
    goal = {"text": "", "conditions": [{"not": {"done": {"verb": "SLEEP"}}}]}
    _, info = make(goal=goal).reset(seed=0)
    assert (info["success"], info["progress"]) == (True, 1.0)


# --- facts


def folded(graph: dict[str, Any], steps: list[tuple[Any, ...]]) -> tuple[set[Any], set[Any]]:
    """Apply the changes that steps report to the facts of a reset."""
    states = {(node[0], state) for node in graph["nodes"] for state in node[2]}
    edges = {tuple(edge) for edge in graph["edges"]}
    for step in steps:
        for sign, *fact in step[4]["facts"]["changes"]:
            which = edges if len(fact) == 3 else states
            if sign == "+":
                assert tuple(fact) not in which
                which.add(tuple(fact))
            else:
                which.remove(tuple(fact))
    return states, edges


@settings(max_examples=30)
@given(st.integers(0, 200), st.sampled_from(sorted(PROFILES)), st.integers(1, 2), st.integers(0, 2**32 - 1))
def test_the_changes_of_all_steps_lead_from_the_first_facts_to_the_last(
    house: int, rules: str, characters: int, walk: int
) -> None:
    env = make(scene=f"house:{house}", rules=rules, characters=characters)
    _, info = env.reset(seed=0)
    steps = wander(env, info, np.random.default_rng(walk), 25)
    now = env.world.to_graph()
    expected_states = {(node["id"], state) for node in now["nodes"] for state in node["states"]}
    expected_edges = {tuple(e.values()) for e in now["edges"] if e["relation_type"] != "CLOSE"}
    states, edges = folded(info["facts"]["graph"], steps)
    assert states == expected_states
    assert edges == expected_edges


def test_things_that_face_a_character_are_among_the_changes(tmp_path: Path) -> None:
    graph = generate_house(3, size="small")
    me = next(node["id"] for node in graph["nodes"] if node["class_name"] == "character")
    light = next(node["id"] for node in graph["nodes"] if node["class_name"] == "light")
    graph["edges"].append({"from_id": light, "relation_type": "FACING", "to_id": me})
    path = tmp_path / "home.json"
    path.write_bytes(orjson.dumps(graph))
    env = VirtualHomeEnv(scene=str(path))
    _, info = env.reset(seed=0)
    assert [light, "FACING", me] in info["facts"]["graph"]["edges"]
    walk = next(action for action in info["actions"] if action.startswith("[Walk]"))
    assert ["-", light, "FACING", me] in env.step(walk)[4]["facts"]["changes"]


def test_facts_are_plain_json_and_belong_to_the_caller() -> None:
    env = make(scene="house:3")
    _, info = env.reset(seed=0)
    before = orjson.dumps(info["facts"])
    info["facts"]["graph"]["nodes"].clear()
    assert orjson.dumps(env.reset(seed=0)[1]["facts"]) == before


# --- snapshots


def test_a_snapshot_holds_what_a_reset_chose() -> None:
    env = make(scene="house:3", characters=2)
    _, info = env.reset(seed=0, options={"listing": "all", "end_on_success": False, "goal": GOAL})
    state = snapshot(env)
    action = info["actions"][7]
    expected = env.step(action)
    env.reset(seed=1, options={"scene": "house:4", "characters": 1})
    restore(env, state)
    assert env.step(action) == expected


def test_a_snapshot_holds_the_goal_that_a_search_looks_at() -> None:
    env = make(scene="house:3")
    env.reset(seed=0, options={"goal": GOAL})
    state, actions = snapshot(env), list(env.model().actions())
    env.reset(seed=0, options={"goal": {"text": "", "conditions": [{"node": {"class": "fridge"}, "state": "OPEN"}]}})
    assert list(env.model().actions()) != actions
    restore(env, state)
    assert list(env.model().actions()) == actions


def test_a_snapshot_holds_the_deeds_done_for_a_goal() -> None:
    goal = {"text": "", "conditions": [{"actions": ["WALK", "FIND"]}]}
    env = make(scene="house:3", goal=goal)
    _, info = env.reset(seed=0)
    walk = next(action for action in info["actions"] if action.startswith("[Walk]"))
    start = snapshot(env)
    assert env.step(walk)[4]["progress"] == 0.5
    middle = snapshot(env)
    restore(env, start)
    assert env.step("fly")[4]["progress"] == 0.0
    restore(env, middle)
    find = walk.replace("Walk", "Find")
    assert env.step(find)[1] == 0.5


def test_a_snapshot_restores_into_another_environment_with_the_same_layers() -> None:
    one, other = TimeLimit(make(scene="house:3"), 9), TimeLimit(make(scene="house:8"), 9)
    _, info = one.reset(seed=0)
    other.reset(seed=5)
    state = snapshot(one)
    restore(other, state)
    action = info["actions"][3]
    after = one.step(action)
    restore(one, state)
    assert one.step(action) == after
    restore(other, state)
    assert other.step(action) == after


def test_many_snapshots_share_one_household() -> None:
    env = make(scene="house:3")
    _, info = env.reset(seed=0)
    rng, states = np.random.default_rng(0), []
    for _ in range(30):
        states.append((snapshot(env), env.world.key))
        info = env.step(str(rng.choice(info["actions"])))[4]
    for index in rng.permutation(30):
        restore(env, states[index][0])
        assert env.world.key == states[index][1]


# --- by id


def test_it_is_made_by_its_id_with_a_limit_and_may_be_closed_twice() -> None:
    env = gymnasium.make("pathei/VirtualHome-v0", scene="house:3", max_episode_steps=2)
    env.reset(seed=0)
    assert [env.step("fly")[3] for _ in range(2)] == [False, True]
    env.close()
    env.close()
