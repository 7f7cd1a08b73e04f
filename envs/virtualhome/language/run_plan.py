"""Plans in words, carried out in a household: does what a model has written reach the goal?

A sentence is read by `plans`; a name means a node whose class it fits. Where several fit, those with which the
following sentences can be done come first, then what is held, was just walked to, was not used before, is in reach and
is in view. Nothing is added: a plan must say when to stand up or to open a door. Not here: judging a plan by its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...plans import PlanOutcome
from ...verbalizer import NamedThing, Sentence
from ..engine.places import in_reach
from ..engine.rules import EngineAction
from ..engine.scene import bits
from .grammar.nouns import find_one, present
from .observation import visible
from .plans import read_plan
from .script import write_line

if TYPE_CHECKING:
    import gymnasium

    from ..engine.world import World

_AHEAD: Final = 4
"""How many sentences are looked ahead to find out which of several things is meant."""
_TRIED: Final = 6
"""How many of the things that a sentence may mean are tried."""
_TOWARDS: Final = ("WALK", "RUN", "FIND", "TURNTO")


def run_plan(
    env: gymnasium.Env[Any, Any], info: Mapping[str, Any], text: str, *, skip_refused: bool = False
) -> PlanOutcome:
    """Carry out a plan in a household that was just reset; the first character acts, others wait.

    Args:
        env: The household.
        info: What its reset returned.
        text: The plan in words (or script lines), as a model wrote it.
        skip_refused: Whether to go on after a sentence that cannot be done; otherwise the plan ends there.
    """
    return _Run(env, info).play(read_plan(text), skip_refused)


class _Run:
    """One plan in one environment that was just reset."""

    def __init__(self, env: gymnasium.Env[Any, Any], info: Mapping[str, Any]) -> None:
        self.env = env
        self.world: World = env.unwrapped.world  # type: ignore[attr-defined]  # the household's own
        self.me = self.world.characters[0]
        self.info: Mapping[str, Any] = info
        self.over = False
        self.used: frozenset[int] = frozenset()
        """The nodes that the plan has done something to, beyond walking there."""
        self.focus: frozenset[int] = frozenset()
        """The node that it turned to last."""

    def play(self, sentences: Sequence[Sentence], skip_refused: bool) -> PlanOutcome:
        done: list[str] = []
        refused: str | None = None
        reason: str | None = None
        for place, one in enumerate(sentences):
            if self.over:
                break
            why = self._do(sentences[place:], done)
            if why is not None:
                if refused is None:
                    refused, reason = one.text, why
                if not skip_refused:
                    break
        info = self.info
        success, progress = bool(info.get("success", False)), float(info.get("progress", 0.0))
        return PlanOutcome(success, progress, tuple(done), refused, reason, len(sentences))

    def _do(self, sentences: Sequence[Sentence], done: list[str]) -> str | None:
        """Do the first of these sentences; return why not."""
        if not sentences[0].readings:
            return f"{sentences[0].text!r} is not understood as an action"
        action = self._meant(sentences)
        if action is None:
            names = {thing.name for reading in sentences[0].readings for thing in reading.things}
            missing = [name for name in names if not _nodes(self.world, NamedThing(name))] or sorted(names)
            return f"there is no {min(missing, key=len)} here"
        line = write_line(action, self.world.scene, self.world.rules)
        if len(self.world.characters) > 1:
            line = f"<char0> {line}"
        _, _, terminated, truncated, self.info = self.env.step(line)
        self.over = terminated or truncated
        if "error" in self.info:
            return str(self.info["error"])
        self._note(action)
        done.append(line)
        return None

    def _meant(self, sentences: Sequence[Sentence]) -> EngineAction | None:
        """The action that the first sentence most likely means; None where no node bears the names."""
        best: tuple[int, EngineAction] | None = None
        for action in self._candidates(sentences[0])[:_TRIED]:
            far = self._reach(action, sentences[1:], _AHEAD)
            if best is None or far > best[0]:
                best = (far, action)
        return None if best is None else best[1]

    def _reach(self, action: EngineAction, rest: Sequence[Sentence], ahead: int) -> int:
        """How many sentences can be done from here, beginning with this action; the world is left as it was."""
        world = self.world
        here = world.version
        if world.act(action, self.me) is not None:
            return 0
        used, focus = self.used, self.focus
        self._note(action)
        far = 1
        if ahead and rest:
            limit = min(ahead, len(rest))
            for following in self._candidates(rest[0])[:_TRIED]:
                far = max(far, 1 + self._reach(following, rest[1:], ahead - 1))
                if far > limit:
                    break
        self.used, self.focus = used, focus
        world.restore(here)
        return far

    def _note(self, action: EngineAction) -> None:
        nodes = frozenset(node for node in action[1:] if node >= 0)
        if action.verb in _TOWARDS:
            self.focus = nodes
        else:
            self.used |= nodes

    def _candidates(self, one: Sentence) -> list[EngineAction]:
        """What a sentence may mean, the likeliest first."""
        world = self.world
        found: list[tuple[tuple[int, ...], EngineAction]] = []
        for reading in one.readings:
            rule = world.rules.table.get(reading.verb)
            if rule is None or rule.arity != len(reading.things):
                continue
            for nodes in _combined([_nodes(world, thing) for thing in reading.things]):
                action = EngineAction(reading.verb, *nodes)
                refused = world.refusal(action, self.me) is not None
                ranks = [self._rank(node) for node in nodes]
                found.append(((int(refused), *map(sum, zip(*ranks, strict=True))), action))
        found.sort(key=lambda entry: entry[0])
        return [action for _, action in found]

    def _rank(self, node: int) -> tuple[int, ...]:
        """How far a node is from being meant; lower is likelier."""
        world, me = self.world, self.me
        held = bool(world.held(me) >> node & 1)
        return (
            int(not held),
            int(node not in self.focus and not held),
            int(node in self.used and not held),
            int(not in_reach(world, me, node)),
            int(not world.ask(visible, me) >> node & 1),
        )


def _nodes(world: World, thing: NamedThing) -> list[int]:
    """The nodes that a name may mean now: by its id, else by its words."""
    scene = world.scene
    if thing.id is not None and thing.id in scene.index:
        return [scene.index[thing.id]]
    return list(bits(find_one(thing.name, present(world), scene.everything)))


def _combined(choices: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """Every way to take one of each."""
    if not choices:
        yield ()
        return
    for first in choices[0]:
        for rest in _combined(choices[1:]):
            yield (first, *rest)
