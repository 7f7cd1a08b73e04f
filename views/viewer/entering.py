"""Entering a stored step: its environment is brought there again, and a person, a search or an agent goes on.

The way there is done again from the reset and compared with what was stored: an environment that is not deterministic,
or has changed since, is found out at the step where it differs. Not here: HTTP (`server`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ...agents.protocol import Decision, Finished, decide, reset_agent
from ...agents.registry import AgentMaker
from ...collectors.rollout.episode import Envs, Recorder
from ...collectors.rollout.frames import png
from ...collectors.search.collector import (
    MctsConfig,
    find_plan,
    household_search,
    model_in,
    require_goal,
    snapshotable,
)
from ...errors import ConfigError, PatheiError, ReplayDriftError, StoreError, WorldError
from ...experience import Json, Observation, Parent, Task, Trajectory
from ...registry import one_line
from ...store import ExperienceStore, image_names
from .answers import line_json
from .changes import changes_of

COLLECTOR: Final = "human"
"""Who is recorded as the collector of a branch that was made here."""
_FURTHER: Final = 10_000
"""How many steps one may go on."""
_SIMULATIONS: Final = 2_000
_DEPTH: Final = 30


class EnteredStep:
    """An episode that stands again where a stored one stood after some of its steps."""

    def __init__(self, whole: Trajectory, parent: Parent, envs: dict[bool, Envs]) -> None:
        """Bring the environment there.

        Args:
            whole: The stored episode from its reset.
            parent: Its id in the store, and how many of its steps are done again.
            envs: Environments to use, without and with frames.

        Raises:
            ConfigError: it has no such step, or was over there.
            ReplayDriftError: the environment does something else now than what was stored.
            UnknownNameError, MissingDependencyError: the environment cannot be made.
        """
        self.parent, self.task = parent, whole.task
        self._images: dict[str, bytes] = {}
        steps = whole.steps[: parent.step]
        if not 0 <= parent.step <= len(whole.steps):
            raise ConfigError(f"{parent.trajectory!r} has {len(whole.steps)} steps, and no step {parent.step + 1}.")
        seen = [*(step.observation for step in whole.steps), whole.final]
        for frames in (False, True):
            self._recorder = self._started(envs[frames], whole.task, parent.step)
            if bool(self._recorder.observation.images) == bool(seen[0].images):
                break
        self._compare("The reset", self._recorder.observation, seen[0])
        for number, (stored, after) in enumerate(zip(steps, seen[1:], strict=False), 1):
            if self._recorder.over:
                break
            again = self._recorder.step(stored.action)
            self._compare(f"Step {number} ({stored.action})", self._recorder.observation, after)
            if again.reward != stored.reward:
                raise ReplayDriftError(f"Step {number} ({stored.action}) earned {stored.reward:g} when it was stored.")
        if self._recorder.over:
            raise ConfigError(f"{parent.trajectory!r} is over after step {parent.step}: enter an earlier step.")

    def act(self, action: str, *, by: str = "") -> None:
        """Do one action.

        Args:
            action: What to do.
            by: Who chose it, if not the person.

        Raises:
            ConfigError: the episode is over.
            ContractError: it is no action for this environment's action space.
        """
        if self._recorder.over:
            raise ConfigError("The episode is over: nothing can be done any more.")
        self._recorder.step(action, Decision(action, notes={"by": by} if by else {}))

    def search(self) -> None:
        """Search a plan for the goal from here, and do it.

        Raises:
            ConfigError: the episode is over, or no plan was found.
            GoalError, SnapshotError: there is nothing to search for, or the environment cannot be saved.
        """
        if self._recorder.over:
            raise ConfigError("The episode is over: nothing can be done any more.")
        require_goal(self._recorder)
        model = model_in(self._recorder)
        config = MctsConfig(household_search(simulations=_SIMULATIONS, depth=_DEPTH))
        found = find_plan(model, config, np.random.default_rng(0))
        if not found.result.success:
            raise ConfigError(f"{found.result.simulations:,} simulations found no way to the goal from here.")
        for action in [model.text(action) for action in found.plan]:
            if not self._recorder.over:
                self.act(action, by="search")

    def hand_over(self, agents: AgentMaker, steps: int) -> None:
        """Let an agent act from here; it has not seen what was done before.

        Args:
            agents: Makes the agent.
            steps: How many steps at most; it may have finished earlier.

        Raises:
            ConfigError: the episode is over.
            PatheiError: the agent's model or memory cannot be loaded, or does not answer.
        """
        if self._recorder.over:
            raise ConfigError("The episode is over: nothing can be done any more.")
        agent, goal = agents(self.task), self.task.goal.seen()
        reset_agent(agent, self.task.seed)
        for _ in range(steps):
            try:
                chosen = decide(agent, self._recorder.observation.seen(), goal)
            except Finished:
                break
            by = {**chosen.notes, "by": agents.collector}
            self._recorder.step(chosen.action, Decision(chosen.action, chosen.tokens, by))
            if self._recorder.over:
                break

    def branch(self, id_: str) -> Trajectory:
        """Return what was done since the step that was entered, as a branch of the stored episode.

        Raises:
            ConfigError: nothing was done.
        """
        whole = self._recorder.trajectory(id_, COLLECTOR, {"agent": "human", "command": "view"})
        own = whole.steps[self.parent.step :]
        if not own:
            raise ConfigError("Nothing was done yet: there is no branch to store.")
        return Trajectory(id_, self.task, own, whole.final, COLLECTOR, self.parent, whole.provenance)

    def image(self, name: str) -> bytes:
        """Return a picture that was observed, as a PNG file."""
        return self._images[name]

    def state(self) -> dict[str, Json]:
        """Return where the episode stands, as the page shows it."""
        whole = self._recorder.trajectory("", COLLECTOR, {})
        first, changes, now = self.parent.step, changes_of(whole), whole.final
        pictures = [f"data:image/png;base64,{base64.b64encode(self._images[name]).decode()}" for name in now.images]
        return {
            "id": self.parent.trajectory,
            "step": first,
            "goal": self.task.goal.text,
            "lines": [line_json(*pair) for pair in zip(whole.steps[first:], changes[first:], strict=True)],
            "changes": [list(change) for change in changes[-1]] if len(whole.steps) > first else [],
            "text": now.text,
            "pictures": pictures,
            "actions": now.actions,
            "over": self._recorder.over,
            "success": self._recorder.steps[-1].info.get("success") if self._recorder.steps else None,
        }

    def _started(self, envs: Envs, task: Task, steps: int) -> Recorder:
        recorder = Recorder(snapshotable(envs.get(task)), task, max_steps=steps + _FURTHER, put_image=self._put_image)
        recorder.reset()
        return recorder

    def _put_image(self, picture: np.ndarray[Any, Any]) -> str:
        data = png(picture)
        name = hashlib.sha256(data).hexdigest()
        self._images[name] = data
        return name

    def _compare(self, what: str, now: Observation, stored: Observation) -> None:
        if now.text != stored.text:
            raise ReplayDriftError(
                f"{what} leads to another observation than when it was stored, so this step cannot be entered: the "
                f"environment {self.task.env} is not deterministic, or has changed since."
            )


class EnteringDesk:
    """The one step that is entered at a time, and the store that branches go into."""

    def __init__(self, store: ExperienceStore) -> None:
        """Name the store, open for reading; it is opened for writing while a branch is appended, and no longer."""
        self._store = store
        self._envs: dict[bool, Envs] = {frames: Envs(frames=frames) for frames in (False, True)}
        self._entered: EnteredStep | None = None
        self._agents: AgentMaker | None = None

    def enter(self, id: str, step: int, again: bool = False) -> Json:
        """Enter an episode after some of its steps; what was going on elsewhere is given up.

        Args:
            id: The episode's id.
            step: How many of its steps are done before.
            again: Whether to begin afresh where this step is entered already.

        Raises:
            StoreError: there is no such episode.
            ConfigError, ReplayDriftError, UnknownNameError, MissingDependencyError: see `EnteredStep`.
        """
        parent = Parent(id, step)
        if again or self._entered is None or self._entered.parent != parent:
            self._entered, whole = None, self._store.expand(self._store.get(id))
            with self._unbroken(whole.task):
                self._entered = EnteredStep(whole, parent, self._envs)
        return self._entered.state()

    def act(self, id: str, step: int, action: str) -> Json:
        """Do one action; raises as `EnteredStep.act` does."""
        entered = self._at(id, step)
        with self._unbroken(entered.task):
            entered.act(action)
        return entered.state()

    def search(self, id: str, step: int) -> Json:
        """Let a search go on; raises as `EnteredStep.search` does."""
        entered = self._at(id, step)
        with self._unbroken(entered.task):
            entered.search()
        return entered.state()

    def agent(self, id: str, step: int, agent: str, steps: int) -> Json:
        """Let an agent go on, by its name (`pathei list agent`), for some steps.

        Raises:
            ConfigError: it is nobody that can act here, or no number of steps.
            PatheiError: see `agents.registry.AgentSpec.parse` and `EnteredStep.hand_over`.
        """
        entered = self._at(id, step)
        if not 1 <= steps <= _FURTHER:
            raise ConfigError(f"An agent acts for 1 to {_FURTHER:,} steps, not {steps}.")
        if self._agents is None or str(self._agents.spec) != agent:
            self._agents = AgentMaker(agent)
        if self._agents.is_human:
            raise ConfigError("You are the human here: choose an action yourself.")
        self._agents.prepare()
        with self._unbroken(entered.task):
            entered.hand_over(self._agents, steps)
        return entered.state()

    def keep(self, id: str, step: int) -> Json:
        """Store the branch, and return its id.

        Raises:
            ConfigError: nothing was done.
            StoreLockedError: another process is writing to the store.
        """
        entered = self._at(id, step)
        numbers = iter(range(len(self._store) + 1))
        name = next(name for n in numbers if (name := f"{entered.task.id}/{COLLECTOR}-{n}") not in self._store)
        branch = entered.branch(name)
        with ExperienceStore.open(self._store.path, config={"command": "view"}) as writer:
            for image in dict.fromkeys(image_names(branch)):
                writer.put_image(entered.image(image))
            writer.append(branch)
        self._entered = None
        return {"id": name}

    def close(self) -> None:
        """Close the environments."""
        for envs in self._envs.values():
            envs.close()

    @contextlib.contextmanager
    def _unbroken(self, task: Task) -> Iterator[None]:
        """Give up an environment that breaks, and say so in a sentence: the next one entered is a new one."""
        try:
            yield
        except PatheiError:
            raise
        except Exception as error:
            self._entered = None
            for envs in self._envs.values():
                envs.drop(task)
            raise WorldError(f"The environment {task.env} broke ({one_line(error)}): enter the step again.") from error

    def _at(self, id: str, step: int) -> EnteredStep:
        if self._entered is None or self._entered.parent != Parent(id, step):
            raise StoreError("Another step was entered since: enter this one again.")
        return self._entered
