"""A household task as PDDL, and plans read back as script lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....errors import ConfigError, ScriptError
from ...facts.conditions import ConditionJson
from ...plans import PddlTask
from ..engine.rules import EngineAction
from ..goals.check import GoalCheck
from ..goals.relevance import Relevance
from ..language.script import write_line
from .goal import PddlGoal
from .operators import PREDICATES, TYPE_OF, TYPES, Atom, Operator, write_atom
from .scene import PddlScene

if TYPE_CHECKING:
    from ..engine.world import World

_STEP = re.compile(r"\(\s*([^\s()]+)((?:\s+[^\s()]+)*)\s*\)")


def write_task(conditions: Sequence[ConditionJson], world: World, *, everything: bool = False) -> PddlTask:
    """Write a goal in a household, as it is now, in PDDL.

    Args:
        conditions: The goal's.
        world: Under the rules `clean`, with one character; its present moment is where the task begins.
        everything: Whether every node is an object; otherwise those that the goal is likely to need (`relevance`).

    Raises:
        ConfigError: the rules are others, or there are several characters.
        GoalError: a condition cannot be written in PDDL; the message says which.
    """
    if world.rules.name.partition("+")[0] != "clean" or len(world.characters) > 1:
        raise ConfigError("A task is written in PDDL for one character under the rules 'clean', not for others.")
    nodes = world.scene.everything if everything else Relevance(conditions, world).nodes
    scene = PddlScene(world, nodes)
    goal = PddlGoal(GoalCheck(conditions, world), world, scene)
    return PddlTask(
        _domain(goal),
        _problem(goal, scene),
        lambda plan: _read(plan, goal.operators, scene, world),
    )


def _domain(goal: PddlGoal) -> str:
    predicates = "\n".join(f"    {_typed(one)}" for one in (*PREDICATES, *goal.predicates))
    constants = sorted(
        {word for one in goal.operators for atom in (*one.needs, *one.adds, *one.deletes) for word in atom[1:]}
        - {*TYPE_OF, "right", "left"}
    )
    things = f"{' '.join(constants)} - thing " if constants else ""
    actions = "\n".join(one.write() for one in goal.operators)
    return (
        "(define (domain household)\n  (:requirements :strips :typing)\n"
        f"  (:types {TYPES})\n  (:constants {things}right left - hand)\n"
        f"  (:predicates\n{predicates})\n{actions}\n)\n"
    )


def _typed(predicate: Atom) -> str:
    return f"({' '.join([predicate[0], *(f'{one} - {TYPE_OF[one]}' for one in predicate[1:])])})"


def _problem(goal: PddlGoal, scene: PddlScene) -> str:
    constants = {word for one in goal.operators for atom in one.deletes for word in atom[1:]} | {"right", "left"}
    objects = "\n".join(f"    {name} - {kind}" for name, kind in scene.objects().items() if name not in constants)
    facts = dict.fromkeys((*scene.facts(), *goal.facts))
    return (
        "(define (problem task)\n  (:domain household)\n"
        f"  (:objects\n{objects})\n"
        f"  (:init\n{_lines(facts)})\n"
        f"  (:goal (and\n{_lines(dict.fromkeys(goal.goal))}))\n)\n"
    )


def _lines(atoms: dict[Atom, None]) -> str:
    return "\n".join(f"    {write_atom(one)}" for one in atoms)


def _read(plan: str, known: Sequence[Operator], scene: PddlScene, world: World) -> tuple[str, ...]:
    """Return the script lines of a plan; see `PddlTask.read`."""
    by_name = {one.name: one for one in known}
    nodes = {name: n for n, name in scene.names.items()}
    lines: list[str] = []
    text = "\n".join(line.partition(";")[0] for line in plan.lower().splitlines())
    for name, rest in _STEP.findall(text):
        operator, given = by_name.get(name), rest.split()
        if operator is None or len(given) != len(operator.variables):
            raise ScriptError(f"The plan has the step ({name}{rest}), which is none of this task's domain.")
        bound = dict(zip(operator.variables, given, strict=True))
        for verb, *objects in operator.lines:
            if wrong := [bound[one] for one in objects if bound[one] not in nodes]:
                raise ScriptError(f"The plan's step ({name}{rest}) names {wrong[0]}, which is nothing in this task.")
            action = EngineAction(verb, *(nodes[bound[one]] for one in objects))
            lines.append(write_line(action, world.scene, world.rules))
    if not lines and text.strip() and not _STEP.search(text):
        raise ScriptError("The plan has no step of the form (walk table_7 kitchen_3 zone_1), one in a line.")
    return tuple(lines)
