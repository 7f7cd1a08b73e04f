"""The household as a gymnasium environment: `pathei/VirtualHome-v0`.

Observations and actions are text. The observation describes what the acting character perceives
(`language.observation`); an action is a script line, `[Grab] <cup> (12)`, or plain English, `grab the cup`. What cannot
be done is explained in the next observation and in `info["error"]`; it never raises. The reward is the change in the
goal's progress, so the return of an episode is the progress made; without a goal it is 0.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import gymnasium
import orjson

from ...errors import ConfigError, GoalError, ScriptError, options_of
from ..facts import read_actor
from ..plans import PddlTask
from ..spaces import UnicodeText
from ..text_env import fit
from .engine.profiles import rules_named
from .engine.rules import EngineAction, Rules
from .engine.scene import bits
from .engine.vocabulary import CLOSE, FACING, RELATIONS
from .engine.world import World, WorldSnapshot
from .goals.check import GoalCheck
from .goals.contradictions import require_possible
from .goals.landmarks import Landmarks
from .goals.relevance import Relevance
from .houses.scenes import load_scene
from .language.listing import Listing
from .language.observation import describe, nameable
from .language.parse_action import Misunderstood, phrases, understand
from .language.phrases import Phrase
from .language.script import parse_line
from .model import HomeModel, TeamModel
from .pddl.task import write_task

MAX_TEXT: Final = 1 << 20
"""The longest observation and action, in characters."""

_STATES_TABLE: Final = 2 * len(RELATIONS)
_TOLD_RELATIONS: Final = tuple(relation for relation in range(len(RELATIONS)) if relation != CLOSE)
_FACED_TABLE: Final = len(RELATIONS) + FACING
_OPTIONS: Final = ("scene", "rules", "characters", "size", "goal", "listing", "end_on_success")
_KEPT_WORLDS: Final = 16
WAIT: Final = EngineAction("WAIT")
"""Doing nothing, which passes the turn to the next of several characters; no rule of its own."""
_WAIT_LINE: Final = "[Wait]"
_WAITING: Final = (_WAIT_LINE.lower(), "wait", "do nothing", "pass")
_LONGEST_REASON: Final = 300


class HomeSnapshot(NamedTuple):
    """A moment of an episode; see `pathei.envs.snapshots`."""

    world: World
    version: WorldSnapshot
    turn: int
    check: GoalCheck | None
    conditions: tuple[Mapping[str, Any], ...]
    history: Any
    progress: float
    error: str | None
    listing: str
    end_on_success: bool
    random_state: Mapping[str, Any]


class _Household(NamedTuple):
    """What is prepared once for a scene under a set of rules, and kept for the next episode in it."""

    world: World
    listing: Listing
    phrases: tuple[Phrase, ...]
    graph: list[bytes]
    """The facts of its beginning as JSON; empty until they are first asked for."""


class VirtualHomeEnv(gymnasium.Env[str, str]):
    """A household; see the head of this file, and `docs/guide/envs/virtualhome.md` for rules and goals.

    `reset(seed, options)` takes these options, each of which may also be given to the constructor as the default:

    * `scene`: `"house:7"` (generated), `"robothow:file10_2"` (fetched), or the path of a graph file. Without one, a
      house is generated from the seed.
    * `rules`: `"clean"` (default), `"v1"`, `"e2wm"` or `"vh23"`; to the constructor also a `Rules` of your own.
    * `characters` (1 to 4), `size`: for generated houses. Several characters act in turn; `info["character"]` is the id
      of the one whose turn it is, and the observation is that one's. An action may name who does it, as those listed
      do: `<char1> [Walk] <kitchen> (3)`; a character whose turn comes before waits. `[Wait]` passes one's own turn.
    * `goal`: `{"text", "conditions"}` with conditions as `goals` defines them.
    * `listing`: `"perceived"` (default) lists actions on what the character perceives, `"all"` on everything.
    * `end_on_success`: whether the episode terminates as soon as the goal holds; default True.

    `info["facts"]` holds, after a reset, the whole household (nodes with states, edges other than CLOSE), and after a
    step its changes: `["+", 12, "ON", 7]` for a new edge, `["-", 14, "CLOSED"]` for a state that ended.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"]}  # noqa: RUF012  # gymnasium declares it so

    def __init__(self, *, rules: str | Rules = "clean", render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; nothing is generated or read before `reset`.

        Raises:
            ConfigError: an option is not known; all that are wrong are named.
        """
        _require_known(defaults)
        self.render_mode = render_mode
        self.observation_space = UnicodeText(MAX_TEXT)
        self.action_space = UnicodeText(MAX_TEXT)
        self._defaults = defaults
        self._rules = rules
        self._households: OrderedDict[tuple[Any, ...], _Household] = OrderedDict()
        self._home: _Household | None = None
        self._turn = 0
        self._check: GoalCheck | None = None
        self._conditions: tuple[Mapping[str, Any], ...] = ()
        self._progress = 0.0
        self._error: str | None = None
        self._listing = "perceived"
        self._end_on_success = True

    @property
    def world(self) -> World:
        """The household as it is now; collectors may look into it, agents may not."""
        if self._home is None:
            raise gymnasium.error.ResetNeeded("Call reset() before looking at the household.")
        return self._home.world

    @property
    def check(self) -> GoalCheck | None:
        """The present goal, or None if there is nothing to check."""
        return self._check

    def model(self, *, everything: bool = False) -> HomeModel | TeamModel:
        """Return the present episode as a search sees it (`pathei.envs.model.model_of`).

        Args:
            everything: Whether actions may name every node; otherwise what the goal is likely to need (`relevance`).
        """
        world, check = self.world, self._check
        given: dict[str, Any] = {}
        if check is not None:
            given["nodes"] = world.scene.everything if everything else None
            given["relevance"] = Relevance(self._conditions, world)
            given["landmarks"] = Landmarks(check, world)
        views = [HomeModel(world, check, character=c, **given) for c in world.characters]
        return views[0] if len(views) == 1 else TeamModel(views, world, check, self._turn)

    def pddl(self, *, everything: bool = False) -> PddlTask:
        """Return the present episode in PDDL (`pathei.envs.plans.pddl_of`), under the rules `clean`, for one character.

        Args:
            everything: Whether every node is an object; otherwise what the goal is likely to need (`relevance`).

        Raises:
            ConfigError: the rules are others, or there are several characters.
            GoalError: there is no goal, or a condition of it cannot be written in PDDL.
        """
        if self._check is None:
            raise GoalError("There is no goal to write in PDDL: give the task conditions that can be checked.")
        return write_task(self._conditions, self.world, everything=everything)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode.

        Returns:
            What the first character perceives, and info.

        Raises:
            ConfigError: an option is not known or has no possible value. After this and the errors below the episode
                before goes on.
            GraphError, DataError: the scene cannot be read or is not there.
            GoalError: the goal cannot be checked in this household, or contradicts itself.
        """
        super().reset(seed=seed)
        _require_known(options or {})
        chosen = {**self._defaults, **(options or {})}
        if chosen.get("scene") is None:
            chosen["scene"] = f"house:{int(self.np_random.integers(2**31))}"
        listing = chosen.get("listing", "perceived")
        if listing not in ("perceived", "all"):
            raise ConfigError(f"The option 'listing' is 'perceived' or 'all', not {listing!r}.")
        conditions = _conditions(chosen.get("goal"))
        home = self._household(chosen)
        world = home.world
        check = GoalCheck(conditions, world) if conditions else None
        world.restore(world.start)
        require_possible(conditions, world)
        self._home, self._check, self._listing = home, check, listing
        self._end_on_success = bool(chosen.get("end_on_success", True))
        self._turn, self._error = 0, None
        self._conditions = conditions
        self._progress = check.progress() if check else 0.0
        if not home.graph:
            home.graph.append(orjson.dumps(_graph(world)))
        return self._observation(), self._info({"graph": orjson.loads(home.graph[0])})

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Let the character whose turn it is act, in a script line or in plain English.

        Returns:
            Observation, reward (change in progress, in [-1, 1]), terminated (the goal holds), truncated (always False;
            `TimeLimit` does that), info.
        """
        world = self.world
        before, turn = world.version, self._turn
        named = None
        if isinstance(action, str) and action.lstrip().startswith("<"):
            named, action = read_actor(action)
            turn = self._turn if named is None or named >= len(world.characters) else named
        actor = world.characters[turn]
        if named is None or named == turn:
            read = self._read(action, actor)
        else:
            read = Misunderstood(
                f"there is no <char{named}>, the last character here is <char{len(world.characters) - 1}>"
            )
        if isinstance(read, Misunderstood):
            self._error = read.why
        else:
            self._error = None if read is WAIT else world.act(read, actor)
            if self._error is None:
                self._turn = (turn + 1) % len(world.characters)
                if self._check is not None:
                    self._check.note(read)
        reward = 0.0
        if self._check is not None and self._error is None:
            progress = self._check.progress()
            reward, self._progress = progress - self._progress, progress
        changes = _changes(world) if world.version is not before else []
        info = self._info({"changes": changes})
        if len(world.characters) > 1:
            info["actor"] = world.scene.ids[actor]
        done = bool(self._end_on_success and info.get("success", False))
        return self._observation(), reward, done, False, info

    def render(self) -> str | None:
        """Return what the character perceives, in render mode `"ansi"`."""
        return self._observation() if self.render_mode == "ansi" else None

    def snapshot(self) -> HomeSnapshot:
        """Return the present moment; costs microseconds, and stays valid."""
        world, check = self.world, self._check
        return HomeSnapshot(
            world,
            world.version,
            self._turn,
            check,
            self._conditions,
            check.history if check else None,
            self._progress,
            self._error,
            self._listing,
            self._end_on_success,
            self.np_random.bit_generator.state,
        )

    def restore(self, state: HomeSnapshot) -> None:
        """Go back to a moment that `snapshot` returned."""
        if self._home is None or self._home.world is not state.world:
            self._home = self._prepared(state.world)
        state.world.restore(state.version)
        self._turn, self._check, self._conditions = state.turn, state.check, state.conditions
        if state.check is not None:
            state.check.history = state.history
        self._progress, self._error = state.progress, state.error
        self._listing, self._end_on_success = state.listing, state.end_on_success
        self.np_random.bit_generator.state = state.random_state

    def _household(self, options: Mapping[str, Any]) -> _Household:
        rules = options.get("rules", self._rules)
        if not isinstance(rules, str | Rules):
            raise ConfigError(f"The option 'rules' is the name of a rule profile, or Rules of your own, not {rules!r}.")
        name = rules if isinstance(rules, str) else id(rules)  # the world that is kept keeps them alive
        key = (name, repr((options["scene"], options.get("characters"), options.get("size"))))
        home = self._households.get(key)
        if home is None:
            rules = rules_named(rules) if isinstance(rules, str) else rules
            home = self._prepared(World(load_scene(options["scene"], rules, **_house_options(options)), rules))
            self._households[key] = home
            if len(self._households) > _KEPT_WORLDS:
                self._households.popitem(last=False)
        self._households.move_to_end(key)
        return home

    def _prepared(self, world: World) -> _Household:
        return _Household(world, Listing(world), phrases(world.rules), [])

    def _read(self, action: str, character: int) -> EngineAction | Misunderstood:
        if not isinstance(action, str):
            return Misunderstood(f"an action is a string, not {type(action).__name__}")
        assert self._home is not None
        if (listed := self._home.listing.known.get(action)) is not None:
            return listed
        if action not in self.action_space:
            return Misunderstood(f"an action has at most {MAX_TEXT} characters, all of which UTF-8 can write")
        world = self.world
        if action.strip().rstrip(".!").lower() in _WAITING and WAIT.verb not in world.rules.table:
            return WAIT
        if action.lstrip().startswith("["):
            try:
                return parse_line(action, world.scene, world.rules)
            except ScriptError as error:
                reason = str(error).rstrip(".")
                return Misunderstood(reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}...")
        return understand(action, world, character, nameable(world, character), self._home.phrases)

    def _observation(self) -> str:
        world = self.world
        character = world.characters[self._turn]
        text = fit(describe(world, character))
        if len(world.characters) > 1:
            text = f"You are {world.scene.labels[character]}. {text}"
        return f"That did not work: {self._error}.\n{text}" if self._error else text

    def _info(self, facts: dict[str, Any]) -> dict[str, Any]:
        world, home = self.world, self._home
        assert home is not None
        character = world.characters[self._turn]
        listing = home.listing
        actions = world.ask(listing.everything if self._listing == "all" else listing.perceived, character)
        if len(world.characters) > 1:
            actions = tuple(f"<char{self._turn}> {line}" for line in (*actions, _WAIT_LINE))
        info: dict[str, Any] = {
            "actions": actions,
            "facts": facts,
            "character": world.scene.ids[character],
        }
        if self._error:
            info["error"] = self._error
        if self._check is not None:
            info["success"] = self._check.satisfied()
            info["progress"] = self._progress
        return info


def _require_known(options: Mapping[str, Any]) -> None:
    wrong = [name for name in options_of(options, "VirtualHome") if name not in _OPTIONS]
    if wrong:
        raise ConfigError(f"VirtualHome has no option {', '.join(map(repr, wrong))}; known are: {', '.join(_OPTIONS)}.")


def _conditions(goal: Any) -> tuple[Mapping[str, Any], ...]:
    conditions = goal.get("conditions") or () if isinstance(goal, Mapping) else () if goal is None else None
    if not isinstance(conditions, list | tuple):
        raise ConfigError(f"The option 'goal' is {{'text': ..., 'conditions': [...]}}, not {goal!r}.")
    return tuple(conditions)


def _house_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("characters", "size") if options.get(name) is not None}


def _graph(world: World) -> dict[str, Any]:
    """The household as facts: every node with its states, every edge but CLOSE."""
    ids = world.scene.ids
    return {
        "nodes": [[ids[n], world.scene.classes[n], list(world.states_of(n))] for n in range(world.size)],
        "edges": [[ids[a], RELATIONS[r], ids[b]] for a, r, b in world.edges(_TOLD_RELATIONS)],
        "rooms": [ids[n] for n in bits(world.scene.rooms)],
        "characters": [ids[n] for n in world.characters],
    }


def _changes(world: World) -> list[list[Any]]:
    """What the last action changed, in order; CLOSE is left out."""
    ids, names = world.scene.ids, world.scene.state_names
    changes: list[list[Any]] = []
    for table, place, old, new in world.version.delta:
        changed = old ^ new
        if table == _STATES_TABLE:
            facts = [(n, [ids[n], names[place]]) for n in bits(changed)]
        elif table < len(RELATIONS) and table != CLOSE:
            facts = [(n, [ids[place], RELATIONS[table], ids[n]]) for n in bits(changed)]
        elif table == _FACED_TABLE and world.character_set >> place & 1:  # these edges stand in its own rows only
            facts = [(n, [ids[n], RELATIONS[FACING], ids[place]]) for n in bits(changed & ~world.character_set)]
        else:
            continue
        changes += [["+" if new >> n & 1 else "-", *fact] for n, fact in facts]
    return changes
