"""Homes in three dimensions as a gymnasium environment: `pathei/Habitat-v0`.

Actions are words, observations are text; `render` draws what the agent's camera sees. Tasks are Habitat's: stop at a
place (PointNav), stop where a picture was taken (ImageNav), stop near an object of a kind (ObjectNav), or rearrange
objects until a goal's conditions hold, alone or two in turn; or find a person and follow them. Not here: what actions
do (`actions`), and the words of observations (`text`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, GoalError
from ...experience import Goal
from ..facts import ConditionJson, FactGraph
from ..facts.goals import satisfied
from ..facts.graph import Fact, changes_between
from ..spaces import TextWithImages
from ..text_env import TextEnv, explain, require_reset
from .backend import DEPTH, MOVES, RGB, SEMANTIC, SENSORS, AgentSettings, Pose, Vector, read_rotation, read_vector
from .goals import POINT, NavGoal, read_goal
from .graph import HomeGraph, agent_node, carried_progress
from .language.actions import STOP, WAIT, Outcome, perform, read_command, skills
from .language.text import bearing_to, describe, say_bearing
from .metrics import NavMeasures
from .options import OPTION_NAMES, read_options
from .pictures import depth_picture, map_picture, semantic_picture
from .planning.follower import turned
from .planning.model import HabitatModel
from .scenes.generate import home_name
from .simulator.choose import default_backend, make_simulator
from .simulator.home_simulator import AddedObjects, HomeSimulator, HomeState
from .social.episode import Following, TeamMeasures
from .world import HomeWorld

ENV: Final = "pathei/Habitat-v0"
_IMAGE: Final = 256
_MAX_TEXT: Final = 20_000
_KEPT: Final = 4_096
_OFF_FLOOR: Final = 2.0
"""How far from the floor an agent may begin, in metres: habitat-sim looks no farther for it."""
_ACTOR: Final = re.compile(r"\s*<char([01])>\s*")
_FORMS: Final = "say move_forward, turn_left, pick cup, place cup on table, open fridge, go to couch or stop"


class HabitatEpisode(NamedTuple):
    """What does not change in an episode."""

    goal: Goal
    nav: NavGoal | None
    """Where to stop; None where the goal is about facts, or there is none."""
    listed: str
    """Which actions are listed, one of `ACTION_LISTS`."""
    characters: int
    """How many act in turn."""
    start: FactGraph
    """What held at the beginning."""


class HomeStep(NamedTuple):
    """What an action led to."""

    reward: float
    error: str | None
    """Why nothing was done, as half a sentence; None where something was."""
    actor: int = 0
    """The number of the agent that acted."""


class HabitatEnv(TextEnv[Any]):
    """A home; see the head of this file, and `docs/guide/envs/habitat.md`.

    `reset(seed, options)` takes:

    * `scene`: `"home:7"` (generated; `"home:7:4"` with four rooms), or the path of a JSON file of boxes. Without one, a
      home follows from the seed.
    * `start_position` `[x, y, z]` and `start_rotation` `[x, y, z, w]`, as habitat-lab has them; else from the seed.
    * `backend`: `"embedded"`, or `"habitat_sim"` for habitat-sim in an interpreter of its own; what
      `PATHEI_HABITAT_BACKEND` says where it is left out.
    * `objects` and `object_configs`: what an official episode adds to its scene in habitat-sim: pairs of a part of a
      shape's name and the middle `[x, y, z]`, and the folders of the shapes (see `files.episodes`).
    * `characters`: 2 for two agents who act in turn, as `info["character"]` says. An action may name who does it:
      `<char1> pick cup`; the one whose turn comes before then waits, as with `wait`.
    * `other_start_position` and `other_start_rotation`: where the second agent begins, or the person who is followed.
    * `doors`: `"closed"` closes all doors at the beginning; `"open"` by default.
    * `actions`: which actions are listed: `"moves"` (and stop), `"skills"`, or `"all"`. All of them are always
      understood. By default moves for goals of navigation, and skills for others.
    * `goal`: conditions as in `pathei.envs.habitat.goals`.

    An observation is a text. With the goal of a picture it is a dict of the `text` and, as `image`, what the camera
    sees and the picture, both uint8 of shape `[rows, width, 3]`.

    The reward is the change of progress. `info["metrics"]` holds Habitat's measures where the goal is one of
    navigation, `info["facts"]` the graph of `pathei.envs.habitat.graph` and the agent's pose.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012  # gymnasium declares it so
    title = "Habitat"
    option_names = OPTION_NAMES
    saved = ("_episode", "_moment", "_measures", "_social", "_facts", "_event", "_progress", "_success", "_over")

    snapshot, restore = TextEnv.save_fields, TextEnv.load_fields

    def __init__(
        self, *, settings: AgentSettings | None = None, render_mode: str | None = None, **defaults: Any
    ) -> None:
        """Create the environment; no home is made before `reset`.

        Args:
            settings: The agent's body, steps and camera; Habitat's ObjectNav agent with images of 256 by 256 pixels by
                default.
            render_mode: None, `"ansi"` for the text, or `"rgb_array"` for what the camera sees.
            defaults: Options of `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(max_text=_MAX_TEXT, max_action=1_000, render_mode=render_mode, defaults=defaults)
        self.observation_space = TextWithImages(_MAX_TEXT)
        self._settings = settings or AgentSettings(width=_IMAGE, rows=_IMAGE)
        self._sims: dict[str, HomeSimulator] = {}
        self._episode: HabitatEpisode | None = None
        self._world: HomeWorld | None = None
        self._entered = "", "", AddedObjects(), 0
        self._graph: HomeGraph | None = None
        self._away: tuple[NavGoal | None, Vector, float] = None, (0.0, 0.0, 0.0), 0.0
        self._measures: NavMeasures | None = None
        self._social: Following | TeamMeasures | None = None
        self._way: list[tuple[float, float]] = []
        self._turn = 0
        self._facts: frozenset[Fact] = frozenset()
        self._judged: dict[frozenset[Fact], tuple[bool, float]] = {}
        self._judged_in: HabitatEpisode | None = None
        self._event, self._progress, self._success, self._over = "", 0.0, False, False
        self._picture: tuple[HabitatEpisode | None, NDArray[np.uint8]] = None, np.zeros((0, 0, 3), np.uint8)

    @property
    def world(self) -> HomeWorld:
        """The home as it is now."""
        return require_reset(self._world)

    @property
    def sim(self) -> HomeSimulator:
        """The simulator of the episode."""
        return self.world.sim

    @property
    def navigation(self) -> NavGoal | None:
        """Where the goal is to stop; None where it is about facts, or there is none."""
        return require_reset(self._episode).nav

    @property
    def conditions(self) -> tuple[ConditionJson, ...]:
        """What the goal asks for."""
        return require_reset(self._episode).goal.conditions

    @property
    def measures(self) -> NavMeasures | None:
        """Habitat's measures of the episode so far; None where the goal is not one of navigation."""
        return self._measures

    def fact_graph(self) -> FactGraph:
        """Return what holds now as a graph; not to be changed."""
        return require_reset(self._graph).graph(self._facts)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see the class for the options.

        Raises:
            ConfigError: an option is not known, or has no possible value.
            DataError: the scene cannot be read.
            GoalError: the goal cannot be read, or not be checked in this home.
        """
        given = self.begin(seed, options)
        scene = given.get("scene") or home_name(int(self.np_random.integers(2**31)))
        backend = str(given.get("backend") or default_backend())
        asked = read_options(given)
        self._enter(backend, str(scene), asked.added, asked.agents)
        world = self.world
        nav = read_goal(asked.goal.conditions, world.map)
        if nav is not None and asked.characters > 1:
            raise GoalError("A goal of navigation is for one: leave the option 'characters' out.")
        if asked.closed:
            for door in sorted(world.map.joins):
                self.sim.set_open(door, False)
        self.sim.set_agent(self._start(given))
        if asked.agents > 1:
            self.sim.set_agent(self._start(given, "other_"), 1)
        self._facts = require_reset(self._graph).facts(self.sim.state, world.rooms)
        graph = self.fact_graph()
        listed = asked.listed or ("skills" if nav is None else nav.listed)
        self._episode = HabitatEpisode(asked.goal, nav, listed, asked.characters, graph)
        self._event, self._progress, self._success, self._over, self._measures = "", 0.0, False, False, None
        self._turn, self._social = 0, None
        world.calls_person = asked.follows
        if nav is not None and nav.follow is not None:
            self._social = Following.begun(self.sim, nav.follow)
        elif asked.characters > 1:
            self._social = TeamMeasures()
        elif nav is not None:
            away = self._distance(nav)
            if math.isinf(away):
                shut = " while doors are closed: leave the option 'doors' out" if world.closed_doors() else ""
                raise GoalError(f"No way leads from the start to the goal{shut}.")
            self._measures = NavMeasures(away, away, success_distance=nav.success_distance)
        self._success, self._progress = self._reached(True)
        self._way.clear()
        self._walked()
        return self._observed(self.text()), self._info({"graph": graph.to_json()})

    def step(self, action: str) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do an action."""
        before = self._facts
        done = self.act(action)
        self._walked()
        changed = changes_between(before, self._facts) if before is not self._facts else []
        info = self._info({"changes": changed})
        if done.error is not None:
            info["error"] = done.error
        if require_reset(self._episode).characters > 1:
            info["actor"] = agent_node(done.actor)
        return self._observed(explain(done.error, self.text())), done.reward, self._over, False, info

    def act(self, action: str) -> HomeStep:
        """Do an action without a word about it."""
        episode, world = require_reset(self._episode), self.world
        actor, said = self._actor(action)
        world.who = actor
        command, error, moved = read_command(said), None, False
        if self._over:
            error = "the episode is over"
        elif command is None:
            error = f"{action[:80]!r} is no action here: {_FORMS}"
        elif command.verb == STOP:
            self._over, self._event = True, "You stopped."
            if self._measures is not None:
                self._measures = self._measures._replace(stopped=True, collided=False)
        else:
            done = perform(world, command)
            error, self._event = done.error, done.event
            if error is None:
                self._measure(done)
                self._turn = (actor + 1) % episode.characters
            facts = require_reset(self._graph).facts(self.sim.state, world.rooms)
            moved = facts is not self._facts and facts != self._facts
            self._facts = facts if moved else self._facts
        if error is not None:
            self._event = ""
        world.who = self._turn
        before = self._progress
        self._success, self._progress = self._reached(moved)
        self._over = self._over or (self._success and not isinstance(self._social, Following))
        return HomeStep(self._progress - before, error, actor)

    def _actor(self, action: str) -> tuple[int, str]:
        """Return who is to act, and what the action is without that."""
        named = _ACTOR.match(action) if require_reset(self._episode).characters > 1 else None
        return (self._turn, action) if named is None else (int(named[1]), action[named.end() :])

    def _measure(self, done: Outcome) -> None:
        """Bring the measures after what was done."""
        nav, social = require_reset(self._episode).nav, self._social
        if isinstance(social, Following):
            self._social = social = social.stepped(self.sim)
            self._over = social.measures.collided or social.measures.over
        elif social is not None:
            self._social = social.after(self.world.touching)
        elif self._measures is not None and nav is not None:
            self._measures = self._measures.moved(done.walked, self._distance(nav), done.collided)

    @property
    def turn(self) -> int:
        """The number of the agent whose turn it is."""
        return self._turn

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return self._over

    @property
    def success(self) -> bool | None:
        """Whether the goal is reached; None without a goal that can be checked."""
        return self._success if require_reset(self._episode).goal.conditions else None

    def model(self) -> HabitatModel:
        """Return the present episode as a search sees it (`pathei.envs.model.model_of`)."""
        require_reset(self._episode)
        return HabitatModel(self)

    def moment(self) -> tuple[Any, ...]:
        """Return what changes in an episode; far cheaper than a snapshot, and valid in the same episode."""
        now = self._measures, self._social, self._facts, self._event, self._progress, self._success, self._over
        return self.sim.snapshot(), now, self._turn

    def go_back(self, moment: tuple[Any, ...]) -> None:
        """Go back to a moment of the same episode."""
        state, now, self._turn = moment
        self._measures, self._social, self._facts, self._event, self._progress, self._success, self._over = now
        self.sim.restore(state)
        self.world.who = self._turn

    def text(self) -> str:
        """Return the text of the present observation."""
        episode, world = require_reset(self._episode), self.world
        lines = [f"Goal: {episode.goal.text}"] if episode.goal.text else []
        lines += [f"You are char{world.who}."] if episode.characters > 1 else []
        if episode.nav is not None and episode.nav.kind == POINT:
            x, _, z = episode.nav.places[0]
            pose = world.pose
            away = float(np.hypot(x - pose.position[0], z - pose.position[2]))
            lines.append(f"The goal is {away:.2f} m away, {say_bearing(bearing_to(pose, x, z))}.")
        lines += [self._event] if self._event else []
        return "\n".join([*lines, describe(world, world.around())])

    def render(self) -> Any:
        """Return the text, or what the camera sees, uint8 of shape `[rows, width, 3]`, by the render mode."""
        if self.render_mode == "rgb_array":
            return self.sim.render((RGB,), self._turn)[RGB]
        return super().render()

    def pictures(self) -> dict[str, NDArray[np.uint8]]:
        """Return what the agent's camera sees in colour, depth and semantics, and a map with the way until now."""
        seen = self.sim.render(SENSORS, self._turn)
        return {
            RGB: seen[RGB],
            DEPTH: depth_picture(seen[DEPTH]),
            SEMANTIC: semantic_picture(seen[SEMANTIC]),
            "map": map_picture(self.world, self._way),
        }

    def goal_picture(self) -> NDArray[np.uint8] | None:
        """Return what is seen at the goal, uint8 of shape `[rows, width, 3]`; None where the goal is no picture."""
        episode = require_reset(self._episode)
        if episode.nav is None or episode.nav.picture is None:
            return None
        if self._picture[0] is not episode:
            here = self.sim.snapshot()
            self.sim.set_agent(episode.nav.picture)
            self._picture = episode, self.sim.render((RGB,))[RGB]
            self.sim.restore(here)
        return self._picture[1].copy()

    def _observed(self, text: str) -> str | dict[str, Any]:
        picture = self.goal_picture()
        return text if picture is None else {"text": text, "image": (self.sim.render((RGB,))[RGB], picture)}

    def _walked(self) -> None:
        """Remember the first agent's way, for `pictures`."""
        if self.render_mode == "rgb_array":
            x, _, z = self.sim.agent(0).position
            self._way.append((x, z))

    def close(self) -> None:
        """Let go of the simulators."""
        for sim in self._sims.values():
            sim.close()
        self._sims.clear()
        self._world = None

    @property
    def _moment(self) -> tuple[tuple[str, str, AddedObjects, int], HomeState, int, bool]:
        """What was entered, its state, whose turn it is, and whether somebody is followed."""
        require_reset(self._episode)
        return self._entered, self.sim.snapshot(), self._turn, self.world.calls_person

    @_moment.setter
    def _moment(self, moment: tuple[tuple[str, str, AddedObjects, int], HomeState, int, bool]) -> None:
        entered, state, self._turn, person = moment
        if self._world is None or self._entered != entered:
            self._enter(*entered)
        self.sim.restore(state)
        self.world.who, self.world.calls_person = self._turn, person

    def _enter(self, backend: str, scene: str, added: AddedObjects, agents: int) -> None:
        if backend not in self._sims:
            self._sims[backend] = make_simulator(backend, self._settings)
        self._world = HomeWorld(self._sims[backend], scene, added, agents)
        self._entered = backend, scene, added, agents
        self._graph = HomeGraph(self._world.map, agents)

    def _start(self, given: Mapping[str, Any], whose: str = "") -> Pose:
        position, rotation = given.get(f"{whose}start_position"), given.get(f"{whose}start_rotation")
        drawn = self.sim.random_point(self.np_random)
        quarter = int(self.np_random.integers(12)) * 30.0
        try:
            place = drawn if position is None else read_vector(position)
            turn = turned((0.0, 0.0, 0.0, 1.0), quarter) if rotation is None else read_rotation(rotation)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"'{whose}start_position' is [x, y, z] and '{whose}start_rotation' [x, y, z, w] here, not {position!r} "
                f"and {rotation!r} ({error})."
            ) from None
        near = self.sim.snap(place)
        if near is not None and math.dist(near, place) > _OFF_FLOOR:
            raise ConfigError(
                f"'{whose}start_position' is {math.dist(near, place):.1f} m from the floor of {self.world.scene}: "
                f"{list(place)}."
            )
        return Pose(place, turn)

    def _distance(self, nav: NavGoal) -> float:
        here = self.sim.agent().position
        if self._away[0] is not nav or self._away[1] != here:
            self._away = nav, here, self.sim.nearest_distance(here, nav.places)
        return self._away[2]

    def _reached(self, moved: bool) -> tuple[bool, float]:
        """Return whether the goal holds, and the progress; both are as before unless the facts have `moved`."""
        episode, measures = require_reset(self._episode), self._measures
        if isinstance(self._social, Following):
            return self._social.measures.success, self._social.progress
        if measures is not None:
            near = max(0.0, 1 - measures.distance / measures.start) if measures.start > 0 else 1.0
            return measures.success, 1.0 if measures.success else near / 2
        if not moved or not episode.goal.conditions:
            return self._success, self._progress
        if self._judged_in is not episode or len(self._judged) >= _KEPT:
            self._judged_in, self._judged = episode, {}
        known = self._judged.get(self._facts)
        if known is None:
            graph, asked = self.fact_graph(), episode.goal.conditions
            known = satisfied(graph, asked, start=episode.start), carried_progress(graph, asked, episode.start)
            self._judged[self._facts] = known
        return known

    def listed(self) -> tuple[str, ...]:
        """Return the actions that are listed now; none at the end."""
        episode = require_reset(self._episode)
        if self._over:
            return ()
        moves = (*MOVES, STOP) if episode.nav is not None else MOVES
        moves = (*moves, WAIT) if self._social is not None else moves
        found = list(moves) if episode.listed != "skills" else []
        found += skills(self.world) if episode.listed != "moves" else ()
        if episode.listed == "skills":
            found += [*([STOP] if episode.nav is not None else []), *([WAIT] if self._social is not None else [])]
        return tuple(found if episode.characters == 1 else [f"<char{self._turn}> {one}" for one in found])

    def _info(self, facts: dict[str, Any]) -> dict[str, Any]:
        episode, pose, measures = require_reset(self._episode), self.world.pose, self._measures
        info: dict[str, Any] = {
            "actions": self.listed(),
            "progress": self._progress,
            "facts": {"pose": [*pose.position, *pose.rotation, pose.pitch], **facts},
        }
        if episode.goal.conditions:
            info["success"] = self._success
        if isinstance(self._social, Following):
            info["metrics"] = self._social.measures.to_json()
        elif self._social is not None:
            info["metrics"] = self._social.to_json(self._success)
            info["character"] = agent_node(self._turn)
        elif measures is not None:
            info["metrics"] = measures.to_json()
        return info
