"""An agent whose language model says, sentence by sentence, what to do next, among what can be done.

After SayCan (Ahn et al. 2022, arXiv 2204.01691): the model speaks, and the environment says which sentences are
possible. Every admissible action is a sentence ("Grab the cup.") in the words of the environment's verbalizer, the plan
so far is the prompt, and so a model that was trained on plans in words (the corpus `plan-bare`) reads here what it was
trained on. The likeliest sentence is said. What the goal names may be walked to wherever it is, and what the model's
own first draft of a plan says may be said at any time: the things are looked for (`looking`) and walked to first. So
the model has to know what to do, and not where things are. Not here: memory (see `sequential` for agents that act one
after another).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...envs.facts import Action, read_condition
from ...envs.verbalizer import Verbalizer, ask_for_plan, plain
from ...errors import AnswerError, ModelError, at_least, check, of_type
from ...experience import Goal, Json, Observation
from ..protocol import Decision, Finished
from ..skills.looking import RoomExplorer
from ..skills.view import EpisodeView
from .backends import Backend, Conversation, ModelReply, ModelRequest, Usage

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

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        check(of_type(self), "SayCan agent")
        check(at_least(self, again=1, sentences=1, looks=0, misses=1), "SayCan agent")


class Option(NamedTuple):
    """What can be said now."""

    actions: tuple[str, ...] = ()
    """The admissible actions that it may mean; none where that has to come about first."""
    kinds: tuple[str, ...] = ()
    """What would have to be walked to for that."""


class SayCan:
    """The agent; see the head of this file. Agents may share a back end."""

    def __init__(
        self, backend: Backend, config: SayCanConfig | None = None, *, verbalizer: Verbalizer | None = None
    ) -> None:
        """Prepare to act.

        Args:
            backend: The model; it has to answer with one of given options (`LocalModel` does, and vLLM).
            config: How it is asked.
            verbalizer: Says the environment's actions as sentences; the plain one if None.
        """
        self.backend = backend
        self.verbalizer = plain() if verbalizer is None else verbalizer
        self.config = config or SayCanConfig()
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode; nothing is drawn, so the seed does not matter."""
        del seed
        self._view = EpisodeView(self.verbalizer)
        self._lookout = RoomExplorer(self._view, self.config.looks)
        self._life: Iterator[str] | None = None
        self._said: list[str] = []
        self._times: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._focus: dict[str, int] = {}
        self._usage = Usage(requests=0)
        self._notes: dict[str, Json] = {}

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Ask the model, or go on looking for what it wants.

        The notes have the sentence that the action belongs to, and what it took to choose it.

        Raises:
            Finished: its plan is at an end, or it has said all that it may say, or nothing can be done.
            ModelError: the model does not answer.
        """
        self._view.see(observation)
        if self._life is None:
            self._life = self._live(goal)
        try:
            action = next(self._life, None)
        except ModelError as error:
            raise AnswerError(str(error), {"model": self.backend.name, "usage": self._usage.json()}) from error
        notes = {**self._notes, "model": self.backend.name, "usage": self._usage.json()}
        self._usage = Usage(requests=0)
        if action is None:
            raise Finished(f"the model has said {len(self._said)} sentences", notes)
        return Decision(action, notes=notes)

    # --- saying

    def _live(self, goal: Goal) -> Iterator[str]:
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
            actions = options[text].actions or (yield from self._come_about(text, options[text].kinds, ids))
            if not actions:
                del absent[text]
                missed += 1
                if missed == self.config.misses:
                    return
                continue
            action = min(actions, key=lambda one: self._rank(one, ids))
            self._say(text, action)
            yield action

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
            if not (yield from self._lookout.look_for(kind)):
                return ()
            now, walk = self._options({}), self._approach(kind)
            if text in now:
                return now[text].actions
            if walk in now:
                action = min(now[walk].actions, key=lambda one: self._rank(one, ids))
                self._say(walk, action)
                yield action
        return self._options({}).get(text, Option()).actions

    def _say(self, text: str, action: str) -> None:
        self._said.append(text)
        self._times[text] += 1
        self._used[action] += 1
        read = self.verbalizer.read_action(action)
        if read is not None:
            self._focus |= dict(zip(read.names, read.ids, strict=True))

    def _options(self, absent: Mapping[str, Action]) -> dict[str, Option]:
        """Return everything that can be said now, and what could be once certain things are found and walked to."""
        found: dict[str, Option] = {}
        for action in self._view.actions:
            text = self.verbalizer.say_action(action)
            known = found.get(text)
            found[text] = Option((action,) if known is None else (*known.actions, action))
        listed = {thing.kind for thing in self._view.listed.values()}
        for text, wanted in absent.items():
            walk = self.verbalizer.approach(wanted.names[0])
            if listed and (wanted != walk or wanted.names[0] not in listed):
                found.setdefault(text, Option(kinds=wanted.names))
        return found

    def _choose(self, goal: Goal, options: Mapping[str, Option]) -> str:
        """Let the model say one of the possible sentences that it has not said too often, or end its plan: empty."""
        fresh = [text for text in options if self._times[text] < self.config.again]
        texts = (*(fresh or options), "")
        reply = self._ask(ModelRequest(self._conversation(goal), _ROOM, among=texts))
        logprobs = reply.logprobs or ()
        self._notes = {"sentence": reply.text, "among": len(texts)} | ({"score": sum(logprobs)} if logprobs else {})
        return reply.text

    def _conversation(self, goal: Goal) -> Conversation:
        """Return the goal and what was said so far; of what does not fit the model's context, the latest part."""
        context, said = self.backend.context, self._said
        while True:
            asked = Conversation((), ask_for_plan(goal.text), " ".join(said))
            if not said or context is None or self.backend.count(asked) <= context - _ROOM:
                return asked
            said = said[1:]

    def _rank(self, action: str, ids: set[int]) -> tuple[int, int, int]:
        """Rank what a sentence may mean: what the goal means first, then what was spoken of last, then what is new."""
        read = self.verbalizer.read_action(action)
        if read is None:
            return (0, 0, self._used[action])
        meant = sum(id_ in ids for id_ in read.ids)
        recent = sum(self._focus.get(name) == id_ for name, id_ in zip(read.names, read.ids, strict=True))
        if read.verb in self.verbalizer.lexicon.going:
            return (-meant, self._used[action], -recent)
        return (-meant, -recent, self._used[action])

    def _approach(self, kind: str) -> str:
        """Return the sentence of going to a thing; empty where nobody has to go."""
        walk = self.verbalizer.approach(kind)
        return "" if walk is None else self.verbalizer.say_action(walk)
