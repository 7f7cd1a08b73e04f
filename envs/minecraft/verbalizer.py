"""The words of the Minecraft world's actions: a verb, how many, and the kind of thing that it is about."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ...errors import GoalError, unknown
from ...experience import Goal
from ..facts import Action, ConditionJson, FactGraph, read_actor
from ..verbalizer import PAST, Lexicon, Verbalizer, capitalised
from .actions import DIRECTIONS, normalise
from .goals import MinecraftGoal, read_words, say_goals, write_goal
from .graph import CREATURES, WORTH, node_of
from .rules import GROUPS, GameRules, stands_for

if TYPE_CHECKING:
    import gymnasium

_THINGS = frozenset({"mine", "craft", "place", "smelt", "kill", "eat", "equip", "use", "deposit", "withdraw", "drop"})
_PAST = {
    **PAST,
    "MINE": ("mined {0}", "dug up {0}"),
    "CRAFT": ("crafted {0}", "made {0}"),
    "PLACE": ("placed {0}", "put down {0}"),
    "SMELT": ("smelted {0}", "put {0} into the furnace"),
    "KILL": ("killed {0}",),
    "EQUIP": ("put on {0}",),
    "USE": ("used {0}",),
    "DEPOSIT": ("put {0} into the chest",),
    "WITHDRAW": ("took {0} from the chest",),
    "DROP": ("threw away {0}", "dropped {0}"),
    "SLEEP": ("slept",),
    "COLLECT": ("picked up what lay about",),
    **{f"EXPLORE_{way.upper()}": (f"went {way}",) for way in (*DIRECTIONS, "up", "down")},
}

_KINDS = {
    "mine": "inventory", "gather": "inventory", "collect": "inventory", "get": "inventory", "obtain": "inventory",
    "have": "inventory", "craft": "crafted", "make": "crafted", "smelt": "smelted", "cook": "smelted", "kill": "killed",
    "place": "placed", "eat": "eaten", "use": "used",
}  # fmt: skip
_TASK = re.compile(rf"({'|'.join(_KINDS)})(?: (\d+|an?|the))? (.+)")
_AND = re.compile(r",? and (?:then )?|, (?:then )?")


class MinecraftVerbalizer(Verbalizer):
    """Skills in words; every kind of thing is one node, so no graph is needed to read them."""

    lexicon = Lexicon(past=_PAST, carrying={})
    by_kind = True

    def read_action(self, text: str, graph: FactGraph | None = None) -> Action | None:
        """Take an action apart: `"<char1> mine 3 oak_log"` is `MINE`, 3 and `oak_log`."""
        verb, *rest = normalise(read_actor(text)[1]).split() or [""]
        if not verb:
            return None
        if verb not in _THINGS:
            return Action("_".join([verb, *rest]).upper(), (), ())
        things = tuple(one for one in rest if not one.isdecimal())
        number = next((int(one) for one in rest if one.isdecimal()), None)
        return Action(verb.upper(), things, tuple(map(node_of, things)), number)

    def say_action(self, action: Action | str, numbered: object = ()) -> str:
        """Return an action as a sentence: `"Mine the oak log."`."""
        if isinstance(action, str):
            return capitalised(action.strip())
        names = (f"the {self.noun(name)}" for name in action.names)
        return capitalised(" ".join([action.verb.lower().replace("_", " "), *names]))

    def read_goal(self, text: str, kinds: Collection[str] = (), *, whole: bool = False) -> tuple[ConditionJson, ...]:
        """Return the conditions on the graph that a goal states (`read_words`); planks are any kind of planks."""
        known = dict.fromkeys((*WORTH, *CREATURES, *kinds))
        return tuple(_any_of(one, known) for one in read_words(text, known, whole=whole))

    def read_instruction(self, env: gymnasium.Env[Any, Any], text: str) -> Goal:
        """Return the goal of a task such as Voyager's: `"Mine 1 wood log"`, `"Craft 4 sticks and a crafting table"`.

        Raises:
            GoalError: it cannot be read, or names what is not in the game.
        """
        world: Any = env.unwrapped
        goals, verb = [], ""
        for part in _AND.split(" ".join(text.lower().split()).rstrip(".!")):
            found = _TASK.fullmatch(part) or _TASK.fullmatch(f"{verb} {part}")
            if found is None:
                verbs = ", ".join(_KINDS)
                raise GoalError(f"{part!r} is no task of the Minecraft world: say VERB NUMBER THING with {verbs}.")
            verb, number, thing = found.groups()
            count = int(number) if number and number.isdecimal() else 1
            goals.append(_goal(_KINDS[verb], thing.replace(" ", "_"), max(1, count), world.game.rules))
        return Goal(say_goals(goals), tuple(map(write_goal, goals)))


def _any_of(condition: ConditionJson, known: Collection[str]) -> ConditionJson:
    """Return a condition with the kinds that are known of a group in the place of its name."""
    end = "to" if "to" in condition else "node"
    name = condition[end]["class"]
    if name not in GROUPS:
        return condition
    return {**condition, end: {"any": [{"class": kind} for kind in known if stands_for(name, kind)]}}


def _goal(kind: str, thing: str, count: int, rules: GameRules) -> MinecraftGoal:
    """Return the condition that a task states; a smelted thing may be named by what it is made of."""
    known = rules.creatures.keys() if kind == "killed" else rules.things
    names = [thing, thing.removesuffix("s"), thing.removesuffix("es"), f"{thing.removesuffix('s')}_ingot"]
    names.append(thing.removesuffix("s").removeprefix("wood_").removeprefix("wooden_"))
    for name in names:
        if kind == "smelted" and name in rules.smelting and name not in rules.smelted:
            return MinecraftGoal(kind, rules.smelting[name], count)
        if name in known or (name in GROUPS and kind != "killed"):
            return MinecraftGoal(kind, name, count)
    raise GoalError(str(unknown("thing of the Minecraft world", thing, sorted(known))))
