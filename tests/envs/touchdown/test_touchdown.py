"""The streets: the graph against an independent walker, the environment, the towns, and Touchdown's own data."""

import gzip
import os
from pathlib import Path

import gymnasium
import networkx as nx  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents import RandomAgent, ScriptedAgent
from pathei.collectors.rollout.policy import play
from pathei.collectors.search.collector import MctsConfig, make_searcher
from pathei.collectors.search.config import SearchConfig
from pathei.envs import contract
from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.touchdown.evaluation import mean_of, measure
from pathei.envs.touchdown.graph import StreetGraph, load_graph
from pathei.envs.touchdown.metrics import edit_distance, navigation, pointing
from pathei.envs.touchdown.routes import read_routes
from pathei.envs.touchdown.tasks import demonstration, generate_tasks, tasks_of
from pathei.envs.touchdown.town import town, town_routes
from pathei.errors import ConfigError, DataError
from pathei.experience import Task, Trajectory

PUBLISHED = Path(os.environ.get("PATHEI_TOUCHDOWN", Path(__file__).resolve().parents[4] / "shared" / "touchdown"))
needs_data = pytest.mark.skipif(
    not (PUBLISHED / "nodes.txt.gz").exists(), reason="Touchdown's files are not here (PATHEI_TOUCHDOWN names a folder)"
)


class Walker:
    """Touchdown's `base_navigator`, written again from its description, with dicts and no tables."""

    def __init__(self, graph: StreetGraph, pano: int, heading: float) -> None:
        self.out: dict[int, dict[int, int]] = {}
        for origin, target, towards in zip(graph.origins, graph.targets, graph.headings, strict=True):
            self.out.setdefault(origin, {})[towards] = target
        self.pano = pano
        self.heading = min(self.out[pano], key=lambda one: 180 - abs(abs(one - heading) % 360 - 180))

    def act(self, action: str) -> None:
        """Move or turn."""
        ways = self.out[self.pano]
        if action == "forward":
            target = ways[self.heading]
            if len(self.out[target]) < 2:
                return
            before, self.pano = self.heading, target
            self.heading = min(self.out[target], key=lambda one: 180 - abs(abs(one - before) - 180))
            return
        others = [one for one in ways if one != self.heading]
        if others:
            sign = 1 if action == "right" else -1
            self.heading = min(others, key=lambda one: (sign * (one - self.heading)) % 360)


def played(task: Task, actions: list[str]) -> Trajectory:
    env = contract.make(task)
    return play(env, task, ScriptedAgent(actions), max_steps=200)


@given(st.integers(0, 40), st.integers(0, 10**6), st.lists(st.sampled_from(["forward", "left", "right"]), max_size=60))
def test_every_walk_is_the_walk_of_the_published_navigator(seed: int, where: int, actions: list[str]) -> None:
    graph = town(seed)
    pano, heading = where % len(graph.panos), where % 360
    walker, link = Walker(graph, pano, heading), graph.facing(pano, heading)
    for action in actions:
        walker.act(action)
        link = graph.moves[("forward", "left", "right").index(action)][link]
        assert (graph.origins[link], graph.headings[link]) == (walker.pano, walker.heading)


@given(st.integers(0, 30), st.integers(0, 10**6))
def test_distances_are_networkx_s(seed: int, where: int) -> None:
    graph = town(seed)
    goal = where % len(graph.panos)
    streets = nx.DiGraph(list(zip(graph.targets, graph.origins, strict=True)))
    assert dict(enumerate(graph.distances(goal))) == nx.single_source_shortest_path_length(streets, goal)


@given(st.lists(st.integers(0, 4), max_size=8), st.lists(st.integers(0, 4), max_size=8))
def test_edit_distance_is_a_distance(first: list[int], second: list[int]) -> None:
    apart = edit_distance(first, second)
    assert apart == edit_distance(second, first)
    assert abs(len(first) - len(second)) <= apart <= max(len(first), len(second))
    assert (apart == 0) == (first == second)
    assert edit_distance([*first, 9], [*second, 9]) == apart


def test_the_measures_of_a_walk() -> None:
    graph = town(3)
    route = [graph.index[pano] for pano in town_routes(3, 1)[0].panos]
    perfect = navigation(graph, route, route)
    assert perfect == (1.0, 0.0, 1.0, 1.0)
    short = navigation(graph, route[:-1], route)
    assert short.tc == 1.0
    assert short.spd == 1.0
    assert short.sed == 1 - 1 / len(route)
    # The last panorama is one link from the end of the walk, every other one is on it.
    assert short.ndtw == pytest.approx(np.exp(-1 / (2 * np.sqrt(len(route)))))
    assert navigation(graph, route[:1], route).tc == 0.0


def test_pointing_counts_pixels_of_the_wide_panorama() -> None:
    centre = (0.5, 0.5)
    answers = [[centre, (0.5 + 39.9 / 3712, 0.5)], [(0.5, 0.5 + 100 / 800)]]
    found = pointing(answers, [[centre, centre], [centre]])
    assert found.accuracy == (2 / 3, 2 / 3, 1.0)
    assert found.consistency == (0.5, 0.5, 1.0)
    assert found.distance == pytest.approx((0 + 39.9 + 100) / 3)


def test_demonstrations_follow_the_routes_of_towns() -> None:
    tasks = generate_tasks(40, 7)
    assert len({task.id for task in tasks}) == 40
    for task in tasks:
        trajectory = played(task, list(demonstration(task)))
        assert trajectory.success
        assert trajectory.total_reward == pytest.approx(1.0)
        assert measure(trajectory) == (1.0, 0.0, 1.0, 1.0)


def test_instructions_name_the_turns_that_the_coordinates_show() -> None:
    for task in generate_tasks(60, 1):
        graph = town(int(task.options["map"].partition(":")[2]))
        route = [graph.index[pano] for pano in task.options["route"]]
        turns = []
        for before, here, after in zip(route, route[1:], route[2:], strict=False):
            if graph.ways[here] > 2:
                (y0, x0), (y1, x1), (y2, x2) = (graph.coordinates[pano] for pano in (before, here, after))
                scale = np.cos(np.radians(y1))
                came, goes = complex((x1 - x0) * scale, y1 - y0), complex((x2 - x1) * scale, y2 - y1)
                turned = float(np.degrees(np.angle(goes / came)))
                if abs(abs(turned) - 45) < 3:
                    break
                turns += ["left" if turned > 0 else "right"] * (abs(turned) > 45)
        else:
            words = task.goal.text.replace(".", "").split()
            assert [word for word in words if word in ("left", "right")] == turns


def test_the_environment_keeps_the_contract() -> None:
    for task in generate_tasks(2, 5):
        env = gymnasium.make(task.env, **task.options)
        check_env(env)
        check_snapshot(env, rng=np.random.default_rng(0))
    check_env(gymnasium.make("pathei/Touchdown-v0"))


def test_what_makes_no_sense_is_told_and_changes_nothing() -> None:
    [task] = generate_tasks(1, 2)
    env = contract.make(task)
    contract.reset(env, task)
    for action in ("fly", "", "forward now", "STOPP"):
        _, reward, terminated, _, info = env.step(action)
        assert "no action here" in info["error"]
        assert (reward, terminated) == (0.0, False)
    text, _, terminated, _, info = env.step("Stop ")
    assert terminated
    assert task.goal.text in text
    assert "success" in info


def test_options_that_do_not_fit_are_one_sentence(tmp_path: Path) -> None:
    env = gymnasium.make("pathei/Touchdown-v0")
    with pytest.raises(ConfigError, match="did you mean 'route'"):
        env.reset(seed=0, options={"rout": []})
    with pytest.raises(DataError, match="no map"):
        env.reset(seed=0, options={"map": str(tmp_path / "none"), "route": ["a"]})
    with pytest.raises(DataError, match="not in town 3"):
        env.reset(seed=0, options={"map": "town:3", "route": ["nowhere"]})
    with pytest.raises(ConfigError, match="number"):
        env.reset(seed=0, options={"map": "town:x", "route": ["a"]})
    (tmp_path / "nodes.txt").write_text("a,0,1.0,2.0\nb,0,x,2.0\n")
    with pytest.raises(DataError, match=r"Line 2 of nodes\.txt"):
        load_graph(tmp_path)
    (tmp_path / "nodes.txt").write_text("a,0,1.0,2.0\n")
    (tmp_path / "links.txt").write_text("a,10,b\n")
    with pytest.raises(DataError, match="'b'"):
        load_graph(tmp_path)


def test_own_panoramas_are_turned_to_where_one_faces(tmp_path: Path) -> None:
    from PIL import Image

    graph = town(4)
    pixels = np.zeros((100, 360, 3), np.uint8)
    pixels[:, 180] = 255  # straight ahead of a panorama of yaw 0: north
    for pano in graph.panos:
        Image.fromarray(pixels).save(tmp_path / f"{pano}.png")
    task = tasks_of(town_routes(4, 1), "town:4")[0]
    env = gymnasium.make("pathei/Touchdown-v0", panoramas=tmp_path)
    observation, info = contract.reset(env, task)
    assert env.observation_space.contains(observation)
    bright = int(observation["image"].sum(axis=(0, 2)).argmax()) / 928 * 360
    assert (bright - (180 - info["facts"]["heading"])) % 360 == pytest.approx(0, abs=2) or (
        (bright - (180 - info["facts"]["heading"])) % 360 == pytest.approx(360, abs=2)
    )


def test_tree_search_beats_random_walks() -> None:
    tasks = generate_tasks(12, 11)
    search = make_searcher(MctsConfig(SearchConfig(simulations=300, depth=60)), seed=0)
    found = [record for record in search.collect(tasks) if isinstance(record, Trajectory)]
    random = [
        play(contract.make(task), task, RandomAgent(np.random.default_rng(1)), max_steps=60, seed=1) for task in tasks
    ]
    assert sum(bool(one.success) for one in found) > 2 * sum(bool(one.success) for one in random)


@needs_data
@pytest.mark.integration
def test_the_oracle_and_the_trivial_policies_on_the_published_routes() -> None:
    graph, routes = load_graph(PUBLISHED), read_routes(PUBLISHED / "touchdown_unseen_dev.json.gz")
    assert (len(graph.panos), len(graph.origins), len(routes)) == (29_641, 61_319, 800)
    walks: dict[str, list[list[int]]] = {"oracle": [], "stop": [], "forward": []}
    for task in tasks_of(routes, str(PUBLISHED)):
        panos = [graph.index[pano] for pano in task.options["route"]]
        link = graph.facing(panos[0], task.options["start_heading"])
        for name, actions in (("oracle", demonstration(task)), ("stop", ["stop"]), ("forward", ["forward"] * 32)):
            now, walked = link, [panos[0]]
            for action in actions:
                if action != "stop":
                    now = graph.moves[("forward", "left", "right").index(action)][now]
                walked += [graph.origins[now]] * (graph.origins[now] != walked[-1])
            walks[name].append(walked)
    refs = [[graph.index[pano] for pano in route.panos] for route in routes]
    means = {
        name: mean_of(navigation(graph, walked, ref, dtw=False) for walked, ref in zip(some, refs, strict=True))
        for name, some in walks.items()
    }
    assert means["oracle"][1:4] == (100.0, 0.0, 100.0)
    assert (round(means["stop"].tc, 2), round(means["stop"].spd, 2)) == (0.50, 23.07)
    assert (round(means["forward"].tc, 3), round(means["forward"].spd, 3)) == (0.125, 36.875)


@needs_data
def test_a_published_route_is_played() -> None:
    route = read_routes(PUBLISHED / "touchdown_unseen_dev.json.gz")[0]
    [task] = tasks_of([route], str(PUBLISHED))
    trajectory = played(task, list(demonstration(task)))
    assert trajectory.success
    assert measure(trajectory) == (1.0, 0.0, 1.0, 1.0)
    assert "Turn so that the trees are to your left." in trajectory.final.text
    assert route.spots[1].pano == route.panos[-1]


def test_routes_that_are_none_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "dev.json.gz"
    path.write_bytes(
        gzip.compress(b'{"route_id": 1, "route_panoids": ["a"], "start_heading": 0, "navigation_text": "go"}\n{}\n')
    )
    with pytest.raises(DataError, match="Line 2"):
        read_routes(path)
