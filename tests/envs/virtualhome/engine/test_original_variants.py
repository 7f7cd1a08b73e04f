"""The three historical rule sets against what the original simulators did, and against an executable specification.

The recordings in `data/virtualhome` are of a small world of our own: what each original did with the same script. The
specification lies outside the repository, in `../shared/virtualhome`; where it is not there, its test is skipped.
"""

import importlib.util
import random
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.virtualhome.engine import rules_original as originals
from pathei.envs.virtualhome.engine.preconditions import RAISES
from pathei.envs.virtualhome.engine.rules import EngineAction, Rules
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.engine.vocabulary import CLOSE, RELATIONS
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.language.script import LineReader, read_program

DATA = Path(__file__).parents[3] / "data" / "virtualhome"
VARIANTS: dict[str, Callable[[], Rules]] = {"v1": originals.v1, "e2wm": originals.e2wm, "vh23": originals.vh23}
Facts = tuple[set[tuple[int, str]], set[tuple[int, str, int]]]
Memory = dict[int, tuple[int, str]]


def small_graph() -> Any:
    return orjson.loads((DATA / "small.json").read_bytes())


def facts(world: World) -> Facts:
    """Every state and every edge, by id."""
    ids = world.scene.ids
    states = {(ids[n], state) for n in range(world.size) for state in world.states_of(n)}
    return states, {(ids[a], RELATIONS[r], ids[b]) for a, r, b in world.edges()}


def canonical_hash(now: Facts) -> str:
    rows = sorted(f"{number}|{state}" for number, state in now[0])
    rows += sorted(f"{a}|{relation}|{b}" for a, relation, b in now[1])
    return sha1("\n".join(rows).encode()).hexdigest()


def memory(world: World) -> Memory:
    """From where each thing was taken, by id."""
    ids = world.scene.ids
    taken = ((n, divmod(entry - 1, world.size)) for n, entry in enumerate(world.put_back) if entry)
    return {ids[n]: (ids[place], RELATIONS[relation]) for n, (relation, place) in taken}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_step_is_as_the_original_recorded_it(variant: str) -> None:
    header, *steps = [orjson.loads(line) for line in (DATA / f"{variant}_small.jsonl").read_bytes().splitlines()]
    world = World(Scene.from_graph(small_graph()), VARIANTS[variant]())
    read = LineReader(world.scene, world.rules)
    before = facts(world)
    assert canonical_hash(before) == header["state_hash"]
    for step in steps:
        action = read(step["action"])
        taken = {thing: (place, relation) for thing, place, relation in step["grab_memory"]}
        refusal = world.act(action)
        now = facts(world)
        assert (refusal is None) == step["ok"], (step, refusal)
        assert bool(refusal and RAISES in refusal) == bool(step["error"] and step["error"].startswith("EXC:")), step
        assert sorted(map(list, now[1] - before[1])) == sorted(step["edges_add"]), step
        assert sorted(map(list, before[1] - now[1])) == sorted(step["edges_del"]), step
        assert now[0] - before[0] == {(number, state) for number, came, _ in step["states"] for state in came}, step
        assert before[0] - now[0] == {(number, state) for number, _, went in step["states"] for state in went}, step
        assert memory(world) == taken, step
        assert canonical_hash(now) == step["state_hash"], step
        before = now


@pytest.mark.parametrize("order", [(3, 11), (11, 3)])
def test_what_is_grabbed_remembers_the_place_that_the_order_of_the_file_gives(order: tuple[int, int]) -> None:
    """3 and 11 collide in a small set, and the one that came last is met first: so `virtualhome==2.3.0` has it."""
    nodes = [
        (1, "kitchen", "Rooms"),
        (2, "character", "Characters"),
        (3, "bench", ""),
        (11, "shelf", ""),
        (12, "cup", ""),
        (20, "hall", "Rooms"),
        (21, "door", "Doors"),
    ]
    edges = [(n, "INSIDE", 1) for n in (2, 3, 11, 12)] + [(12, "CLOSE", place) for place in order]
    edges += [(21, "BETWEEN", 1), (21, "BETWEEN", 20)]
    graph = {
        "nodes": [
            {"id": n, "class_name": name, "category": category, "properties": ["GRABBABLE"], "states": []}
            for n, name, category in nodes
        ],
        "edges": [{"from_id": a, "relation_type": relation, "to_id": b} for a, relation, b in edges],
    }
    for rules in VARIANTS.values():
        world = World(Scene.from_graph(graph), rules())
        read = LineReader(world.scene, world.rules)
        for line in ("[Walk] <cup> (12)", "[Grab] <cup> (12)"):
            assert world.act(read(line)) is None
        assert memory(world) == {12: (order[-1], "CLOSE")}


def test_the_recordings_are_of_the_small_program() -> None:
    program = read_program(DATA / "small.txt")
    for variant in VARIANTS:
        lines = [orjson.loads(line) for line in (DATA / f"{variant}_small.jsonl").read_bytes().splitlines()[1:]]
        assert [line["action"] for line in lines] == list(program.lines)


# --- random actions


def random_action(world: World, rng: random.Random) -> EngineAction:
    """Some action, possible or not; often one on what is near or in the hands, so that much succeeds."""
    character = world.characters[0]
    held = [n for n in range(world.size) if world.held(character) >> n & 1]
    near = [n for n in range(world.size) if world.out[CLOSE][character] >> n & 1]
    everything = range(world.size)
    pool = near + held if near and rng.random() < 0.7 else everything
    action = EngineAction("STANDUP")
    for _ in range(30):
        rule = rng.choice(list(world.rules.table.values()))
        nodes = [rng.choice(pool if rng.random() < 0.7 else everything) for _ in range(rule.arity)]
        if rule.arity == 2 and held:
            nodes[0] = rng.choice(held)
        if rule.key in ("WALK", "RUN", "FIND") and rng.random() < 0.5:
            nodes = [rng.choice(everything)]
        action = EngineAction(rule.key, *nodes)
        if world.refusal(action) is None or rng.random() < 0.1:
            break
    return action


@given(st.sampled_from(sorted(VARIANTS)), st.integers(0, 2**32))
def test_what_is_listed_as_admissible_is_what_is_not_refused(variant: str, seed: int) -> None:
    rng = random.Random(seed)
    world = World(Scene.from_graph(small_graph()), VARIANTS[variant]())
    for _ in range(rng.randrange(25)):
        world.act(random_action(world, rng))
    possible = []
    for key, rule in world.rules.table.items():
        firsts = range(world.size) if rule.arity else (-1,)
        seconds = range(world.size) if rule.arity == 2 else (-1,)
        actions = (EngineAction(key, first, second) for first in firsts for second in seconds)
        possible += [action for action in actions if world.refusal(action) is None]
    assert world.admissible() == possible


@given(st.sampled_from(sorted(VARIANTS)), st.integers(0, 2**32))
def test_going_back_restores_every_fact_and_going_forward_again_too(variant: str, seed: int) -> None:
    rng = random.Random(seed)
    world = World(Scene.from_graph(small_graph()), VARIANTS[variant]())
    seen = [(world.version, facts(world), memory(world), world.key)]
    for _ in range(20):
        world.act(random_action(world, rng))
        seen.append((world.version, facts(world), memory(world), world.key))
    rng.shuffle(seen)
    for version, now, taken, key in seen:
        world.restore(version)
        assert (facts(world), memory(world), world.key) == (now, taken, key)


@pytest.fixture(scope="module")
def specification(checkout: Path) -> ModuleType:
    """The executable specification, from beside the checkout."""
    path = checkout.parent / "shared" / "virtualhome" / "spec_engine.py"
    spec = importlib.util.spec_from_file_location("spec_engine", path) if path.is_file() else None
    if spec is None or spec.loader is None:
        pytest.skip("the executable specification spec_engine.py is not in ../shared/virtualhome")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare_random_walk(specification: ModuleType, graph: Any, variant: str, seed: int, steps: int) -> int:
    """Play random actions on both; return how many succeeded."""
    rng = random.Random(seed)
    model = specification.Engine(graph, variant)
    world = World(Scene.from_graph(graph), VARIANTS[variant]())
    ids = world.scene.ids
    succeeded = 0
    for _ in range(steps):
        action = random_action(world, rng)
        refusal = world.act(action)
        arguments = [ids[node] for node in action[1:] if node >= 0]
        place = memory(world).get(arguments[0], (None,))[0] if arguments else None
        mark, reached = len(model.log), set(model.known)
        try:
            done, raised = model.step(action.verb, *arguments, dest_choice=place), False
        except specification.Raises:
            model.undo(mark)
            model.known = reached
            done, raised = False, True
        succeeded += done
        assert done == (refusal is None), (action, arguments, refusal)
        assert raised == bool(refusal and RAISES in refusal), (action, arguments, refusal)
        assert canonical_hash(facts(world)) == model.canon(), (action, arguments)
        assert memory(world) == dict(model.grab), (action, arguments)
    return succeeded


@pytest.mark.parametrize("variant", VARIANTS)
def test_random_actions_do_what_the_specification_says(specification: ModuleType, variant: str) -> None:
    succeeded = sum(compare_random_walk(specification, small_graph(), variant, seed, 150) for seed in range(10))
    assert succeeded > 300  # otherwise the walks did not test much
