"""Exploration is repeatable, and novelty finds more than chance; coverage counts what was touched, and adds up."""

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors import Coverage, check_collector, make_explorer
from pathei.collectors.coverage import Effects, compare, read_act
from pathei.collectors.protocol import Collector, episode_seed
from pathei.collectors.rollout.explore import STRATEGIES, ActionKinds, NoveltyCounts, Strategy, uniform
from pathei.errors import ConfigError, ContractError, UnknownNameError
from pathei.experience import Failure, Goal, Observation, Parent, Record, Step, Task, Trajectory
from pathei.tests.support.lantern import lantern_task, lantern_tasks


def house_tasks(count: int, **options: Any) -> list[Task]:
    return [
        Task(f"house-{n}", "pathei/VirtualHome-v0", n, Goal("explore"), {"scene": f"house:{n}", **options})
        for n in range(count)
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_exploration_keeps_the_contract_of_collectors(strategy: Strategy) -> None:
    make = partial(make_explorer, strategy=strategy, max_steps=12, seed=3)
    check_collector(make, lantern_tasks(4))
    check_collector(make, [*lantern_tasks(2), lantern_task(2, trap="step raise"), lantern_task(3, free=True)])
    check_collector(make, [Task(f"ice-{n}", "FrozenLake-v1", n, Goal("cross the ice")) for n in range(3)])
    check_collector(make, house_tasks(2))


def test_what_is_carried_over_makes_an_episode_depend_on_those_before() -> None:
    make = partial(make_explorer, max_steps=12, carry=True)
    check_collector(make, lantern_tasks(4), repeatable=False)
    with pytest.raises(ContractError, match="reverse order"):
        check_collector(make, house_tasks(3))


class Broken:
    """Yields what it was given, whatever it was asked for."""

    def __init__(self, *records: Any) -> None:
        self.records = records

    def collect(self, tasks: Any) -> Any:
        """Yield it all."""
        return iter(self.records)


def lived(task: Task, id_: str = "", steps: tuple[Step, ...] = (), **more: Any) -> Trajectory:
    return Trajectory(id_ or task.id, task, steps, Observation("end"), "test", **more)


A, B = lantern_tasks(2)
END = Step(Observation("x"), "wait", 0.0, True)


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ((lived(A),), "0 roots and 0 failures"),
        ((lived(A), lived(A, "again"), lived(B)), "2 roots"),
        ((lived(A), Failure(A, "step", "no"), lived(B)), "1 roots and 1 failures"),
        ((lived(A), lived(B), lived(lantern_task(7))), "not given"),
        ((lived(A), lived(B), "nothing"), "yielded a str"),
        ((lived(A), lived(B, A.id)), "two trajectories the id"),
        ((lived(A), lived(B), lived(B, "b", parent=Parent(B.id, 1))), "parents first"),
        ((lived(A), lived(B, provenance={"set": {1}})), "cannot be stored"),
        ((lived(A), lived(B, provenance={"pair": (1, 2)})), "plain"),
        ((lived(A, steps=(END, END)), lived(B)), "went on after step 0"),
        ((Failure(A, "", ""), lived(B)), "without a stage or an error"),
    ],
)
def test_check_collector_names_the_fault(records: tuple[Any, ...], says: str) -> None:
    with pytest.raises(ContractError, match=says):
        check_collector(lambda: Broken(*records), [A, B])


def explored(strategy: Strategy, tasks: list[Task], seed: int, **options: Any) -> Coverage:
    collector: Collector = make_explorer(strategy=strategy, max_steps=30, seed=seed, **options)
    return Coverage.of(collector.collect(tasks))


@pytest.mark.parametrize("seed", [0, 1])
def test_novelty_brings_about_more_distinct_effects_than_chance_in_equally_many_steps(seed: int) -> None:
    tasks = house_tasks(8)
    chance, novelty = (explored(strategy, tasks, seed) for strategy in STRATEGIES)
    assert chance.steps == novelty.steps == 8 * 30
    assert chance.failures == novelty.failures == 0
    assert len(novelty.effects) > 1.3 * len(chance.effects)


def test_several_characters_act_in_turn() -> None:
    (played,) = make_explorer(max_steps=12).collect(house_tasks(1, characters=3))
    assert isinstance(played, Trajectory)
    actors = [step.info["character"] for step in played.steps]
    assert len(set(actors)) == 3
    assert actors == (actors[:3] * 4)


def test_an_episode_does_not_depend_on_what_was_played_before() -> None:
    tasks = house_tasks(3)
    alone = [record for task in tasks for record in make_explorer(seed=4, max_steps=8).collect([task])]
    together = list(make_explorer(seed=4, max_steps=8).collect(tasks))
    assert alone == together
    assert list(make_explorer(seed=5, max_steps=8).collect(tasks)) != together


@given(st.integers(), st.integers(), st.text())
def test_the_seed_of_an_episode_follows_from_seed_and_task_alone(seed: int, task_seed: int, id_: str) -> None:
    task = Task(id_, "any", task_seed, Goal("any"))
    assert episode_seed(seed, task) == episode_seed(seed, Task(id_, "other", task_seed, Goal("other")))
    assert 0 <= episode_seed(seed, task) < 2**63
    assert episode_seed(seed + 1, task) != episode_seed(seed, task)


def test_crashes_are_failures_and_the_next_episode_gets_a_new_world() -> None:
    tasks = [lantern_task(0, trap="step raise"), lantern_task(1), lantern_task(2, trap="reset raise"), lantern_task(3)]
    records = list(make_explorer(max_steps=5).collect([*tasks, Task("none", "pathei/Nowhere-v0", 0, Goal("go"))]))
    assert [getattr(record, "stage", "lived") for record in records] == ["step", "lived", "reset", "lived", "make"]


def test_a_wrong_configuration_is_one_sentence() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'novelty'"):
        make_explorer(strategy="novelti")  # type: ignore[arg-type]  # what a user may type
    with pytest.raises(ConfigError, match="at least one step"):
        make_explorer(max_steps=0)


def test_what_changed_nothing_is_chosen_less_and_less() -> None:
    rng = np.random.default_rng(0)
    novelty = NoveltyCounts()
    actions = ["[Touch] <wall> (1)", "[Touch] <wall> (2)", "[Open] <fridge> (3)", "[Open] <box> (4)"]
    fresh = novelty.score("touch wall")
    for _ in range(5):
        assert novelty.learn("[Touch] <wall> (1)", []) == 0
    assert novelty.learn("[Open] <fridge> (3)", ["+ fridge OPEN", "- fridge CLOSED"]) == 2
    assert novelty.learn("[Open] <fridge> (3)", ["+ fridge OPEN"]) == 0
    assert novelty.score("touch wall") < novelty.score("touch cup") < fresh
    assert novelty.score("open box") > novelty.score("open fridge") > novelty.score("touch wall")
    chosen = [novelty.choose(actions, rng) for _ in range(50)]
    assert chosen.count("[Open] <box> (4)") > 25
    assert NoveltyCounts(temperature=0).choose(["a", "b"], rng) in ("a", "b")


def test_choices_follow_the_formula_whatever_other_episodes_have_met() -> None:
    """Against the formula in plain numbers, with the noise in the order in which the episode met the kinds."""
    draws, rngs = np.random.default_rng(1), [np.random.default_rng(2) for _ in range(3)]
    things = ["cup", "lamp", "sofa", "fridge", "book"]
    listed = [f"[{verb}] <{thing}> ({n})" for n, thing in enumerate(things) for verb in ("Grab", "Open", "Touch")]
    kinds_before = ActionKinds()
    numbers = [kinds_before[action] for action in reversed(listed)]
    assert numbers == list(range(len(listed)))
    fresh, shared = NoveltyCounts(), NoveltyCounts(kinds=kinds_before)
    met: dict[str, int] = {}
    tried, found = Counter[str](), Counter[str]()
    for turn in range(60):
        actions = tuple(draws.choice(listed, 9, replace=False).tolist())
        kinds = [" ".join(read_act(action).kind) for action in actions]
        for kind in kinds:
            met.setdefault(kind, len(met))
        there = sorted(set(kinds), key=met.__getitem__)

        def score(kind: str) -> float:
            verb, n = kind.partition(" ")[0], tried[kind] + 1
            return (found[kind] + (found[verb] + 1) / (tried[verb] + 1)) / n + 0.5 / n**0.5

        best = there[int(np.argmax([score(kind) for kind in there] + 0.1 * rngs[0].gumbel(size=len(there))))]
        group = [action for action, kind in zip(actions, kinds, strict=True) if kind == best]
        chosen = group[int(rngs[0].integers(len(group)))]
        assert fresh.choose(actions, rngs[1]) == shared.choose(actions, rngs[2]) == chosen
        effects = [f"{best} {turn}"] * (turn % 3)
        news = fresh.learn(chosen, effects)
        assert shared.learn(chosen, effects) == news
        for name in (best, best.partition(" ")[0]):
            tried[name] += 1
            found[name] += news


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8), st.integers(0, 2**32))
def test_a_choice_is_one_of_the_actions_and_follows_from_the_generator(actions: list[str], seed: int) -> None:
    for choose in (uniform, NoveltyCounts().choose):
        first, second = (choose(actions, np.random.default_rng(seed)) for _ in range(2))
        assert first == second
        assert first in actions


@pytest.mark.parametrize(
    ("action", "verb", "things", "ids", "number"),
    [
        ("[Grab] <cup> (12)", "grab", ("cup",), (12,), None),
        ("[PutBack] <cup> (12) <coffee_table> (7)", "putback", ("cup", "coffee_table"), (12, 7), None),
        ("[WALK] <cup> (1.12)", "walk", ("cup",), (12,), None),
        ("<char1> [Walk] <cup> (12)", "walk", ("cup",), (12,), None),
        ("[StandUp]", "standup", (), (), None),
        ("light lamp (3)", "light", ("lamp",), (3,), None),
        ("mine 4 oak_log", "mine", ("oak_log",), (), 4),
        ("<char1> mine 4 oak_log", "mine", ("oak_log",), (), 4),
        ("go to 10 64 -20", "go", ("to 10 64 -20",), (), None),
        ("press 3", "press", ("3",), (), None),
        ("Go left", "go", ("left",), (), None),
        ("2", "2", (), (), None),
        ("", "", (), (), None),
    ],
)
def test_an_action_is_taken_apart(
    action: str, verb: str, things: tuple[str, ...], ids: tuple[int, ...], number: int | None
) -> None:
    assert read_act(action) == (verb, things, ids, number)


@given(st.text())
def test_any_text_can_be_taken_apart(text: str) -> None:
    assert all(isinstance(part, str) for part in read_act(text).kind)


def test_effects_are_told_by_kind_and_looking_around_is_none() -> None:
    effects = Effects(Observation("", facts={"graph": {"nodes": [[1, "character"], [4, "fridge"], [5, "fridge"]]}}))
    changes = [["-", 4, "CLOSED"], ["+", 4, "OPEN"], ["+", 5, "OPEN"], ["+", 1, "FACING", 4], ["+", 1, "HOLDS_RH", 4]]
    after = Observation("", facts={"changes": changes})
    assert effects.of(Observation(""), after) == ["- fridge CLOSED", "+ fridge OPEN", "+ character HOLDS_RH fridge"]


@pytest.mark.parametrize(
    ("action", "changes", "things"),
    [
        ("[Grab] <cup> (12)", [], ["cup (12)"]),
        ("pick magazine", [["+", 1, "HOLDS", 7]], ["magazine (7)"]),
        ("go to towel_rack", [], ["towel_rack (8)"]),
        ("hang the towel on the towel rack", [], ["towel_rack (8)", "towel (9)"]),
        ("cat /home/agent/notes.txt", [], ["notes.txt (6)"]),
        ("go to door_2", [], ["door 2"]),
        ("open door", [["+", 5, "OPEN"]], ["door (5)"]),
        ("toggle", [["-", 4, "LOCKED"], ["+", 1, "FACING", 7]], ["door (4)"]),
        ("go forward", [["-", 1, "INSIDE", 2], ["+", 1, "INSIDE", 3]], ["room (2)", "room (3)"]),
        ("look at the character", [], []),
    ],
)
def test_things_are_those_that_an_action_names_or_changes(action: str, changes: list[Any], things: list[str]) -> None:
    kinds = ["character", "room", "room", "door", "door", "notes.txt", "magazine", "towel_rack", "towel"]
    graph = {"nodes": [[id_, kind, []] for id_, kind in enumerate(kinds, 1)], "characters": [1]}
    effects = Effects(Observation("", facts={"graph": graph}))
    assert effects.touched(action, Observation("", facts={"changes": changes})) == things


def test_where_neither_actions_nor_facts_name_a_thing_none_are_counted() -> None:
    coverage = Coverage.of([Trajectory("t", A, (Step(Observation("a"), "north", 0.0),), Observation("b"), "test")])
    assert coverage.summary()["distinct_objects"] is None
    assert coverage.table().row_count == len(coverage.summary()) - 3
    assert Coverage().summary()["distinct_objects"] == 0


def test_without_facts_the_lines_that_change_are_the_effects() -> None:
    effects = Effects(Observation("a"))
    before, after = Observation("room\n- cup (1)\n- box (2)"), Observation("room\n- cup (9)\n- open box (2)")
    assert effects.of(before, after) == ["+ - open box", "- - box"]
    assert effects.of(before, before) == []


EXPLORED: list[Record] = [
    *make_explorer(max_steps=6).collect(lantern_tasks(6)),
    Failure(A, "step", "no"),
    lived(B, "branch", parent=Parent(B.id, 1)),
]


@given(st.permutations(EXPLORED), st.integers(0, len(EXPLORED)))
def test_the_coverage_of_two_sets_is_the_sum_of_both(records: list[Record], cut: int) -> None:
    whole = Coverage.of(records)
    assert Coverage.of(records[:cut]) + Coverage.of(records[cut:]) == whole == Coverage.of(EXPLORED)
    assert Coverage.from_json(whole.to_json()) == whole


def test_turning_round_is_a_change_though_no_effect() -> None:
    see = Observation("a wall", facts={"graph": {"nodes": [[0, "you"], [1, "door"]], "characters": [0]}})
    turned = Observation("a door", facts={"changes": [["+", 0, "FACING", 1]]})
    still = Observation("a door", facts={"changes": []})
    steps = (Step(see, "turn left", 0.0), Step(turned, "wait", 0.0))
    coverage = Coverage.of([Trajectory("t", A, steps, still, "test")])
    assert (coverage.unchanged, len(coverage.effects)) == (1, 0)


def test_branches_are_counted_apart() -> None:
    root, branch = lived(A, "root"), lived(A, "branch", parent=Parent("root", 1))
    coverage = Coverage.of([root, branch])
    assert (coverage.episodes, coverage.branches) == (2, 1)
    assert coverage.table().row_count == len(coverage.summary()) - (coverage.summary()["distinct_objects"] is None)


def test_coverage_counts_what_was_done() -> None:
    see = Observation("dark", facts={"graph": {"nodes": [[0, "lamp"]]}})
    lit = Observation("light", facts={"changes": [["+", 0, "LIT"]]})
    same = Observation("light", facts={"changes": []})
    steps = (
        Step(see, "light lamp (0)", 1.0),
        Step(lit, "light lamp (0)", 0.0),
        Step(same, "eat lamp (0)", 0.0, info={"error": "no", "success": False}),
    )
    coverage = Coverage.of([Trajectory("t", A, steps, same, "test")])
    assert coverage.summary() == {
        "episodes": 1,
        "failures": 0,
        "successes": 0,
        "branches": 0,
        "branch_successes": 0,
        "steps": 3,
        "refused": 1,
        "unchanged": 1,
        "distinct_verbs": 2,
        "distinct_actions": 2,
        "distinct_objects": 1,
        "distinct_effects": 1,
    }
    table = compare({"one": coverage, "none": Coverage()}, "Both")
    assert table.row_count == len(coverage.summary()) - 2
    assert coverage.table().row_count == table.row_count
