"""What actions ask before they are done: each question can be put to one node, or to all nodes at once.

A `ConditionKind` never changes in a scene (a property, a class); a `Precondition` depends on the present state and on
who acts. `holds` and `among` of a condition must agree: `holds(w, c, n)` is bit `n` of `among(w, c)`. A condition
without `among` is asked node by node. A condition on the actor alone ignores the node: its `among` is everything (-1)
or nothing (0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from ....errors import ConfigError
from .scene import Scene, bits
from .vocabulary import CLOSE, FACING, HANDS, INSIDE, ON, STATES

if TYPE_CHECKING:
    from .world import World

CLOSED, OPEN, STATE_ON, STATE_OFF, SITTING, DIRTY, CLEAN, LYING, PLUGGED_IN, PLUGGED_OUT = range(len(STATES))

RAISES: Final = "the original raises here: "
"""How a refusal begins where the original simulator does not refuse but breaks."""

Holds = Callable[["World", int, int], bool]
Among = Callable[["World", int], int]
_Q = TypeVar("_Q", bound=Callable[["World", int], object])


LASTING: Final[set[Callable[[World, int], object]]] = set()
"""The questions that were declared with `lasting`."""


def lasting(question: _Q) -> _Q:
    """Declare that a question does not depend on what is CLOSE to or FACING what, nor on what was walked to.

    Most actions change nothing else, so `World.ask` need not work the answer out again after them.
    """
    LASTING.add(question)
    return question


class ConditionKind(NamedTuple):
    """A question with a fixed answer for each node of a scene."""

    says: str
    """Why the action is refused when it does not hold; `{0}` and `{1}` are the two objects."""
    among: Callable[[Scene], int]
    """The nodes for which it holds."""


class Precondition(NamedTuple):
    """A question whose answer changes with the world."""

    says: str | Callable[[World, int, int], str | None]
    """Why the action is refused when it does not hold, with `{0}` and `{1}` for the two objects; a function where the
    reason depends on the state."""
    holds: Holds
    """Called with the world, the acting character and a node."""
    among: Among | None = None
    """Called with the world and the acting character; None: ask node by node."""


class NodePair(NamedTuple):
    """A question about the object and the destination together."""

    says: str
    """Why the action is refused when it does not hold; `{0}` and `{1}` are the two objects."""
    holds: Callable[[World, int, int, int], bool]
    """Called with the world, the acting character, the object and the destination."""


def has(*properties: str, classes: tuple[str, ...] = (), says: str | None = None) -> ConditionKind:
    """The node has one of these properties or is of one of these classes.

    A property that is neither VirtualHome's nor declared is a `ConfigError` when a world is made.
    """

    def among(scene: Scene) -> int:
        found = scene.union(classes)
        for name in properties:
            if name not in scene.having:
                raise ConfigError(
                    f"No rule may ask for the property {name}: declare it in Rules.extended(properties=...)."
                )
            found |= scene.having[name]
        return found

    wanted = " or ".join((*(name.lower().replace("_", " ") for name in properties), *classes))
    return ConditionKind(says or f"{{0}} is not {wanted}", among)


def in_state(state: int, says: str) -> Precondition:
    """The node is in this state."""
    return Precondition(says, lambda w, c, n: bool(w.having[state] >> n & 1), lambda w, c: w.having[state])


def not_in_state(state: int, says: str) -> Precondition:
    """The node is not in this state."""
    return Precondition(says, lambda w, c, n: not w.having[state] >> n & 1, lambda w, c: ~w.having[state])


def actor(says: str, holds: Callable[[World, int], bool]) -> Precondition:
    """A condition on the acting character alone."""
    return Precondition(says, lambda w, c, n: holds(w, c), lambda w, c: -1 if holds(w, c) else 0)


# --- hands


def held(w: World, c: int) -> int:
    """The nodes in the hands of the character."""
    return w.out[HANDS[0]][c] | w.out[HANDS[1]][c]


def free_hand(w: World, c: int) -> int | None:
    """The relation of the hand that would take the next thing, the right one first, or None when both are full."""
    for hand in HANDS:
        if not w.out[hand][c]:
            return hand
    return None


HAND_FREE: Final = actor("both hands are full", lambda w, c: not (w.out[HANDS[0]][c] and w.out[HANDS[1]][c]))
HAND_BUSY: Final = actor("there is nothing in your hands", lambda w, c: bool(held(w, c)))
IN_HAND: Final = Precondition("{0} is not in your hands", lambda w, c, n: bool(held(w, c) >> n & 1), held)
NOT_IN_HAND: Final = Precondition(
    "{0} is in your hands already", lambda w, c, n: not held(w, c) >> n & 1, lambda w, c: ~held(w, c)
)
HOLDS_KNIFE: Final = actor(
    "there is no knife in your hands", lambda w, c: any("knife" in w.scene.classes[n] for n in bits(held(w, c)))
)

# --- closeness and gaze, in the loose manner of the original: two hops count


def loosely_close(w: World, c: int, n: int) -> bool:
    """The character is CLOSE to the node, or to something that is CLOSE to it or that it is ON."""
    near = w.out[CLOSE][c]
    if near & (w.into[CLOSE][n] | w.out[ON][n] | 1 << n):
        return True
    return any(w.out[CLOSE][d] >> n & 1 for d in bits(near & w.character_set))


def loosely_close_nodes(w: World, c: int) -> int:
    """The nodes for which `loosely_close` holds."""
    near = found = w.out[CLOSE][c]
    close, under = w.out[CLOSE], w.into[ON]
    for x in bits(near):
        found |= close[x] | under[x]
    for d in w.characters:
        if w.into[CLOSE][d] & near:
            found |= 1 << d
    return found


def faces(w: World, c: int, n: int) -> bool:
    """The character is FACING the node, or something that is FACING it."""
    facing = w.out[FACING][c]
    if facing & (w.into[FACING][n] | 1 << n):
        return True
    return any(w.out[FACING][d] >> n & 1 for d in bits(facing & w.character_set))


def faced_nodes(w: World, c: int) -> int:
    """The nodes for which `faces` holds."""
    facing = found = w.out[FACING][c]
    for x in bits(facing):
        found |= w.out[FACING][x]
    for d in w.characters:
        if w.into[FACING][d] & facing:
            found |= 1 << d
    return found


CLOSE_BY: Final = Precondition("{0} is not close to you", loosely_close, loosely_close_nodes)
CLOSE_BY_SECOND: Final = CLOSE_BY._replace(says="{1} is not close to you")
FACED: Final = Precondition("you are not facing {0}", faces, faced_nodes)

# --- containers


def shut_in(w: World, c: int, n: int) -> bool:
    """The node is directly INSIDE something closed that is not a room (one level only, as in the original)."""
    return bool(w.out[INSIDE][n] & w.having[CLOSED] & ~w.scene.rooms)


def shut_in_nodes(w: World, c: int) -> int:
    """The nodes for which `shut_in` holds."""
    found = 0
    for x in bits(w.having[CLOSED] & ~w.scene.rooms):
        found |= w.into[INSIDE][x]
    return found


NOT_SHUT_IN: Final = Precondition(
    "{0} is inside something closed",
    lambda w, c, n: not shut_in(w, c, n),
    lasting(lambda w, c: ~shut_in_nodes(w, c)),
)

# --- posture


def at_ease(w: World, c: int) -> bool:
    """The character sits or lies, in the eyes of these rules."""
    return w.rules.posture(w, c, SITTING) or w.rules.posture(w, c, LYING)


SEATED: Final = actor("you are neither sitting nor lying", at_ease)
STANDING: Final = actor("you have to stand up first", lambda w, c: not at_ease(w, c))
NOT_SITTING: Final = actor("you are sitting already", lambda w, c: not w.rules.posture(w, c, SITTING))
NOT_LYING: Final = actor("you are lying already", lambda w, c: not w.rules.posture(w, c, LYING))


def room_for(places: dict[str, int]) -> Precondition:
    """There is place for one more ON the node; everything that lies there counts."""
    return Precondition(
        "there is no place left on {0}",
        lambda w, c, n: w.into[ON][n].bit_count() < places.get(w.scene.classes[n], 1),
    )


# --- the rest

HAS_ROOM: Final = actor(RAISES + "you are in no room", lambda w, c: w.rules.room_of(w, c) is not None)
REACHED: Final = Precondition(
    "{0} has to be walked to or found first",
    lambda w, c, n: bool(w.reached[0] >> n & 1),
    lambda w, c: w.reached[0],
)
REACHED_SECOND: Final = REACHED._replace(says="{1} has to be walked to or found first")
OPEN_IF_IT_CAN: Final = Precondition(
    "{1} is closed",
    lambda w, c, n: bool((~w.scene.having["CAN_OPEN"] | w.having[OPEN]) >> n & 1),
    lambda w, c: ~w.scene.having["CAN_OPEN"] | w.having[OPEN],
)
TAKEN_FROM_SOMEWHERE: Final = Precondition("you did not take {0} from anywhere", lambda w, c, n: bool(w.put_back[n]))
NEVER_TAKEN: Final = Precondition("{0} was taken before", lambda w, c, n: not w.put_back[n])
FOOD_IS_THERE: Final = Precondition(
    "there is nothing to eat on {0}",
    lambda w, c, n: bool((w.into[ON][n] | 1 << n) & w.scene.having["EATABLE"]),
)
WORN: Final = Precondition(
    "you do not wear {0}", lambda w, c, n: bool(w.into[ON][c] >> n & 1), lambda w, c: w.into[ON][c]
)


def _watchable(w: World, c: int, n: int) -> bool:
    if w.scene.classes[n] == "computer" or not at_ease(w, c):
        return True
    return bool(w.out[FACING][c] >> n & 1)


ROOMS_KNOWN: Final = Precondition(
    RAISES + "{0} or you are in no room",
    lambda w, c, n: w.rules.room_of(w, c) is not None and w.rules.room_of(w, n) is not None,
)
SAME_ROOM: Final = Precondition(
    "{0} is in another room", lambda w, c, n: w.rules.room_of(w, c) == w.rules.room_of(w, n)
)
FACED_FROM_SEAT: Final = Precondition("from your seat you do not face {0}", _watchable)
