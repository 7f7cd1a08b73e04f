"""A Linux terminal as a gymnasium environment: `pathei/Terminal-v0`.

An action is a command for one bash that runs for the whole episode, or `submit ANSWER` (`answer ANSWER` is the
same), which ends the episode. The observation is what the command wrote, its exit status where that is not 0, and the
prompt. A command that bash does not know or cannot read, or that broke a limit, is explained in `info["error"]`; what
it did before is not undone. The reward is the change in the goal's progress.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from ...errors import ConfigError, WorldError
from ..facts import FactGraph
from ..facts.contradictions import require_possible
from ..facts.goals import measure
from ..text_env import TextEnv, require_reset
from .conditions import FileView, check_conditions, holds, on_graph
from .files import Tree, difference
from .graph import read_tree
from .sandbox.sandbox import Frozen, Layer, Limits, Ran, Sandbox, ShellState
from .suggestions import GRAPH_VERBS, VERBS, suggest
from .tasks.filesystems import bare_entries, generate, listed_entries
from .tasks.judges import Judgement, agentbench_success, intercode_reward, readable, run_gold

_LOG: Final = logging.getLogger(__name__)
MAX_ACTION: Final = 1 << 17
"""The longest action, in characters; an observation may be somewhat longer."""
_KEPT_BASES: Final = 24
_SETUP_SECONDS: Final = 60.0
_SUBMIT = re.compile(r"\s*(?:submit|answer)(?:\s+(.*?))?\s*", re.DOTALL)
_UNREADABLE = re.compile(r"^bash: (?:syntax error|unexpected EOF).*", re.MULTILINE)
_UNKNOWN = re.compile(
    r"^bash: .*(?:command not found|No such file or directory|Permission denied|Is a directory)$", re.MULTILINE
)
_STOPPED: Final = {
    "time": "it took longer than {limits.seconds:g} s",
    "output": "it wrote more than {limits.written} MiB",
    "memory": "its processes used more than {limits.memory} MiB of memory",
    "processes": "there were more than {limits.processes} processes",
    "shell": "it ended the shell, and a new one was started",
}


class TerminalEpisode(NamedTuple):
    """What an episode is about; the same from its reset to its end."""

    base: Frozen
    home: str
    user: str
    text: str
    """The instruction."""
    conditions: tuple[Mapping[str, Any], ...]
    verbs: tuple[str, ...]
    end_on_success: bool
    seed: int
    """Seeds the shell's `RANDOM`."""


class TerminalEpisodeState(NamedTuple):
    """Where an episode stands, its files and its shell apart."""

    steps: int = 0
    output: str = ""
    """What the last command wrote, as the observation shows it."""
    answer: str | None = None
    error: str | None = None
    progress: float = 0.0
    success: bool = False
    gold: Judgement | None = None
    """What InterCode's reference command did, once it was run."""


class TerminalSnapshot(NamedTuple):
    """A moment of an episode; see `pathei.envs.snapshots`."""

    frozen: Frozen
    episode: TerminalEpisode
    moment: TerminalEpisodeState
    random_state: Mapping[str, Any]


class TerminalEnv(TextEnv[str]):
    """A sandboxed shell; `docs/guide/envs/terminal.md` says what is isolated and what is not.

    `reset(seed, options)` takes these options, each of which may also be given to the constructor as the default:

    * `files`: `"office:7"`, one of `filesystems.FILESYSTEMS` and a seed; `"bare"`; or the files of the home directory,
      `{"notes.txt": "text", "empty/": ""}`. Without it they follow from the seed.
    * `setup`: a script that is run on the files before the episode begins; `start`: one that is left running.
    * `user`: `"agent"` (default) or `"root"`, which is root in name only; `cwd`: where the shell begins.
    * `verbs`: which verbs `info["actions"]` is made of; see `suggestions.VERBS`. A goal on the graph, which need not be
      that for which a task chose its verbs, adds `GRAPH_VERBS`.
    * `goal`: `{"text", "conditions"}` with conditions as `conditions` defines them.
    * `end_on_success`: whether the episode ends as soon as the goal holds; default True. A submitted answer ends it in
      any case.
    * `solution`: actions that reach the goal, which `demonstration` returns; the environment does not read them.
    """

    title = "The terminal"
    verbs: ClassVar[Sequence[str]] = VERBS
    option_names: ClassVar[Sequence[str]] = (
        "files",
        "setup",
        "start",
        "user",
        "cwd",
        "verbs",
        "goal",
        "end_on_success",
        "solution",
    )

    def __init__(self, *, limits: Limits | None = None, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; the sandbox is started by the first `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(max_action=MAX_ACTION, render_mode=render_mode, defaults=defaults)
        self.limits = limits or Limits()
        self._sandbox: Sandbox | None = None
        self._bases: OrderedDict[tuple[str, str, str], Layer] = OrderedDict()
        self._episode: TerminalEpisode | None = None
        self._moment = TerminalEpisodeState()
        self._graph: tuple[Tree, str, str, FactGraph] | None = None

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox, for collectors and tests; agents may not look into it."""
        return require_reset(self._sandbox)

    @property
    def episode(self) -> TerminalEpisode:
        """The present episode; collectors may look into it, agents may not."""
        return require_reset(self._episode)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode.

        Raises:
            ConfigError: an option is not known or has no possible value.
            GoalError: a condition cannot be read, or two contradict each other.
            MissingDependencyError, WorldError: the sandbox does not start; the message says what to install or enable.
        """
        chosen = self.begin(seed, options)
        if chosen.get("files") is None:
            chosen["files"] = f"office:{int(self.np_random.integers(2**31))}"
        goal = chosen.get("goal") or {}
        conditions = check_conditions(goal.get("conditions") or ())
        user, verbs = chosen.get("user") or "agent", tuple(chosen.get("verbs") or VERBS)
        if user not in ("agent", "root") or not set(verbs) <= set(self.verbs):
            raise ConfigError(f"The user is 'agent' or 'root', not {user!r}; verbs are out of {', '.join(self.verbs)}.")
        if aims := [one for one in conditions if on_graph(one)]:
            verbs = tuple(dict.fromkeys([*verbs, *GRAPH_VERBS]))
        if self._sandbox is not None and not self._sandbox.alive:
            _LOG.warning("The sandbox of a terminal died; a new one is started.")
            self._give_up()
        if self._sandbox is None:
            self._sandbox = self.new_sandbox()
        try:
            home = "/home/agent" if user == "agent" else "/root"
            cwd = str(chosen.get("cwd") or home)
            base = self._base(chosen["files"], str(chosen.get("setup") or ""), cwd)
            end = bool(chosen.get("end_on_success", True))
            number = int(self.np_random.integers(2**31))
            self._episode = TerminalEpisode(base, home, user, str(goal.get("text", "")), conditions, verbs, end, number)
            self._start(base)
            self._wake(str(chosen.get("start") or ""))
        except WorldError:
            self._give_up()
            raise
        require_possible(self.fact_graph(), aims, grows=True)
        self._moment = TerminalEpisodeState()
        self._moment = self._judged(self._moment)
        facts = {
            "files": {path: [n.kind, f"{n.mode:o}", n.content] for path, n in base.layer.tree.items()},
            "graph": self.fact_graph().to_json(),
        }
        return self.text(), self._info(facts)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Run a command, or submit an answer.

        Returns:
            Observation, reward (change in progress), terminated (the goal holds, or an answer was submitted), truncated
            (always False; `TimeLimit` does that), info.

        Raises:
            WorldError: the keeper of the sandbox died; the next reset makes a new one.
        """
        sandbox, episode = self.sandbox, self.episode
        before, tree, graph = self._moment, sandbox.tree, self.fact_graph()
        moment = before._replace(steps=before.steps + 1, output="", error=None)
        submitted = _SUBMIT.fullmatch(action) if isinstance(action, str) else None
        if not isinstance(action, str) or action not in self.action_space or "\0" in action:
            moment = moment._replace(error=f"an action is a string of at most {MAX_ACTION} characters, without NUL")
        elif submitted:
            moment = moment._replace(answer=submitted[1] or "", output=before.output)
        else:
            try:
                moment = self._done(action, moment)
            except WorldError:
                self._give_up()
                raise
        moment = self._judged(moment)
        self._moment = moment
        done = moment.answer is not None or bool(episode.end_on_success and episode.conditions and moment.success)
        facts: dict[str, Any] = {
            "difference": difference(tree, sandbox.tree),
            "since_start": difference(episode.base.layer.tree, sandbox.tree),
            "changes": [],
        }
        after = self.fact_graph()
        if after is not graph:
            facts["changes"] = graph.changes_to(after)
            if nodes := graph.nodes_new_in(after):
                facts["nodes"] = nodes
        return self.text(), moment.progress - before.progress, done, False, self._info(facts)

    def snapshot(self) -> TerminalSnapshot:
        """Freeze the present moment. Processes in the background are not part of it: they end where files had changed.

        Raises:
            SnapshotError: all snapshots together take too much memory.
        """
        return TerminalSnapshot(self.sandbox.freeze(), self.episode, self._moment, self.np_random.bit_generator.state)

    def restore(self, state: TerminalSnapshot) -> None:
        """Go back to a moment that `snapshot` of this environment returned.

        Raises:
            SnapshotError: another environment returned it.
        """
        self._episode, self._moment = state.episode, state.moment
        self.np_random.bit_generator.state = state.random_state
        if not self.sandbox.is_at(state.frozen):
            self._start(state.frozen)

    def close(self) -> None:
        """End the sandbox and all that is in it."""
        self._give_up()
        super().close()

    def new_sandbox(self) -> Sandbox:
        """Start a sandbox."""
        return Sandbox(self.limits)

    def _wake(self, start: str) -> None:
        """Start the shell of an episode that begins, and what runs in it from the start."""
        self.sandbox.wake()
        if start:
            self.sandbox.run(start)

    def _done(self, action: str, moment: TerminalEpisodeState) -> TerminalEpisodeState:
        """Do an action that is no answer, and return the moment after it, with what it wrote."""
        ran = self.sandbox.run(action, random=self.episode.seed + moment.steps)
        output = readable(ran)
        return moment._replace(output=output, error=self._refusal(ran, output))

    def _suggested(self) -> tuple[str, ...]:
        """Return actions worth trying."""
        episode = self.episode
        cwd, output = self.sandbox.cwd, self._moment.output
        return suggest(self.sandbox.tree, cwd, episode.home, episode.text, output, episode.verbs)

    def _give_up(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()
        self._sandbox, self._episode = None, None
        self._bases.clear()

    def _start(self, at: Frozen) -> None:
        episode = self.episode
        self.sandbox.start(at, user=1000 if episode.user == "agent" else 0, home=episode.home)

    def _base(self, files: Any, setup: str, cwd: str) -> Frozen:
        """Return the files that an episode begins with; those of the last few are kept."""
        shell = ShellState("", cwd)
        entries = None if isinstance(files, str) else listed_entries(files)
        files = str(files)
        layer = self._bases.get((files, setup, cwd))
        if layer is None:
            if entries is None:
                entries = bare_entries() if files == "bare" else generate(files).entries
            layer = self.sandbox.plant(entries)
            if setup:
                self.sandbox.start(Frozen(layer, shell), user=0, home="/root")
                self.sandbox.run(f"{setup}\n", seconds=_SETUP_SECONDS)
                layer = self.sandbox.freeze().layer
            self._bases[files, setup, cwd] = layer
            if len(self._bases) > _KEPT_BASES:
                self._bases.popitem(last=False)
        self._bases.move_to_end((files, setup, cwd))
        return Frozen(layer, shell)

    def _refusal(self, ran: Ran, output: str) -> str | None:
        """Say why a command was refused or stopped; None if it was not."""
        if ran.stopped:
            return self._stopped(ran.stopped)
        found = _UNREADABLE.search(output) if ran.status in (1, 2) else None
        if ran.status in (126, 127):
            found = _UNKNOWN.search(output)
        return found.group().removeprefix("bash: ") if found else None

    def _stopped(self, limit: str) -> str:
        """Say which limit was broken."""
        return _STOPPED[limit].format(limits=self.limits)

    def _judged(self, moment: TerminalEpisodeState) -> TerminalEpisodeState:
        """Return the moment with its progress and success."""
        episode, sandbox = self.episode, self.sandbox
        if not episode.conditions:
            return moment
        view = FileView(episode.base.layer.tree, sandbox.tree, episode.home, moment.answer, sandbox.read)
        marks, gold = [], moment.gold
        for condition in episode.conditions:
            if "intercode" in condition:
                gold = gold or run_gold(sandbox, episode.base, str(condition["intercode"]), self._start)
                marks.append(intercode_reward(view, moment.output, gold) if moment.answer is not None else 0.0)
            elif "checks" in condition or "match" in condition:
                passed = moment.answer is not None and agentbench_success(
                    condition, sandbox, moment.answer, self._start
                )
                marks.append(float(passed))
            elif on_graph(condition):
                marks.append(measure(self.fact_graph(), condition))
            else:
                marks.append(float(holds(condition, view)))
        progress = sum(marks) / len(marks)
        return moment._replace(progress=progress, success=progress > 0.995, gold=gold)

    def fact_graph(self) -> FactGraph:
        """Return the files of the home as a graph; not to be changed. It is made when files have changed."""
        tree, cwd, home = self.sandbox.tree, self.sandbox.cwd, self.episode.home
        if self._graph is not None and self._graph[1:3] == (cwd, home):
            # Every command returns a new tree, which is mostly equal; comparing a tree with itself takes time, too.
            if self._graph[0] is not tree and self._graph[0] == tree:
                self._graph = tree, *self._graph[1:]
            if self._graph[0] is tree:
                return self._graph[3]
        self._graph = tree, cwd, home, read_tree(tree, home, cwd)
        return self._graph[3]

    def text(self) -> str:
        """Return what the last command wrote, and the prompt."""
        episode, moment = self.episode, self._moment
        where = self.sandbox.cwd
        if where == episode.home or where.startswith(f"{episode.home}/"):
            where = f"~{where[len(episode.home) :]}"
        prompt = f"{episode.user}@sim:{where.encode('utf-8', 'replace').decode()}$"
        if moment.answer is not None:
            return f"Submitted: {moment.answer}"
        output = moment.output if not moment.output or moment.output.endswith("\n") else f"{moment.output}\n"
        stopped = f"That did not work: {moment.error}.\n" if moment.error else ""
        return f"{output}{stopped}{prompt}"

    def _info(self, facts: dict[str, Any]) -> dict[str, Any]:
        episode, moment = self.episode, self._moment
        cwd = self.sandbox.cwd
        info: dict[str, Any] = {
            "actions": () if moment.answer is not None else self._suggested(),
            "facts": {"cwd": cwd.encode("utf-8", "replace").decode(), **facts},
        }
        if moment.error:
            info["error"] = moment.error
        if episode.conditions:
            info["success"], info["progress"] = moment.success, moment.progress
        return info
