"""An agent whose language model says, sentence by sentence, what to do next, among what can be done.

After SayCan (Ahn et al. 2022, arXiv 2204.01691): the model speaks, and the environment says which sentences are
possible. Every admissible action is a sentence ("Grab the cup.") in the words of the environment's verbalizer, the plan
so far is the prompt, and so a model that was trained on plans in words (the corpus `plan-bare`) reads here what it was
trained on. The likeliest sentence is said. What the goal names may be walked to wherever it is, and what the model's
own first draft of a plan says may be said at any time: the things are looked for (`looking`) and walked to first. So
the model has to know what to do; where to look for a thing it is asked as well, among the rooms and the closed things
that it has not looked into.

A prompt begins with worked examples: plans for similar goals that a memory holds, or else the environment's own. What
a memory knows of a thing's place is shown where the model says where to look. With and without a memory, tuned or not,
it is the same agent. Not here: agents that act one after another (`sequential`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...envs.facts import Action, Entity, read_condition
from ...envs.verbalizer import Verbalizer, answer_place, ask_for_place, ask_for_plan, plain
from ...errors import AnswerError, ModelError, at_least, check, of_type
from ...experience import Goal, Json, Observation
from ...memory.protocol import Memory
from ..barring import BarredActions
from ..protocol import Decision, Finished, check_seen
from ..skills.goal_places import GoalPlaces
from ..skills.looking import RoomExplorer
from ..skills.view import EpisodeView
from .backends import Backend, Conversation, Message, ModelReply, ModelRequest, Usage
from .shown import ShownMemory, WorkedExample

_YOU: Final = "character"
_NO_NAME: Final = re.compile(r"\b(?:in|into|on|the|to)\b")
"""What a model may write in place of a name, and what is no name."""
_DRAFT: Final = 80
"""The longest draft of a plan, in tokens."""
_ROOM: Final = 32
"""How many tokens of the model's context are kept for the next sentence."""


@dataclass(frozen=True, slots=True)
class SayCanConfig:
    """How the model is asked."""

    again: int = 2
    """Maximum repetitions of one sentence while alternatives remain."""
    sentences: int = 14
    """The agent has finished after this number of sentences."""
    looks: int = 24
    """At most this number of actions is spent on looking for one thing."""
    misses: int = 14
    """The agent has finished after this number of searches in vain."""
    ends: bool = True
    """Whether the model may end its plan; else it goes on until the environment ends the episode."""
    remembered: int = 2
    """The maximum number of plans from a memory in the prompt."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        check(of_type(self), "SayCan agent")
        check(at_least(self, again=1, sentences=1, looks=0, misses=1, remembered=0), "SayCan agent")


class Option(NamedTuple):
    """What can be said now."""

    actions: tuple[str, ...] = ()
    """The admissible actions that it may mean; none where that has to come about first."""
    kinds: tuple[str, ...] = ()
    """What would have to be walked to for that."""


class SayCan:
    """The agent; see the head of this file. Agents may share a back end."""

    def __init__(
        self,
        backend: Backend,
        config: SayCanConfig | None = None,
        *,
        verbalizer: Verbalizer | None = None,
        recollection: Memory | None = None,
        env: str | None = None,
        scene: str | None = None,
    ) -> None:
        """Prepare to act.

        Args:
            backend: The model; it has to answer with one of given options (`LocalModel` does, and vLLM).
            config: How it is asked.
            verbalizer: Says the environment's actions as sentences; the plain one if None.
            recollection: The memory whose plans and facts the model is shown; it is only asked.
            env: The gymnasium id of the environment whose items are used; None for any.
            scene: The scene of the task (`Verbalizer.scene`), whose facts come first; None if it is not known.
        """
        self.backend = backend
        self._memory = None if recollection is None else ShownMemory(recollection, env, scene)
        self.verbalizer = plain() if verbalizer is None else verbalizer
        self.config = config or SayCanConfig()
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode; nothing is drawn, so the seed does not matter."""
        del seed
        self._view = EpisodeView(self.verbalizer)
        self._lookout = RoomExplorer(self._view, self.config.looks, choose=self._where)
        self._examples: list[WorkedExample] = []
        self._shown: list[str] = []
        self._life: Iterator[str] | None = None
        self._said: list[str] = []
        self._times: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._focus: dict[str, int] = {}
        self._settled: set[int] = set()
        self._barred = BarredActions()
        self._places = GoalPlaces("", self.verbalizer)
        self._usage = Usage(requests=0)
        self._notes: dict[str, Json] = {}

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Ask the model, or go on looking for what it wants.

        The notes have the sentence that the action belongs to, and what it took to choose it.

        Raises:
            Finished: its plan is at an end, or it has said all that it may say, or nothing can be done.
            ModelError: the model does not answer.
        """
        check_seen(observation, goal)
        self._view.see(observation)
        self._barred.see(observation)
        if self._life is None:
            self._life = self._live(goal)
        try:
            action = next(self._life, None)
        except ModelError as error:
            raise AnswerError(str(error), {"model": self.backend.name, "usage": self._usage.json()}) from error
        notes = {**self._notes, "model": self.backend.name, "usage": self._usage.json()}
        notes |= {"memory": list(dict.fromkeys(self._shown))} if self._shown else {}
        self._usage = Usage(requests=0)
        if action is None:
            raise Finished(f"the model has said {len(self._said)} sentences", notes)
        self._barred.chose(action)
        return Decision(action, notes=notes)

    # --- saying

    def _live(self, goal: Goal) -> Iterator[str]:
        self._places = GoalPlaces(goal.text, self.verbalizer)
        if self._memory is not None:
            self._examples = self._memory.plans(goal.text, self.config.remembered, self.verbalizer)
            self._shown += [one.id for one in self._examples]
        own = self.verbalizer.lexicon.example
        if own is not None and not self._examples:
            self._examples = [WorkedExample(*own)]
        wanted = [found for found in map(read_condition, self.verbalizer.read_goal(goal.text)) if found]
        named = [name for one in wanted for role in one.roles for name in role.classes if name != _YOU]
        drafted = list(self._drafted(goal))
        walks = map(self.verbalizer.approach, (*named, *(name for action in drafted for name in action.names)))
        wanted_actions = [*(walk for walk in walks if walk is not None), *drafted]
        absent = {self.verbalizer.say_action(action): action for action in wanted_actions}
        ids = {id_ for one in wanted for role in one.roles for id_ in role.ids}
        missed = 0
        while len(self._said) < self.config.sentences:
            options = self._options(absent)
            if not options:
                return
            text = self._choose(goal, options)
            if not text:
                return
            actions = yield from self._able(text, options[text], ids)
            if not actions:
                absent.pop(text, None)
                self._times[text] += 1
                missed += 1
                if missed == self.config.misses:
                    return
                continue
            action = min(actions, key=lambda one: self._rank(one, ids))
            yield from self._do(text, action)

    def _able(self, text: str, option: Option, ids: set[int]) -> Generator[str, None, tuple[str, ...]]:
        """Return the actions that a sentence may mean, once what it is about is in view where the goal says."""
        kinds = option.kinds or tuple(kind for one in option.actions[:1] for kind in self._kinds(one))
        if option.actions and kinds and text == self._approach(kinds[0]):
            here, rooms = self._view.here, self._places.rooms(kinds[0], self._view.rooms.values())
            if rooms and here not in rooms and kinds[0] not in self._view.room_kinds:
                yield from self._lookout.go_to(rooms[0])
        now = self._options({}).get(text, Option())
        return now.actions or (yield from self._come_about(text, kinds, ids))

    def _kinds(self, action: str) -> tuple[str, ...]:
        read = self.verbalizer.read_action(action)
        return () if read is None else tuple(read.names)

    def _drafted(self, goal: Goal) -> Iterator[Action]:
        """Let the model draft a plan, and yield what it wants to do."""
        reply = self._ask(ModelRequest(self._conversation(goal), _DRAFT, ("\n",)))
        for one in self.verbalizer.read_plan(reply.text):
            for reading in one.readings[:1]:
                names = tuple(thing.name for thing in reading.things)
                if names and all(name and not _NO_NAME.search(name) for name in names):
                    yield Action(reading.verb, tuple(name.replace(" ", "_") for name in names), (0,) * len(names))

    def _ask(self, ask: ModelRequest) -> ModelReply:
        reply = self.backend.generate([ask])[0]
        assert isinstance(reply, ModelReply), "an ask is answered in words"
        self._usage += reply.usage
        return reply

    def _come_about(self, text: str, kinds: Sequence[str], ids: set[int]) -> Generator[str, None, tuple[str, ...]]:
        """Look for things and walk to them until a sentence can be said, and return the actions that it may mean."""
        for kind in kinds:
            self._notes = {"looks_for": kind, "sentence": text}
            first = [room.kind for room in self._places.rooms(kind, self._view.rooms.values())]
            if not (yield from self._lookout.look_for(kind, self._settled, first)):
                return ()
            now, walk = self._options({}), self._approach(kind)
            if text in now:
                return now[text].actions
            if walk in now:
                yield from self._do(walk, min(now[walk].actions, key=lambda one: self._rank(one, ids)))
        for kind in kinds[1:]:  # what something is put into may be closed
            if text not in self._options({}):
                yield from self._lookout.open(kind)
        return self._options({}).get(text, Option()).actions

    def _do(self, text: str, action: str) -> Iterator[str]:
        """Say a sentence, and do it, unless it is to go to what is in reach."""
        self._say(text, action)
        read = self.verbalizer.read_action(action)
        if read is None or read.verb not in self.verbalizer.lexicon.going or not self._view.in_reach(read.ids[0]):
            yield action

    def _say(self, text: str, action: str) -> None:
        self._said.append(text)
        self._times[text] += 1
        self._used[action] += 1
        read = self.verbalizer.read_action(action)
        if read is None:
            return
        self._focus |= dict(zip(read.names, read.ids, strict=True))
        if self.verbalizer.lexicon.carrying.get(read.verb) == "put" and read.ids:
            self._settled.add(read.ids[0])

    def _options(self, absent: Mapping[str, Action]) -> dict[str, Option]:
        """Return everything that can be said now, and what could be once certain things are found and walked to."""
        found: dict[str, Option] = {}
        allowed, barred = self._barred.left(self._view.actions), set[str]()
        for action in self._view.actions:
            text = self.verbalizer.say_action(action)
            if action not in allowed:
                barred.add(text)
                continue
            known = found.get(text, Option())
            if self._takes_back(action):  # where it is said again, another one is meant
                found.setdefault(text, Option(kinds=self._kinds(action)))
            else:
                found[text] = Option((*known.actions, action))
        listed = {thing.kind for thing in self._view.listed.values()}
        for text, wanted in absent.items():
            walk = self.verbalizer.approach(wanted.names[0])
            if listed and text not in barred and (wanted != walk or wanted.names[0] not in listed):
                found.setdefault(text, Option(kinds=wanted.names))
        return found

    def _takes_back(self, action: str) -> bool:
        """Whether an action would take what the agent has put somewhere."""
        read = self.verbalizer.read_action(action)
        return (
            read is not None
            and self.verbalizer.lexicon.carrying.get(read.verb) == "grab"
            and not self._settled.isdisjoint(read.ids)
        )

    def _choose(self, goal: Goal, options: Mapping[str, Option]) -> str:
        """Let the model say one of the possible sentences that it has not said too often, or end its plan: empty."""
        fresh = [text for text in options if self._times[text] < self.config.again]
        texts = (*(fresh or options), *([""] if self.config.ends else ()))
        reply = self._ask(ModelRequest(self._conversation(goal), _ROOM, among=texts))
        logprobs = reply.logprobs or ()
        self._notes = {"sentence": reply.text, "among": len(texts)} | ({"score": sum(logprobs)} if logprobs else {})
        return reply.text

    def _where(self, kind: str, places: Sequence[Entity]) -> Entity:
        """Let the model say where to look for a thing, after what the memory knows of it."""
        names = dict[str, Entity]()
        for place in places:
            names.setdefault(f"{self.verbalizer.noun(place.kind)}.", place)
        if len(names) < 2:
            return places[0]
        facts = [] if self._memory is None else self._memory.facts(kind, self.verbalizer, {one.kind for one in places})
        self._shown += [one.id for one in facts]
        question = Message("user", ask_for_place(kind, self.verbalizer, [one.text for one in facts]))
        asked = Conversation((question,), "", answer_place(kind, self.verbalizer))
        reply = self._ask(ModelRequest(asked, _ROOM, among=tuple(names)))
        return names[reply.text]

    def _conversation(self, goal: Goal) -> Conversation:
        """Return the goal and what was said so far behind examples; what does not fit is left out, examples first."""
        context, said, examples = self.backend.context, self._said, self._examples
        while True:
            turns = [
                turn
                for one in examples
                for turn in (Message("user", ask_for_plan(one.goal)), Message("assistant", one.plan))
            ]
            asked = Conversation((*turns, Message("user", ask_for_plan(goal.text))), "Action:", " ".join(said))
            fits = context is None or self.backend.count(asked) <= context - _ROOM
            if fits or not (said or examples):
                return asked
            examples, said = (examples[1:], said) if examples else (examples, said[1:])

    def _rank(self, action: str, ids: set[int]) -> tuple[int, int, int]:
        """Rank what a sentence may mean: what the goal means first, then what was spoken of last, then what is new."""
        read = self.verbalizer.read_action(action)
        if read is None:
            return (0, 0, self._used[action])
        meant = sum(id_ in ids for id_ in read.ids) + sum(
            self._places.names_spot(name, id_, self._view.text) for name, id_ in zip(read.names, read.ids, strict=True)
        )
        if not self._settled.isdisjoint(read.ids[:1]):
            meant -= 1
        recent = sum(self._focus.get(name) == id_ for name, id_ in zip(read.names, read.ids, strict=True))
        if read.verb in self.verbalizer.lexicon.going:
            return (-meant, self._used[action], -recent)
        return (-meant, -recent, self._used[action])

    def _approach(self, kind: str) -> str:
        """Return the sentence of going to a thing; empty where nobody has to go."""
        walk = self.verbalizer.approach(kind)
        return "" if walk is None else self.verbalizer.say_action(walk)
