"""The states of a task: merged where the facts are the same, counted by episode, branches with what they share."""

import dataclasses
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import pathei
from pathei.collectors import collect
from pathei.collectors.search.collector import MctsConfig, household_search, make_searcher
from pathei.envs.facts.episode import EpisodeFacts
from pathei.envs.facts.graph import PASSING
from pathei.experience import Goal, Observation, Parent, Step, Task, Trajectory
from pathei.store import ExperienceStore
from pathei.views.viewer.world_tree import world_tree


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A household task, explored twice, demonstrated, and searched with the whole tree kept."""
    path = tmp_path_factory.mktemp("searched") / "store"
    tasks = pathei.generate_tasks("virtualhome", 1)
    config = MctsConfig(household_search(simulations=100, depth=20), keep_tree=True)
    with ExperienceStore.open(path) as store:
        collect(store, tasks, make_searcher(config))
    for collector in ("scripted", "explore"):
        pathei.collect(path, tasks, collector, workers=0)
    return path


def test_states_are_the_same_where_the_replayed_facts_are(searched: Path) -> None:
    with ExperienceStore.open(searched, mode="read") as store:
        found: Any = world_tree(store, store.rows())
        whole = {one.id: store.expand(one) for one in store.trajectories()}
    assert len(whole) > 50  # read in one pass
    passed, won = defaultdict[frozenset[Any], set[str]](set), defaultdict[frozenset[Any], set[str]](set)
    ways = defaultdict[tuple[Any, Any, str], set[str]](set)
    for id_, one in whole.items():
        facts = EpisodeFacts.of(one)
        assert facts is not None
        held = [
            frozenset(fact for fact in facts.at(moment).facts() if fact[1] not in PASSING)
            for moment in range(len(one.steps) + 1)
        ]
        for state in held:
            passed[state].add(id_)
            won[state] |= {id_} if one.success else set()
        for step, before, after in zip(one.steps, held, held[1:], strict=False):
            if before != after:
                ways[before, after, step.action].add(id_)
    assert sorted(found["states"]) == sorted([len(passed[state]), len(won[state])] for state in passed)
    assert sorted(way[3] for way in found["ways"]) == sorted(map(len, ways.values()))
    assert found["states"][0][0] == len(whole)
    for before, after, action, _, reward, id_, number, _, _ in found["ways"]:
        step = whole[id_].steps[number - 1]
        assert (step.action, step.reward) == (action, reward)
        assert before != after
    for id_, one in whole.items():
        passed_by = found["walks"][id_]
        assert len(passed_by) == len(one.steps) + 1
        assert all(id_ != way[5] or passed_by[way[6] - 1 : way[6] + 1] == way[:2] for way in found["ways"])


def test_what_a_search_found_on_its_ways_is_there(searched: Path) -> None:
    with ExperienceStore.open(searched, mode="read") as store:
        found: Any = world_tree(store, (row for row in store.rows() if row.collector == "mcts"))
        [plan] = store.trajectories(collector="mcts", roots=True)
        tried = plan.provenance["search"]["env_steps"]  # type: ignore[index,call-overload]
        explored: Any = world_tree(store, (row for row in store.rows() if row.collector == "explore"))
    *_, visits, value = next(way for way in found["ways"] if way[5:7] == [plan.id, 1])
    assert 1 < visits <= tried
    assert 0 < value <= 1
    assert all(1 <= way[7] <= tried for way in found["ways"])
    assert {(way[7], way[8]) for way in explored["ways"]} == {(0, 0.0)}


def test_without_a_graph_a_state_is_what_was_observed(tmp_path: Path) -> None:
    def episode(name: str, *texts: str, parent: Parent | None = None) -> Trajectory:
        steps = tuple(Step(Observation(text), f"from {text}", 0.0) for text in texts[:-1])
        return Trajectory(name, Task("t", "pathei/Way-v0", 0, Goal("")), steps, Observation(texts[-1]), "agent", parent)

    with ExperienceStore.open(tmp_path / "s") as store:
        store.append(episode("a", "hall", "hall", "shed", "yard"), episode("b", "hall", "yard"))
        store.append(episode("c", "shed", "roof", parent=Parent("a", 2)))
        store.append(dataclasses.replace(episode("d", "hall"), task=Task("u", "pathei/Way-v0", 0, Goal(""))))
        found: Any = world_tree(store, (row for row in store.rows() if row.task_id == "t"))
        assert found["states"] == [[3, 0], [2, 0], [2, 0], [1, 0]]  # hall, shed, yard, roof
        assert [way[:4] for way in found["ways"]] == [
            [0, 1, "from hall", 2],
            [1, 2, "from shed", 1],
            [0, 2, "from hall", 1],
            [1, 3, "from shed", 1],
        ]
        assert found["ways"][3][5:] == ["c", 3, 0, 0.0]
        assert found["walks"] == {"a": [0, 0, 1, 2], "b": [0, 2], "c": [0, 0, 1, 3]}
