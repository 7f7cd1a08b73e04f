"""Words for homes: what actions name, and how they are said.

An object's name in an action says which one it is ("cup_2"), so no graph is needed to read it. Not here: doing them
(`actions`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

import gymnasium

from ....errors import GoalError
from ....experience import Goal, Observation, Task
from ...facts import Action, ConditionJson, Entity, FactGraph
from ...facts.sentences import choose_kind
from ...verbalizer import Lexicon, Surroundings, Verbalizer, capitalised
from ..backend import MOVES
from ..goals import read_words
from ..graph import goal_space, node_of
from ..scenes.catalogue import ALIASES, FURNITURE, ROOMS
from .actions import STOP, WAIT, read_command

_ACTOR: Final = re.compile(r"^\s*<char\d+>\s*")
_NUMBER: Final = re.compile(r"_\d+$")
_WHERE: Final = re.compile(r"^You are in the (\w+),", re.MULTILINE)
_HELD: Final = re.compile(r"^You hold the \w+\.$", re.MULTILINE)
_CLOSED: Final = re.compile(r"\b(\w+) \(closed\)")
_SAID: Final = {
    "GO": "go to the {0}", "PICK": "pick up the {0}", "OPEN": "open the {0}", "CLOSE": "close the {0}",
    "PLACE_ON": "put the {0} on the {1}", "PLACE_IN": "put the {0} in the {1}",
}  # fmt: skip
_ACTIVITIES: Final = {
    "point": "go to a point", "image": "go to where a picture was taken", "object": "find an object",
    "person": "follow a person",
}  # fmt: skip
_GO: Final = re.compile(
    r"(?:(?:please|could you|now) )*(?:(?:go|walk|run|move|head|drive|navigate|get|come)(?: over| up| back)? to"
    r"|approach|find|stop (?:at|near|by)) (?:the |a |an |any )?(.+?)"
    r"(?:(?:,? and then|,? then|,? and|,) (.+))?"
)
_LEXICON: Final = Lexicon(
    past={
        "GO": ("went to {0}", "walked to {0}"), "PICK": ("picked up {0}", "took {0}"), "OPEN": ("opened {0}",),
        "CLOSE": ("closed {0}", "shut {0}"), "PLACE_ON": ("put {0} on {1}", "placed {0} on {1}"),
        "PLACE_IN": ("put {0} in {1}", "placed {0} in {1}"), "MOVE_FORWARD": ("went forward",),
        "TURN_LEFT": ("turned left",), "TURN_RIGHT": ("turned right",), "LOOK_UP": ("looked up",),
        "LOOK_DOWN": ("looked down",), "STOP": ("stopped",), "WAIT": ("waited",),
    },
    carrying={
        "GO": "go", "PICK": "grab", "PLACE_ON": "put", "PLACE_IN": "put", "OPEN": "open", "CLOSE": "idle",
        **{move.upper(): "idle" for move in MOVES}, STOP.upper(): "", WAIT.upper(): "idle",
    },
    rooms=tuple(ROOMS),
    plurals=frozenset({"keys", "pants", "socks", "cookies"}),
    masses=frozenset({"milk", "juice", "wine", "bread", "cheese", "cereal", "soap", "shampoo", "toilet_paper"}),
)  # fmt: skip


class HabitatVerbalizer(Verbalizer):
    """The actions of homes in words."""

    lexicon = _LEXICON

    def read_action(self, text: str, graph: FactGraph | None = None) -> Action | None:
        """Take an action apart; ids follow from names, so no graph is needed."""
        command = read_command(_ACTOR.sub("", text))
        if command is None:
            return None
        if command.verb == "place":
            one, other = _entity(command.thing), _entity(command.holder)
            verb = "PLACE_IN" if command.inside else "PLACE_ON"
            return Action(verb, (one.kind, other.kind), (one.id, other.id))
        if not command.thing:
            return Action(command.verb.upper(), (), ())
        thing = _entity(command.thing)
        return Action(command.verb.partition(" ")[0].upper(), (thing.kind,), (thing.id,))

    def say_action(self, action: Action | str, numbered: Collection[str] = ()) -> str:
        """Return an action as a sentence: "Put the cup on the dining table."."""
        read = self.read_action(action) if isinstance(action, str) else action
        if read is None or not read.names:
            return capitalised(action.strip() if isinstance(action, str) else action.verb.replace("_", " ").lower())
        names = [
            f"{self.noun(name)}{f' ({id_})' if name in numbered else ''}"
            for name, id_ in zip(read.names, read.ids, strict=True)
        ]
        return capitalised(_SAID.get(read.verb, "{0}").format(*names))

    def read_goal(self, text: str, kinds: Collection[str] = (), *, whole: bool = False) -> tuple[ConditionJson, ...]:
        """Return the conditions that a goal about facts states; see `read_words`."""
        return read_words(text, kinds, whole=whole)

    def read_instruction(self, env: gymnasium.Env[Any, Any], text: str) -> Goal | None:
        """Return the goal of going to some furniture ("go to the fridge"); None for what the goal space reads.

        Going there first, to do something then ("go to the fridge and open it"), adds nothing to check.

        Raises:
            GoalError: what is to be done there cannot be read.
        """
        match = _GO.fullmatch(" ".join(text.lower().split()).rstrip(".!"))
        home: Any = env.unwrapped
        kinds = {thing.category for thing in home.world.map.home.things}
        known = sorted(kinds & FURNITURE.keys())
        try:
            kind = choose_kind(ALIASES.get(match[1].replace(" ", "_"), match[1]), known, self.noun) if match else None
        except GoalError:
            kind = None
        if match is None or kind is None:
            return None
        if match[2]:
            rest = re.sub(r"\bit\b", f"the {self.noun(kind)}", match[2], count=1)
            return goal_space().present(env).read(rest).goal
        goal = {"navigate": "object", "category": kind, "actions": "skills"}
        return Goal(f"Stop near the {self.noun(kind)}.", (goal,))

    def activity(self, task: Task) -> str | None:
        """Return the kind of task: "find an object", "put something somewhere"."""
        first = task.goal.conditions[0] if task.goal.conditions else None
        if first is None:
            return None
        if "navigate" in first:
            return _ACTIVITIES.get(first["navigate"])
        return "open or close something" if "state" in first else "put something somewhere"

    def scene(self, task: Task) -> str:
        """Return the home."""
        return str(task.options.get("scene", f"seed {task.seed}"))

    def surroundings(self, observation: Observation) -> Surroundings:
        """Return the room, the other rooms that one may go to, what is closed in view, and whether the hand is full."""
        found = _WHERE.search(observation.text)
        here = None if found is None else _entity(found[1])
        going = [self.read_action(one) for one in observation.actions or () if one.startswith("go to ")]
        rooms = [Entity(one.names[0], one.ids[0]) for one in going if one is not None and one.names[0] in ROOMS]
        closed = [_entity(name) for name in _CLOSED.findall(observation.text)]
        return Surroundings(here, tuple(rooms), tuple(closed), _HELD.search(observation.text) is not None)

    def approach(self, kind: str) -> Action | None:
        """Return the action of going to a thing of a kind."""
        return Action("GO", (kind,), (0,))

    def opening(self, kind: str) -> Action | None:
        """Return the action of opening a thing of a kind."""
        return Action("OPEN", (kind,), (0,))


def _entity(name: str) -> Entity:
    word = name.strip().lower().removeprefix("the ").replace(" ", "_")
    kind = _NUMBER.sub("", word)
    known = ALIASES.get(kind, kind)
    return Entity(known, node_of(known + word[len(kind) :]))
