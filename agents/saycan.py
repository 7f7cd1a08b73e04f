"""An agent whose language model says, sentence by sentence, what to do next, of what can be done.

After SayCan (Ahn et al. 2022, arXiv 2204.01691): the model speaks, the world says which sentences are possible. Every
admissible action is a sentence ("Grab the cup."), the plan so far is the prompt, and so a model that was trained on
plans in words (the corpus `plan-bare`) reads here what it was trained on. The model drafts the rest of the plan. The
draft is followed as long as its sentences are possible; where one is not, all possible ones are rated, the likeliest
is done, and the model drafts again. What the goal or a draft names and is not in view may be walked to as well: it is
looked for (`looking`). So the model has to know what to do, and not where things are. It reads no observation. Left
out: memory; `planner` asks this agent where its memory knows nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..envs.virtualhome.plan_words import Deed, Sentence, ask_for_plan, read_deed, read_plan, say_deed, sentence
from ..errors import ConfigError
from ..experience import Goal, Json, Observation
from ..memory.lifting import read_condition
from .backends import Ask, Backend, Choice, Conversation, Rated, Reply, Usage
from .looking import Lookout
from .protocol import Finished, Told
from .skill_view import View

_WALK: Final = "WALK"
_YOU: Final = "character"
_DRAFT: Final = 80
"""The longest draft of the rest of a plan, in tokens."""
_ROOM: Final = 24
"""So many tokens of the model's context are kept for the sentence that comes next."""


@dataclass(frozen=True, slots=True)
class SayCanConfig:
    """How the model is asked."""

    patience: float = 2.0
    """A sentence loses so many nats for each time that it was said before."""
    again: int = 2
    """A draft's sentence is followed so often; after that it is rated like any other."""
    sentences: int = 24
    """The agent has finished after so many sentences."""
    looks: int = 24
    """At most so many actions are spent on looking for one thing."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        right = {
            "patience must be finite and at least 0": 0 <= self.patience < math.inf,
            "again must be at least 0": self.again >= 0,
            "sentences must be at least 1": self.sentences >= 1,
            "looks must be at least 0": self.looks >= 0,
        }
        if faults := [rule for rule, kept in right.items() if not kept]:
            raise ConfigError(f"The agent cannot be made so: {'; '.join(faults)}.")


class Option(NamedTuple):
    """What can be said now."""

    actions: tuple[str, ...]
    """The admissible actions that it may mean; none where the thing has to be looked for."""
    kind: str = ""
    """What would have to be looked for."""


class SayCan:
    """The agent; see the head of this file. Agents may share a back end."""

    def __init__(self, backend: Backend, config: SayCanConfig | None = None) -> None:
        """Prepare to act.

        Args:
            backend: The model; it has to give likelihoods (`LocalModel` does).
            config: How it is asked.
        """
        self.backend = backend
        self.config = config or SayCanConfig()
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode; nothing is drawn, so the seed does not matter."""
        del seed
        self._view = View()
        self._lookout = Lookout(self._view, self.config.looks)
        self._life: Iterator[str] | None = None
        self._said: list[str] = []
        self._times: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._focus: dict[str, int] = {}
        self._absent: set[str] = set()
        self._usage = Usage(requests=0)
        self._notes: dict[str, Json] = {}

    def act(self, observation: Observation, goal: Goal) -> str:
        """Ask the model, or go on looking for what it wants.

        Raises:
            Finished: it has said all that it may say, or nothing can be done.
            ModelError: the model does not answer.
        """
        self._view.see(observation)
        if self._life is None:
            self._life = self._live(goal)
        action = next(self._life, None)
        if action is None:
            raise Finished(f"the model has said {len(self._said)} sentences")
        return action

    def told(self) -> Told:
        """Return the sentence that the last action belongs to, and what it took to choose it."""
        notes = {**self._notes, "model": self.backend.name, "usage": self._usage.json()}
        self._usage = Usage(requests=0)
        return Told(notes=notes)

    def did(self, action: str) -> None:
        """Take note that somebody else did an action in this episode: it belongs to the plan so far."""
        deed = read_deed(action)
        self._say(action if deed is None else say_deed(deed), action)

    # --- saying

    def _live(self, goal: Goal) -> Iterator[str]:
        wanted = [found for found in map(read_condition, goal.conditions) if found]
        kinds = dict.fromkeys(name for one in wanted for role in one.roles for name in role.names if name != _YOU)
        ids = {id_ for one in wanted for role in one.roles for id_ in role.ids}
        draft: list[Sentence] = []
        while len(self._said) < self.config.sentences:
            draft = draft or self._draft(goal)
            kinds |= dict.fromkeys(_kinds_in(draft))
            options = self._options(kinds)
            if not options:
                return
            text = self._follow(draft, options)
            if text is None:
                draft, text = [], self._choose(goal, options)
            option = options[text]
            if option.kind and not (yield from self._fetch(option.kind, text)):
                self._absent.add(option.kind)
                draft = []
                continue
            actions = option.actions or self._options(kinds).get(text, option).actions
            if not actions:  # it is in view, and cannot be walked to
                self._absent.add(option.kind)
                continue
            action = min(actions, key=lambda one: self._rank(one, ids))
            self._say(text, action)
            yield action

    def _draft(self, goal: Goal) -> list[Sentence]:
        """Let the model write the rest of the plan."""
        reply = self.backend.generate([Ask(self._conversation(goal), _DRAFT, ("\n",))])[0]
        assert isinstance(reply, Reply), "an ask is answered in words"
        self._usage += reply.usage
        return list(read_plan(reply.text))

    def _follow(self, draft: list[Sentence], options: Mapping[str, Option]) -> str | None:
        """Take the next sentence off a draft, if it can be said; None if it cannot, or was said often enough."""
        if not draft:
            return None
        said = sentence(draft.pop(0).text)
        return said if said in options and self._times[said] < self.config.again else None

    def _fetch(self, kind: str, text: str) -> Generator[str, None, bool]:
        """Look for a thing until it is in view."""
        self._notes = {"looks_for": kind, "sentence": text}
        return (yield from self._lookout.look_for(kind))

    def _say(self, text: str, action: str) -> None:
        self._said.append(text)
        self._times[text] += 1
        self._used[action] += 1
        deed = read_deed(action)
        if deed is not None:
            self._focus |= dict(zip(deed.names, deed.ids, strict=True))

    def _options(self, kinds: Iterable[str]) -> dict[str, Option]:
        """Return everything that can be said now."""
        found: dict[str, Option] = {}
        for action in self._view.actions:
            deed = read_deed(action)
            text = action if deed is None else say_deed(deed)
            known = found.get(text)
            found[text] = Option((action,) if known is None else (*known.actions, action))
        listed = {thing.name for thing in self._view.listed.values()}
        for kind in kinds:
            if kind not in listed and kind not in self._absent and self._view.listed:
                found.setdefault(say_deed(Deed(_WALK, (kind,), (0,))), Option((), kind))
        return found

    def _choose(self, goal: Goal, options: Mapping[str, Option]) -> str:
        texts = tuple(options)
        rated = self.backend.rate([Choice(self._conversation(goal), texts)])[0]
        assert isinstance(rated, Rated), "a choice is answered by ratings"
        self._usage += rated.usage
        scores = [
            total - self.config.patience * self._times[text] for total, text in zip(rated.totals, texts, strict=True)
        ]
        pick = max(range(len(texts)), key=scores.__getitem__)
        self._notes = {"sentence": texts[pick], "score": scores[pick], "among": len(texts)}
        return texts[pick]

    def _conversation(self, goal: Goal) -> Conversation:
        """Return the goal and what was said so far; of what does not fit the model's context, the latest part."""
        context, said = self.backend.context, self._said
        while True:
            text = " ".join([ask_for_plan(goal.text), *said])
            asked = Conversation((), text)
            if not said or context is None or self.backend.count(asked) <= context - _ROOM:
                return asked
            said = said[1:]

    def _rank(self, action: str, ids: set[int]) -> tuple[int, int, int]:
        """Rank what a sentence may mean: what the goal means first, then what was spoken of last, then what is new."""
        deed = read_deed(action)
        if deed is None:
            return (0, 0, self._used[action])
        meant = sum(id_ in ids for id_ in deed.ids)
        recent = sum(self._focus.get(name) == id_ for name, id_ in zip(deed.names, deed.ids, strict=True))
        if deed.verb == _WALK:
            return (-meant, self._used[action], -recent)
        return (-meant, -recent, self._used[action])


def _kinds_in(draft: Sequence[Sentence]) -> Iterator[str]:
    """Yield the kinds of things that a plan in words speaks of."""
    for one in draft:
        for reading in one.readings[:1]:
            yield from (thing.name.replace(" ", "_") for thing in reading.things if thing.name)


__all__ = ["SayCan", "SayCanConfig"]
