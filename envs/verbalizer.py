"""Words for what an environment does and shows: what corpora, language-model agents and plan checks ask of it.

An environment names its verbalizer in its `EnvSpec`. `get_verbalizer(env_id)` returns it, or a plain `Verbalizer`,
which serves any environment whose actions are commands in words. One of your own inherits from `Verbalizer` and
overrides what its environment knows better. Not here: the facts themselves (`pathei.envs.facts`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from ..experience import Goal, Observation, Task
from .facts import Action, Entity, FactGraph, read_action
from .facts.conditions import ConditionJson
from .plans import PlanOutcome, run_plan, trim_plan

if TYPE_CHECKING:
    import gymnasium

TEST_EVERY: Final = 5
"""One activity in this number, and one scene, is kept out of training."""
CARRYING: Final[Mapping[str, str]] = {
    "TAKE": "grab", "GET": "grab", "PICK": "grab", "PUT": "put", "INSERT": "put", "DROP": "drop", "OPEN": "open",
    "GO": "go", "MOVE": "go", "ENTER": "go",
}  # fmt: skip
"""What the usual verbs do for an agent that carries things about; see `Lexicon.carrying`."""
PAST: Final[Mapping[str, tuple[str, ...]]] = {
    "GO": ("went to {0}",), "WALK": ("walked to {0}",), "ENTER": ("entered {0}",),
    "TAKE": ("took {0}", "picked up {0}"), "TAKE_FROM": ("took {0} from {1}", "got {0} from {1}"),
    "GET": ("got {0}",), "PICK": ("picked up {0}",),
    "PUT": ("put {0} on {1}", "placed {0} on {1}"), "INSERT": ("put {0} in {1}", "placed {0} in {1}"),
    "DROP": ("dropped {0}", "put down {0}"), "OPEN": ("opened {0}",), "CLOSE": ("closed {0}", "shut {0}"),
    "LOCK": ("locked {0}",), "UNLOCK": ("unlocked {0}",), "EAT": ("ate {0}",), "DRINK": ("drank {0}",),
    "COOK": ("cooked {0}",), "CHOP": ("chopped {0}",), "SLICE": ("sliced {0}",), "DICE": ("diced {0}",),
    "EXAMINE": ("examined {0}",), "LOOK": ("looked around",), "READ": ("read {0}",), "PUSH": ("pushed {0}",),
    "PULL": ("pulled {0}",), "TOGGLE": ("toggled {0}",), "WAIT": ("waited",),
}  # fmt: skip
"""The usual verbs in the past tense; see `Lexicon.past`."""
_BREAK: Final = re.compile(r"(?<=[.;!])\s+|\n+")
_END: Final = re.compile(r"\n\s*\n|\n\s*(?:Q|Question|Goal|Task|Given)\b", re.IGNORECASE)
_NO_NAME: Final = re.compile(r"[^a-z0-9]+")
_WORD: Final = re.compile(r"[a-z0-9]+")


class NamedThing(NamedTuple):
    """A thing as a sentence names it."""

    name: str
    """In words, without an article: `"dining table"`."""
    id: int | None = None
    """Its id where the sentence gives one."""


class Reading(NamedTuple):
    """One way to understand a sentence."""

    verb: str
    """In upper case."""
    things: tuple[NamedThing, ...]
    """What its objects are called."""


class Sentence(NamedTuple):
    """One sentence of a plan."""

    text: str
    """As it stands in the plan."""
    readings: tuple[Reading, ...] = ()
    """What it may mean, the likeliest first; empty where the environment's words alone do not say."""


class Surroundings(NamedTuple):
    """What an observation says about where the agent is."""

    here: Entity | None = None
    """The room that the agent is in."""
    rooms: tuple[Entity, ...] = ()
    """Other rooms that it can go to."""
    closed: tuple[Entity, ...] = ()
    """What is closed in view."""
    holding: bool = False
    """Whether the agent holds something."""
    doors: Mapping[int, int] = MappingProxyType({})
    """The id of the room to which a door in view leads, by the id of the door."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What an environment's words are like, for stories and questions about its episodes."""

    past: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: PAST)
    """For each verb, ways to say in the past tense that somebody did it, the plainest first: `"picked up {0}"`, with
    `{them}` for the pronoun of the first object."""
    going: frozenset[str] = frozenset({"GO", "WALK"})
    """Verbs of going to something; their objects do not become pronouns."""
    back: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Verbs whose destination is not named (`"PUTOBJBACK"`): which verb says the same with it, by the relation of the
    object to it (`"ON"`, `"INSIDE"`, or `""` for any other)."""
    pouring: frozenset[str] = frozenset()
    """Verbs that move something that nobody can count."""
    carrying: Mapping[str, str] = field(default_factory=lambda: CARRYING)
    """For an agent that carries things about: which verbs `"go"` somewhere, `"grab"`, `"put"`, `"drop"`, `"open"`, help
    to `"approach"` something, or are never worth choosing (`""`). Others are `"idle"`."""
    reaching: frozenset[str] = frozenset()
    """Verbs that are possible with everything in reach, and with nothing else: where one is, nobody has to go."""
    states: Mapping[str, str] | None = None
    """The word for each state that is worth saying; None for every state in lower case."""
    plurals: frozenset[str] = frozenset()
    """Kinds whose name is a plural though it stands for one thing: `"keys"`."""
    masses: frozenset[str] = frozenset()
    """Kinds that take no "a": `"water"`."""
    alive: frozenset[str] = frozenset()
    """Kinds that are not things to count or to look for."""
    structure: frozenset[str] = frozenset({"door", "floor", "wall", "ceiling"})
    """Kinds that belong to every scene, and so to no activity."""
    rooms: tuple[str, ...] = ()
    """Names of rooms that a scene may have, as wrong options."""
    example: tuple[str, str] | None = None
    """A goal and its plan in words, which show a model what plans are like; None without one."""
    wrong_places: int = 2
    """How many wrong options a question for a place needs at least, up to 5: small scenes do not have many."""

    def be(self, kind: str) -> str:
        """Return the verb that agrees with a kind: "are" for "the keys", "is" for "the cup"."""
        return "are" if kind in self.plurals else "is"


def ask_for_plan(goal: str) -> str:
    """Return how a plan is asked for by the goal alone, in training and when a model acts; a space follows."""
    return f"Goal: {capitalised(goal)}\nPlan:"


def ask_for_place(kind: str, verbalizer: Verbalizer, known: Sequence[str] = ()) -> str:
    """Return how a thing's place is asked for, behind what is known of it, in training and when a model acts."""
    lines = "\n".join(["What is known:", *(f"- {one}" for one in known), "", ""]) if known else ""
    return f"{lines}Where {verbalizer.lexicon.be(kind)} the {verbalizer.noun(kind)}?"


def answer_place(kind: str, verbalizer: Verbalizer) -> str:
    """Return how the answer to `ask_for_place` begins; a space and the name of a room or a closed thing follow."""
    return f"The {verbalizer.noun(kind)} {verbalizer.lexicon.be(kind)} in the"


def capitalised(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.?!:' else '.'}"


def is_kept_out(name: str) -> bool:
    """Return whether a name falls among those kept out of training: one in `TEST_EVERY`, by its CRC-32."""
    return zlib.crc32(name.encode()) % TEST_EVERY == 0


def is_unseen_activity(name: str) -> bool:
    """Return whether an activity is kept out of training, by its name in lower case with hyphens."""
    return is_kept_out(_NO_NAME.sub("-", name.lower()).strip("-"))


def plan_text(text: str) -> str:
    """Return what of a model's answer is its plan: what follows an empty line or a new question is not."""
    text = text.strip()
    end = _END.search(text)
    return text if end is None else text[: end.start()]


class Verbalizer:
    """Words for one environment; by default actions are commands in words, and nothing is known of rooms and tasks."""

    lexicon: Lexicon = Lexicon()
    """What its words are like."""
    by_kind: bool = False
    """Whether a node of the graph stands for a whole kind of thing, so that what was done with one says little of the
    others: a stick is not made as a furnace is."""

    def read_action(self, text: str, graph: FactGraph | None = None) -> Action | None:
        """Take an action apart, as `step` takes it; None where it cannot be read.

        By default that is a script line, or a command: its first word is the verb, and it names things of the graph. A
        name that several things of the graph bear means none of them, so the command cannot be read.

        Args:
            text: The action.
            graph: What holds, for environments whose actions name things without ids.
        """
        action = read_action(text)
        if action is not None or graph is None:
            return action
        words = _words(text)
        if not words:
            return None
        found: list[tuple[int, Entity]] = []
        for kind, ids in _by_words(self, graph):
            place = _find(kind, words)
            if place >= 0 and not any(_covers(at, one, place, kind, self) for at, one in found):
                if len(ids) > 1:
                    return None
                found.append((place, Entity(graph.kinds[ids[0]], ids[0])))
        found.sort()
        return Action(words[0].upper(), tuple(one.kind for _, one in found), tuple(one.id for _, one in found))

    def say_action(self, action: Action | str, numbered: Collection[str] = ()) -> str:
        """Return an action as a sentence, as "Put the cup on the table." is one.

        Args:
            action: What is done; text stays itself where it cannot be read.
            numbered: Kinds whose things are named with their ids.
        """
        if isinstance(action, str):
            return capitalised(action.strip())
        names = (
            f"the {self.noun(name)}{f' ({id_})' if name in numbered else ''}"
            for name, id_ in zip(action.names, action.ids, strict=True)
        )
        return capitalised(" ".join([action.verb.lower(), *names]))

    def say_plan(self, actions: Sequence[str], numbered: Collection[str] = ()) -> str:
        """Return actions as a plan in words: their sentences, one after the other."""
        return " ".join(self.say_action(action, numbered) for action in actions)

    def read_plan(self, text: str) -> tuple[Sentence, ...]:
        """Split a plan in words into sentences, without what a model wrote after its end.

        By default at full stops, semicolons and ends of lines.
        """
        parts = (part.strip().rstrip(".;!").strip() for part in _BREAK.split(plan_text(text)))
        return tuple(Sentence(part) for part in parts if part)

    def noun(self, kind: str) -> str:
        """Return a kind in words: `"dining_table"` is a "dining table"."""
        return kind.replace("_", " ")

    def kind(self, name: str, kinds: Collection[str]) -> str | None:
        """Return the kind that a name in lower case means; None where it means none, or several.

        Args:
            name: Without an article; in the plural as well.
            kinds: The kinds that are known; an environment may know further ones.
        """
        for form in (name, name.removesuffix("s")):
            found = [kind for kind in kinds if self.noun(kind).lower() == form]
            if len(found) == 1:
                return found[0]
        return None

    def read_goal(self, text: str, kinds: Collection[str] = (), *, whole: bool = False) -> tuple[ConditionJson, ...]:
        """Return the conditions that a goal in words states by its words alone; empty where they cannot be read.

        An agent asks for it, so nothing of an episode is known but the kinds that it saw. See `read_instruction` for
        the same about an environment that is there.

        Args:
            text: The goal.
            kinds: Kinds that are known.
            whole: Whether it is to be empty where only a part can be read.
        """
        return ()

    def purposes(self, kind: str) -> frozenset[str]:
        """Return what a kind of thing is good for: kinds that share a purpose are no certain distractors."""
        return frozenset({kind})

    def activity(self, task: Task) -> str | None:
        """Return what kind of task it is, in words ("wash dishes"); None where it has none, as exploration has.

        By default the task's option `activity`.
        """
        activity = task.options.get("activity")
        return None if activity is None else str(activity)

    def activities(self) -> tuple[str, ...]:
        """Return the activities that the environment can generate tasks of, in words; empty where there are none."""
        return ()

    def scene(self, task: Task) -> str:
        """Return the name of the scene that a task plays in: the same name, the same scene."""
        options = orjson.dumps(dict(task.options), option=orjson.OPT_SORT_KEYS).decode() if task.options else ""
        return f"{task.env}:{task.seed}{options}"

    def is_unseen_scene(self, task: Task) -> bool:
        """Return whether a task's scene is kept out of training; where one scene serves all activities, they decide."""
        return is_kept_out(self.scene(task))

    def tracks_load(self, task: Task) -> bool:
        """Return whether, by the facts of a task's episodes, what is carried goes along with who carries it."""
        return True

    def surroundings(self, observation: Observation) -> Surroundings:
        """Return what an observation says about where the agent is; reads no facts."""
        return Surroundings()

    def approach(self, kind: str) -> Action | None:
        """Return the action of going to a thing of a kind, with the id 0; None where nobody has to go anywhere."""
        return None

    def opening(self, kind: str) -> Action | None:
        """Return the action of opening a thing of a kind, with the id 0; None where nothing can be opened."""
        return None

    def read_instruction(self, env: gymnasium.Env[Any, Any], text: str) -> Goal | None:
        """Return the goal that an instruction states ("turn on the lamp"), for an environment that was reset.

        None where the environment reads no instructions; its goal space may read goals then.

        Raises:
            GoalError: it cannot be read as something to check here.
        """
        return None

    def say_goal(self, env: gymnasium.Env[Any, Any], goal: Goal) -> str:
        """Return what a goal that was read here asks for, in words; by default its own text.

        Args:
            env: The environment that read it, as it stands.
            goal: From `read_instruction`, or a goal space.
        """
        return goal.text

    def trim_plan(self, env: gymnasium.Env[Any, Any], task: Task, actions: Sequence[str]) -> tuple[str, ...] | None:
        """Return a plan without the steps that its goal does not need; None if it does not reach the goal.

        Args:
            env: The task's environment; it is reset.
            task: Where the plan begins, and its goal.
            actions: The plan, as `step` takes it.
        """
        return trim_plan(env, task, actions)

    def run_plan(
        self, env: gymnasium.Env[Any, Any], info: Mapping[str, Any], text: str, *, skip_refused: bool = False
    ) -> PlanOutcome:
        """Carry out a plan in words; by default each sentence is matched to an admissible action by its words.

        Args:
            env: The environment, just reset.
            info: What its reset returned. Where it lists no actions, sentences are sent as they are.
            text: The plan, as a model wrote it.
            skip_refused: Whether to go on after a sentence that cannot be done; otherwise the plan ends there.
        """
        sentences = [one.text for one in self.read_plan(text)]
        return run_plan(env, info, sentences, self.say_action, skip_refused=skip_refused)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _by_words(verbalizer: Verbalizer, graph: FactGraph) -> list[tuple[list[str], list[int]]]:
    """The names of a graph's nodes, the longest first, each with the ids that bear it; characters are not named."""
    ids: dict[str, list[int]] = {}
    for node, kind in graph.kinds.items():
        if node not in graph.characters:
            ids.setdefault(kind, []).append(node)
    named = [(_words(verbalizer.noun(kind)), own) for kind, own in ids.items()]
    return sorted(named, key=lambda entry: (-len(entry[0]), entry[0]))


def _find(name: Sequence[str], words: Sequence[str]) -> int:
    """Where a name stands in a command, after its verb; -1 where it does not."""
    places = range(1, len(words) - len(name) + 1) if name else ()
    return next((place for place in places if words[place : place + len(name)] == name), -1)


def _covers(at: int, one: Entity, place: int, kind: Sequence[str], verbalizer: Verbalizer) -> bool:
    """Whether a longer name that was found stands where this one does."""
    return at <= place and place + len(kind) <= at + len(_words(verbalizer.noun(one.kind)))


@lru_cache(maxsize=1)
def plain() -> Verbalizer:
    """Return the default verbalizer."""
    return Verbalizer()
