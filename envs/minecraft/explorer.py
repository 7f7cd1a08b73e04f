"""The oracle of the Minecraft world: what to do next for a goal, by the recipe graph and by looking around.

It sees what the bot perceives and knows the rules; it does not look into the land beyond. Not here: the recipe graph
itself (`plans`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...errors import GoalError
from ..facts.actions import read_actor
from ..model import EnvModel
from .actions import DIRECTIONS, LOWEST, ROOM
from .goals import MinecraftGoal, measure_team
from .plans import Planner, PlanStep
from .process.game import Seen
from .rules import GameRules

if TYPE_CHECKING:
    from .env import MinecraftEnv

DEPTHS: Final = {
    "diamond_ore": -53, "redstone_ore": -50, "gold_ore": -16, "lapis_ore": 0, "iron_ore": 18, "copper_ore": 44,
    "coal_ore": 48, "stone": 56, "deepslate": -8,
}  # fmt: skip
"""The heights at which a search for blocks under the ground is worth most."""
_SLACK: Final = 8
_MOST: Final = 16
"""It mines no more at once, so that it looks around in between."""
_FIRST: Final = 40.0
_LATER: Final = 8.0
_HUNGRY: Final = 12
_HURT: Final = 10
_BAD_FOOD: Final = ("flesh", "eye", "chicken")
"""How the names of food end that may make ill."""


class Explorer:
    """One episode of the oracle."""

    def __init__(self, rules: GameRules, goals: Sequence[MinecraftGoal], first_way: int = 0) -> None:
        """Begin.

        Args:
            rules: The rules.
            goals: What is to be reached.
            first_way: In which of the four directions to look first.
        """
        self._planner, self._goals = Planner(rules), tuple(goals)
        self._legs, self._first = 0, first_way

    def next(self, seen: Seen, begun: Seen, actions: Sequence[str], last: str | None = None) -> str:
        """Return what to do.

        Args:
            seen: What is perceived.
            begun: What was perceived at the beginning.
            actions: What is admissible.
            last: The last action if it was tried in vain: something else is done then.

        Raises:
            GoalError: no way is known.
        """
        goals = [one for one in self._goals if one.measure(seen, begun) < 1]
        if first := care(self._planner.rules, seen, actions) or spare(self._planner, goals, seen, actions):
            return first
        action = self._towards(goals[0], seen, begun, actions)
        return self._wander(seen) if action == last else action

    def _towards(self, goal: MinecraftGoal, seen: Seen, begun: Seen, actions: Sequence[str]) -> str:
        if goal.kind == "depth":
            return "explore down"
        if goal.kind == "distance":
            return f"explore {DIRECTIONS[self._first % 4]}"
        if goal.kind == "survived":
            return "wait"
        if goal.kind == "slept":
            return self._sleep(seen, actions)
        if goal.kind == "biome":
            return self._wander(seen)
        lack = goal.number - goal.reached(seen)
        steps = self._planner.steps(goal, seen["inventory"], seen["within"], lack)
        first = steps[0]
        if first.verb == "mine":  # as long as one is there
            first = first._replace(number=_wanted(steps))
        return self._do(first, seen, actions)

    def _do(self, step: PlanStep, seen: Seen, actions: Sequence[str]) -> str:
        if step.verb in ("kill", "use"):
            return str(step) if str(step) in actions else self._look_for((), seen)
        if step.verb == "mine":
            if f"mine {step.thing}" in actions:
                return str(step._replace(number=min(step.number, _MOST)))
            return self._look_for(self._planner.rules.giving.get(step.thing, (step.thing,)), seen)
        return str(step)

    def _sleep(self, seen: Seen, actions: Sequence[str]) -> str:
        if any(block.endswith("_bed") for block in seen["within"]):
            return "sleep" if "sleep" in actions else "wait"
        steps = self._planner.steps(MinecraftGoal("placed", "bed", 1), seen["inventory"], seen["within"], 1)
        return self._do(steps[0], seen, actions)

    def _look_for(self, blocks: Sequence[str], seen: Seen) -> str:
        """Return the way to go to where these blocks are likely."""
        return _up_or_down(blocks, seen) or self._wander(seen)

    def _wander(self, seen: Seen) -> str:
        """Return the next direction of a walk that goes round in a widening spiral."""
        leg, turn = self._legs, 0
        while leg >= (length := 2 + turn // 2):
            leg, turn = leg - length, turn + 1
        self._legs += 1
        return f"explore {DIRECTIONS[(self._first + turn) % 4]}"


def _up_or_down(blocks: Sequence[str], seen: Seen) -> str | None:
    """Return which way these blocks are likely, None for around; creatures and plants are under the sky."""
    depths = [DEPTHS[name] for one in blocks if (name := one.removeprefix("deepslate_")) in DEPTHS]
    height = seen["position"][1]
    if not depths:
        return None if seen["sky"] else "explore up"
    nearest = min(depths, key=lambda depth: abs(depth - height))
    if height > nearest + _SLACK and height > LOWEST + 1:
        return "explore down"
    return "explore up" if height < nearest - 2 * _SLACK and not seen["sky"] else None


class MinecraftModel(EnvModel):
    """The world as a search sees it, with an idea of what the goal needs next: the steps of the plan."""

    def __init__(self, env: MinecraftEnv, info: Mapping[str, Any], planner: Planner) -> None:
        """Look at an environment that was reset; the model moves it."""
        super().__init__(env, info, observation=env.text())
        self._minecraft, self._planner = env, planner

    def prior(self, actions: Sequence[str]) -> list[float]:
        """Return how likely each action is to be needed, relative to the others, shape `[actions]`.

        What was just tried in vain is no likelier than anything else: a table that cannot be reached, a way that is
        blocked.
        """
        moment = self._minecraft.moment
        goals = [goal for goal in moment.goals if measure_team(goal, moment.team, moment.begun) < 1]
        plans = [_plan(self._planner, goal, moment.seen) for goal in goals]
        firsts = {steps[0][:2]: _wanted(steps) for steps in plans if steps}
        later = {step[:2] for steps in plans for step in steps[1:]}
        bare = [read_actor(one)[1] for one in actions]
        rules, vain = self._planner.rules, {action for bot, action in moment.vain if bot == moment.turn}
        if first := care(rules, moment.seen, bare) or spare(self._planner, goals, moment.seen, bare):
            return [_FIRST if one == first else 1.0 for one in bare]
        found = _weights(bare, firsts, later)
        if not any(weight >= _FIRST and one not in vain for one, weight in zip(bare, found, strict=True)):
            ways = {  # what is needed next has to be looked for
                _up_or_down(rules.giving.get(thing, (thing,)) if verb == "mine" else (), moment.seen)
                for verb, thing in firsts
            }
            around = None in ways or bool(ways & vain)
            found = [
                _FIRST if one in ways else _LATER if around and one.startswith("explore") else weight
                for one, weight in zip(bare, found, strict=True)
            ]
        return [1.0 if one in vain else weight for one, weight in zip(bare, found, strict=True)]


def care(rules: GameRules, seen: Seen, actions: Sequence[str]) -> str | None:
    """Return what one does for oneself first: eating where one is hungry or hurt, putting on armour; or None.

    Args:
        rules: The rules.
        seen: What is perceived.
        actions: What is admissible, without the name of the one who acts.
    """
    wanting = seen["food"] <= _HUNGRY or seen["health"] <= _HURT
    meals = [one for one in actions if one.startswith("eat ") and not one.endswith(_BAD_FOOD)] if wanting else []
    armor = [one for one in actions if one.startswith("equip ") and rules.wears(one.split()[-1], seen["worn"])]
    return next(iter([*meals, *armor]), None)


def _plan(planner: Planner, goal: MinecraftGoal, seen: Seen) -> list[PlanStep]:
    try:
        return planner.steps(goal, seen["inventory"], seen["within"], goal.number - goal.reached(seen))
    except GoalError:
        return []


def spare(planner: Planner, goals: Sequence[MinecraftGoal], seen: Seen, actions: Sequence[str]) -> str | None:
    """Return what to throw away where there is hardly room for more; None where there is, or all is needed.

    Of what no goal is further away without, it is what is of no use; or else what takes the least work to get.

    Args:
        planner: Knows what goals need.
        goals: Those that do not hold yet.
        seen: What is perceived.
        actions: What is admissible, without the name of the one who acts.
    """
    if seen["free"] > ROOM:
        return None
    work = [remaining(planner, goal, seen) for goal in goals]

    def worth(action: str) -> tuple[bool, float]:
        _, count, name = action.split()
        return planner.useful(name, seen["inventory"]), int(count) * planner.costs(name, {}, ())[name]

    for action in sorted((one for one in actions if one.startswith("drop ")), key=worth):
        rest = _without(seen, action.split()[-1])
        if all(remaining(planner, goal, rest) <= before for goal, before in zip(goals, work, strict=True)):
            return action
    return None


def _without(seen: Seen, name: str) -> Seen:
    return {**seen, "inventory": {one: count for one, count in seen["inventory"].items() if one != name}}


def _wanted(steps: Sequence[PlanStep]) -> int:
    """Return how much the whole plan wants of what its first step is about."""
    return sum(one.number for one in steps if one[:2] == steps[0][:2])


def _weights(actions: Sequence[str], firsts: Mapping[Any, int], later: Collection[Any]) -> list[float]:
    """Return how likely each action is: of those for what is needed first, the one nearest to how much is wanted."""
    read = [_read(action) for action in actions]
    away = [abs(number - firsts[meant]) if meant in firsts else 0 for meant, number in read]
    nearest: dict[tuple[str, str], int] = {}
    for (meant, _), far in zip(read, away, strict=True):
        nearest[meant] = min(far, nearest.get(meant, far))
    return [
        _FIRST if meant in firsts and far == nearest[meant] else _LATER if meant in firsts or meant in later else 1.0
        for (meant, _), far in zip(read, away, strict=True)
    ]


def _read(action: str) -> tuple[tuple[str, str], int]:
    """Return what an action is about, `("mine", "coal")`, and how many."""
    verb, *rest = action.split()
    return (verb, rest[-1] if rest else verb), int(rest[0]) if rest and rest[0].isdecimal() else 1


def remaining(planner: Planner, goal: MinecraftGoal, seen: Seen) -> float:
    """Return how much work a goal about things still is, in actions, roughly; infinity where no plan is known."""
    lack = goal.number - goal.reached(seen)
    return planner.work(goal, seen["inventory"], seen["within"], lack)
