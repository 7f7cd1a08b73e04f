"""Any agent with a memory: what was remembered stands before what it observes.

At the beginning of an episode the memory is asked about the goal, once for each kind of item; what fits into the
budget is put before the text of every observation. Not here: asking again as the episode goes on.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from ..errors import ConfigError
from ..experience import Goal, Observation
from ..memory.items import Draft, Filter, Hit, Kind
from ..memory.protocol import Memory
from .protocol import Agent, Decision, check_seen, decide, reset_agent

_KINDS: Final[tuple[tuple[Kind, str], ...]] = (
    ("skill", "What has worked"),
    ("fact", "What is known"),
    ("episode", "What happened before"),
)
_CHARACTERS_PER_TOKEN: Final = 4
"""English text, by the usual tokenisers."""
_MORE: Final = 4
"""How many times as many items are asked for, so that enough are left that hold in this scene."""


class MemoryAgent:
    """An agent that is shown what a memory holds about its goal."""

    def __init__(
        self,
        agent: Agent,
        recollection: Memory,
        budget: int = 600,
        *,
        k: int = 4,
        env: str | None = None,
        scene: str | None = None,
    ) -> None:
        """Wrap an agent.

        Args:
            agent: Who acts.
            recollection: The memory; it is only asked.
            budget: The approximate maximum number of tokens that are put before an observation.
            k: The number of items of each kind to ask for.
            env: The gymnasium id of the environment whose items are used; None for any.
            scene: The scene of the task (`Verbalizer.scene`): facts about another one come after all others; None if
                it is not known.

        Raises:
            ConfigError: `budget` or `k` is less than 1.
        """
        if budget < 1 or k < 1:
            raise ConfigError(f"A memory's budget and k are at least 1, not {budget} and {k}.")
        self._agent = agent
        self._recollection = recollection
        self._budget = budget * _CHARACTERS_PER_TOKEN
        self._k = k
        self._env = env
        self._scene = scene
        self._asked: str | None = None
        self._text = ""
        self._ids: list[str] = []

    def reset(self, seed: int) -> None:
        """Begin an episode."""
        self._asked, self._text, self._ids = None, "", []
        reset_agent(self._agent, seed)

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Let the agent act on what it observes and what is remembered; the notes have the ids of the items shown.

        Raises:
            Finished: the agent has nothing more to do.
        """
        check_seen(observation, goal)
        if self._asked != goal.text:
            self._asked = goal.text
            self._text, self._ids = self._recall(goal.text)
        text = f"{self._text}\n\n{observation.text}" if self._text else observation.text
        chosen = decide(self._agent, dataclasses.replace(observation, text=text), goal)
        notes = {**chosen.notes, "memory": list(self._ids)} if self._ids else chosen.notes
        return dataclasses.replace(chosen, notes=notes)

    def _recall(self, goal: str) -> tuple[str, list[str]]:
        """Return what to put before an observation, with the ids of its items: of each kind what fits its share."""
        if not goal.strip():
            return "", []  # there is nothing to ask
        parts, ids = [], []
        left = self._budget
        for place, (kind, title) in enumerate(_KINDS):
            share = left // (len(_KINDS) - place)
            lines = [f"{title}:"]
            size = len(lines[0]) + 1
            for hit in self._found(goal, kind):
                line = f"- {' '.join(hit.item.draft.text.split())}"
                if size + len(line) + 1 <= share:
                    size += len(line) + 1
                    lines.append(line)
                    ids.append(hit.item.id)
            if len(lines) > 1:
                left -= size
                parts.append("\n".join(lines))
        return "\n".join(parts), ids

    def _found(self, goal: str, kind: Kind) -> list[Hit]:
        """Return the best items of a kind, those that do not hold in this scene last."""
        wanted = self._k if self._scene is None else self._k * _MORE
        hits = self._recollection.query(goal, wanted, Filter(kinds=(kind,), env=self._env))
        return sorted(hits, key=lambda hit: self._holds_elsewhere(hit.item.draft))[: self._k]

    def _holds_elsewhere(self, draft: Draft) -> bool:
        scene = draft.data.get("scene") if draft.data.get("holds") == "scene" else None
        return None not in (self._scene, scene) and scene != self._scene
