"""RobotHow, fetched for real: every published program under three rule sets, its goals, and the tasks made of them."""

import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pathei import data
from pathei.envs.virtualhome.engine import rules_original as originals
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.vocabulary import CLOSE, RELATIONS
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.formats import from_eai, to_eai
from pathei.envs.virtualhome.goals.ltl import from_ltl, to_ltl
from pathei.envs.virtualhome.houses.scenes import load_scene
from pathei.envs.virtualhome.tasks.robothow import ENV_ID, RobotHow, RobotHowProgram
from pathei.errors import DataError, UnknownNameError
from pathei.experience import Task

pytestmark = pytest.mark.integration

VARIANTS = {"v1": originals.v1(), "e2wm": originals.e2wm(), "vh23": originals.vh23()}
EXPECTED = {"v1": (518, 518, 518), "e2wm": (518, 2, 515), "vh23": (363, 223, None)}
"""How many programs run to the end, end in the published graph, and do so but for CLOSE edges."""


class Outcome(NamedTuple):
    """How one program ended under one rule set."""

    variant: str
    ran: bool
    equal: bool
    equal_but_close: bool


class Replay(NamedTuple):
    """What one program showed."""

    name: str
    outcomes: tuple[Outcome, ...]
    e2wm_achieved: bool
    eai_achieved: bool | None


@pytest.fixture(scope="module")
def robothow(tmp_path_factory: pytest.TempPathFactory) -> RobotHow:
    """The set, fetched where the user keeps data; what is derived from it is made anew beside a link to it."""
    package = data.fetch("robothow")
    link = tmp_path_factory.mktemp("robothow") / package.name
    link.symlink_to(package)
    return RobotHow(link)


@pytest.fixture(scope="module")
def e2wm_tasks(robothow: RobotHow) -> list[Task]:
    return robothow.tasks("e2wm")


def published_facts(scene: Scene, graph: Any) -> tuple[list[int], list[list[int]]]:
    """A published graph in the world's terms: nodes in each state, and targets of each node in each relation."""
    states = dict.fromkeys(scene.state_names, 0)
    for node in graph["nodes"]:
        for state in node["states"]:
            states[state] |= 1 << scene.index[node["id"]]
    edges = {relation: [0] * len(scene.ids) for relation in RELATIONS}
    for edge in graph["edges"]:
        row = edges[edge["relation_type"]]
        row[scene.index[edge["from_id"]]] |= 1 << scene.index[edge["to_id"]]
    return list(states.values()), list(edges.values())


def play(program: RobotHowProgram, world: World, *checks: GoalCheck) -> bool:
    """Do the program until an action is refused; tell whether none was."""
    for action in program.program.actions(world.scene, world.rules):
        if world.act(action) is not None:
            return False
        for check in checks:
            check.note(action)
    return True


def replay(job: tuple[RobotHowProgram, Task, Any]) -> Replay:
    program, task, eai = job
    initial, final = program.graphs()
    scene = Scene.from_graph(initial)
    states, edges = published_facts(scene, final)
    assert {node["id"] for node in final["nodes"]} == set(scene.ids)
    outcomes = []
    achieved: list[bool] = []
    for variant, rules in VARIANTS.items():
        world = World(scene, rules)
        goals = (task.goal.conditions, from_eai(eai["vh_goal"]) if eai else ())
        checks = [GoalCheck(goal, world) for goal in goals] if variant == "v1" else []
        ran = play(program, world, *checks)
        different = [
            relation
            for relation, rows in enumerate(edges)
            if any(world.targets(node, relation) != targets for node, targets in enumerate(rows))
        ]
        same_states = world.having == states
        outcomes.append(Outcome(variant, ran, same_states and not different, same_states and set(different) <= {CLOSE}))
        achieved += [check.satisfied() and check.progress() == 1.0 for check in checks]
    return Replay(program.name, tuple(outcomes), achieved[0], achieved[1] if eai and eai["tl_goal"] else None)


@pytest.fixture(scope="module")
def replays(robothow: RobotHow, e2wm_tasks: list[Task]) -> Iterator[list[Replay]]:
    """Every program under every variant, on two processes."""
    goals = robothow.eai_goals()
    jobs = [(program, task, goals.get(program.name)) for program, task in zip(robothow, e2wm_tasks, strict=True)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        yield pool.map(replay, jobs, chunksize=16)


@pytest.mark.parametrize("variant", VARIANTS)
def test_programs_end_as_the_original_variant_made_them_end(replays: list[Replay], variant: str) -> None:
    outcomes = [outcome for one in replays for outcome in one.outcomes if outcome.variant == variant and outcome.ran]
    equal = sum(outcome.equal for outcome in outcomes)
    equal_but_close = sum(outcome.equal_but_close for outcome in outcomes)
    print(f"{variant}: {len(outcomes)} of {len(replays)} ran, {equal} equal, {equal_but_close} equal but for CLOSE")
    ran, same, same_but_close = EXPECTED[variant]
    assert (len(outcomes), equal) == (ran, same)
    assert same_but_close in (None, equal_but_close)


def test_every_program_reaches_its_goals_and_not_before(replays: list[Replay]) -> None:
    eai = Counter(one.eai_achieved for one in replays)
    print(
        f"goals reached: E2WM {sum(one.e2wm_achieved for one in replays)}, EAI {eai[True]} of {eai[True] + eai[False]}"
    )
    assert all(one.e2wm_achieved for one in replays)
    assert eai == {True: 338, None: 180}


def test_programs_come_in_order_of_their_numbers(robothow: RobotHow) -> None:
    numbers = [tuple(map(int, name.removeprefix("file").split("_"))) for name in robothow.names]
    assert numbers == sorted(numbers)
    assert len(robothow) == len(set(robothow.names)) == 518
    assert len({program.activity for program in robothow}) == 26


def test_a_program_tells_what_it_is(robothow: RobotHow) -> None:
    program = robothow.program("file10_2")
    assert program.activity == "Drink"
    assert program.description.startswith("Walk into kitchen, look for cup")
    assert program.lines[0] == "[WALK] <dining_room> (1.201)"
    assert program.initial_graph() == program.graphs()[0]
    assert program.final_graph() == program.graphs()[1]
    with pytest.raises(UnknownNameError, match="did you mean 'file10_2'"):
        robothow.program("file10-2")


def test_eai_goals_read_the_same_as_their_formulas_and_are_written_back(robothow: RobotHow) -> None:
    def sorted_json(conditions: tuple[Any, ...]) -> list[str]:
        return sorted(json.dumps(condition, sort_keys=True) for condition in conditions)

    goals = robothow.eai_goals()
    assert len(goals) == 342
    written = [(robothow.program(name).scene(), goal) for name, goal in list(goals.items())[::10] if goal["tl_goal"]]
    for scene, goal in written:
        conditions = from_eai(goal["vh_goal"])
        assert to_ltl(conditions, scene) == goal["tl_goal"]
        assert to_eai(conditions, scene) == goal["vh_goal"]
    for goal in goals.values():
        if goal["tl_goal"]:
            assert sorted_json(from_ltl(goal["tl_goal"])) == sorted_json(from_eai(goal["vh_goal"]))
        else:
            assert not from_eai(goal["vh_goal"])


def test_tasks_name_their_world_and_are_the_same_when_read_again(robothow: RobotHow, e2wm_tasks: list[Task]) -> None:
    assert [task.options["scene"] for task in e2wm_tasks] == [f"robothow:{name}" for name in robothow.names]
    assert {task.env for task in e2wm_tasks} == {ENV_ID}
    assert all(task.goal.conditions for task in e2wm_tasks)
    assert robothow.tasks("e2wm") == e2wm_tasks
    light = next(task for task in e2wm_tasks if task.id == "robothow/e2wm/file11_1")
    assert (
        light.goal.text
        == "Turn on light: the floor lamp is on, you are close to the floor lamp and you are in the bedroom"
    )
    assert light.options == {"scene": "robothow:file11_1", "rules": "v1"}
    assert len(robothow.tasks("eai")) == 342
    assert [task.goal.conditions for task in robothow.tasks("none")] == [()] * 518
    with pytest.raises(UnknownNameError, match="did you mean 'eai'"):
        robothow.tasks("eia")  # type: ignore[arg-type]  # a wrong name, on purpose


@pytest.mark.parametrize(
    ("name", "count"), [("file11_1", 3), ("file10_2", 6), ("file1004_2", 5), ("file1043_2", 7), ("file1073_2", 7)]
)
def test_the_e2wm_goal_has_as_many_parts_as_the_authors_made(e2wm_tasks: list[Task], name: str, count: int) -> None:
    task = next(task for task in e2wm_tasks if task.id.endswith(f"/{name}"))
    assert len(task.goal.conditions) == count


def test_a_scene_is_loaded_by_its_name(robothow: RobotHow) -> None:
    scene = load_scene("robothow:file10_2", rules_named("v1"))
    assert scene.ids == robothow.program("file10_2").scene().ids


def test_without_the_data_the_command_that_fetches_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(data.ROOT_VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match="pathei data get robothow"):
        RobotHow()
    broken = tmp_path / "broken.whl"
    broken.write_bytes(b"not a zip")
    with pytest.raises(DataError, match="delete it and fetch it again"):
        len(RobotHow(broken))
