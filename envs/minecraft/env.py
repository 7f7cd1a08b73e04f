"""The Minecraft world as a gymnasium environment: `pathei/Minecraft-v0`.

An action is a skill in words, such as `mine 3 oak_log`; a client does what a player would do for it, and time passes
meanwhile. What the rules do not allow changes nothing, and the observation says why; what was tried in vain has taken
its time. The reward is the change in the goal's progress, and reaching the goal ends the episode.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...errors import ConfigError
from ..facts import FactGraph
from ..facts.actions import read_actor
from ..text_env import EnvSnapshot, TextEnv, explain, require_reset
from .actions import admissible, normalise, unknown_form
from .explorer import MinecraftModel, remaining
from .goals import MinecraftGoal, measure_team, read_goal, read_goals, together
from .graph import character_id, graph_of
from .plans import Planner
from .process.code import is_program, run_program
from .process.game import Acted, MinecraftGame, SavedWorld, Seen
from .process.remote import SERVER_OPTIONS, read_server
from .words import describe

_OVER: Final = "the goal is reached, and the episode is over"
_NO_ACTION: Final = "is no action"
WORLD_OPTIONS: Final = (
    "time", "difficulty", "daylight", "keep_inventory", "spawn_mobs", "food", "inventory", "worn", "biome", "creatures",
    "characters",
)  # fmt: skip
"""The options that the world itself takes."""
_MOST_CHARACTERS: Final = 16
BIOMES: Final = ("plains", "forest", "birch_forest", "taiga", "savanna", "desert", "windswept_hills")
"""Where one may begin; there are rivers, too."""
_CHOICES: Final[Mapping[str, Sequence[Any]]] = {"difficulty": ("peaceful", "normal"), "biome": BIOMES}


class MinecraftMoment(NamedTuple):
    """Where an episode stands; the world itself is in the node process."""

    team: tuple[Seen, ...]
    """What each bot perceives."""
    begun: tuple[Seen, ...]
    """What each perceived at the beginning."""
    goals: tuple[MinecraftGoal, ...]
    work: tuple[float, ...]
    """How much work each goal was at the beginning, in actions; infinity where that is not known."""
    graph: FactGraph
    refused: str | None = None
    failed: str | None = None
    said: tuple[str, ...] = ()
    """What a program wrote into the chat, and what happened while it ran."""
    turn: int = 0
    """The number of the bot that acts next."""
    vain: tuple[tuple[int, str], ...] = ()
    """Bots, and what they tried in vain one time after another, since something was done last."""

    @property
    def seen(self) -> Seen:
        """What the bot perceives whose turn it is."""
        return self.team[self.turn]


class MinecraftSnapshot(NamedTuple):
    """A saved moment of an episode."""

    world: SavedWorld
    fields: EnvSnapshot


class MinecraftEnv(TextEnv[str]):
    """The world; see the head of this file, and `docs/guide/envs/minecraft.md`.

    `reset(seed, options)` takes these options, each of which may also be given to the constructor as the default:

    * `world`: the number of the world; without it, it follows from the seed.
    * `goal`: `{"text", "conditions"}` with conditions as `goals` describes them.
    * `inventory`: what one begins with, `{"oak_log": 3}`; nothing by default.
    * `worn`: armour that one begins in, and a shield, `["iron_helmet", "shield"]`; the shield does not block here.
    * `biome`: begin in the nearest such land to the world's middle. `creatures`: what stands near then, `["sheep"]`.
    * `time`: when it begins, in ticks after sunrise, 0 to 23,999; default 1,000. `daylight`: whether time passes.
    * `difficulty`: `"normal"` (default) or `"peaceful"`, without hostile creatures and hunger.
    * `food`: how well fed one begins, 0 to 20; default 20.
    * `characters`: how many bots there are, 1 (default) to 16. They act in turn, and an action may name the one that
      acts, `<char1> mine dirt`; the others stand meanwhile where they are. They reach the goal together.
    * `keep_inventory`: whether one who dies keeps everything; default False. `spawn_mobs`: whether there are creatures.
    * `stay`: whether an episode goes on where the last one ended, if that was in this world with these options; default
      False. Such a task says where its life began, and not where it stands.
    * `server`: `"HOST:PORT"` of a server to play on in real time, instead of the embedded world. Its world is as it is,
      so `world` has no meaning there, and the other options on the world are refused. `username`: the player's name.
      `version`: the protocol's, such as `"1.20.4"`, if the server is not to be asked. `account`: the e-mail address of
      an account of one's own, for a server that wants one.
    """

    title = "The Minecraft world"
    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"]}  # noqa: RUF012  # gymnasium declares it so
    option_names = ("world", "goal", "stay", *WORLD_OPTIONS, *SERVER_OPTIONS)
    saved = ("_moment",)

    def __init__(
        self, *, render_mode: str | None = None, image_size: Sequence[int] = (160, 256), **defaults: Any
    ) -> None:
        """Create the environment; node is started by the first `reset`.

        Args:
            render_mode: None, `"ansi"`, or `"rgb_array"` for pictures of what the bot sees whose turn it is.
            image_size: Height and width of a picture.
            defaults: Options of `reset`.

        Raises:
            ConfigError: an option is not known, or pictures have no possible size.
        """
        if len(image_size) != 2 or not all(type(one) is int and 8 <= one <= 1024 for one in image_size):
            raise ConfigError(f"A picture of the Minecraft world is 8 to 1024 points high and wide: {image_size!r}.")
        self._height, self._width = image_size
        super().__init__(max_text=100_000, max_action=20_000, render_mode=render_mode, defaults=defaults)
        self.game = MinecraftGame()
        """The node process, for collectors and tests; agents may not look into it."""
        self._planner: Planner | None = None
        self._moment: MinecraftMoment | None = None

    @property
    def moment(self) -> MinecraftMoment:
        """Where the episode stands; collectors may look into it, agents may not."""
        return require_reset(self._moment)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin in a world; see the class for the options.

        Raises:
            ConfigError: an option is not known or has no possible value.
            GoalError: a condition is none of this world.
            InstallError: the world is not installed; the message holds the command.
            ForeignRuntimeError: the node process does not start or answer.
        """
        given = self.begin(seed, options)
        world = given.get("world")
        drawn = int(self.np_random.integers(2**31))
        asked = given.get("goal") or {}
        goals = read_goals(tuple(asked.get("conditions") or ()))
        options_ = world_options(given)
        server = read_server(given)
        if server is not None and options_:
            raise ConfigError(f"A server decides itself over {', '.join(options_)}: leave that out with 'server'.")
        self.game.play_on(server)
        number = whole_option("world", drawn if world is None else world, 0, 2**31 - 1)
        stays = flag_option("stay", given.get("stay") or False) and self.game.stands(number, options_)
        team = self.moment.team if stays else self.game.begin(number, options_)
        if self._planner is None or self._planner.rules is not self.game.rules:
            self._planner = Planner(self.game.rules)
        work = tuple(remaining(self._planner, goal, together(team)) for goal in goals)
        self._moment = MinecraftMoment(team, team, goals, work, graph_of(team))
        return self.text(), self._info({"graph": self._moment.graph.to_json()})

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Let the bot whose turn it is, or the one that is named, do what a sentence asks for.

        Returns:
            Observation, reward (the change in progress), terminated (the goal is reached), truncated (always False;
            `TimeLimit` does that), info.

        Raises:
            ForeignRuntimeError: the node process is gone, or does not answer.
        """
        before = self.moment
        if self.over:
            self._moment = before._replace(refused=_OVER, failed=None, said=())
            return self.text(), 0.0, True, False, self._info({"changes": []})
        progress = self.progress
        named, asked = read_actor(action)
        actor = before.turn if named is None else named
        if actor >= len(before.team):
            last = len(before.team) - 1
            acted = Acted(before.seen, f"there is no <char{actor}>, the last character here is <char{last}>", None)
            said: tuple[str, ...] = ()
        else:
            acted, said = self._act(asked, actor)
        turn = before.turn if acted.refused else (actor + 1) % len(before.team)
        team = acted.team or before.team
        graph = graph_of(team)
        vain = (*before.vain, (actor, normalise(asked))) if acted.failed else before.vain if acted.refused else ()
        self._moment = before._replace(
            team=team, turn=turn, refused=acted.refused, failed=acted.failed, graph=graph, said=said, vain=vain
        )
        facts = {"changes": before.graph.changes_to(graph), "nodes": before.graph.nodes_new_in(graph)}
        info = self._info(facts)
        if len(team) > 1 and actor < len(team):
            info["actor"] = character_id(actor)
        return self.text(), self.progress - progress, self.over, False, info

    @property
    def progress(self) -> float:
        """How much of the goal is reached, in [0, 1]: the mean over its conditions, each by the work that is left."""
        moment = self.moment
        if not moment.goals:
            return 0.0
        return sum(map(self._reached, moment.goals, moment.work)) / len(moment.goals)

    @property
    def over(self) -> bool:
        """Whether the goal is reached."""
        moment = self.moment
        return bool(moment.goals) and all(self._measured(goal) >= 1 for goal in moment.goals)

    def text(self) -> str:
        """Return what is perceived, after what just happened."""
        moment = self.moment
        failed = [f"It was in vain: {moment.failed}."] if moment.failed else []
        you = [f"You are char{moment.turn}."] if len(moment.team) > 1 else []
        lines = [*failed, *moment.said, *you, *moment.seen["news"], describe(moment.seen)]
        return explain(moment.refused, "\n".join(lines))

    def render(self) -> Any:
        """Return the text, or what is seen as a picture, uint8, `[height, width, 3]`, by the render mode."""
        if self.render_mode != "rgb_array":
            return super().render()
        return self.game.frame(self.moment.turn, self._height, self._width)

    def actions(self) -> tuple[str, ...]:
        """Return what the rules allow the bot whose turn it is, which is named where there are several."""
        moment = self.moment
        wanted = [goal.thing for goal in moment.goals if goal.kind == "placed"]
        tools = [goal.thing for goal in moment.goals if goal.kind == "used" and goal.thing not in self.game.rules.armor]
        found = () if self.over else admissible(moment.seen, self.game.rules, wanted, tools)
        return tuple(f"<char{moment.turn}> {one}" for one in found) if len(moment.team) > 1 else found

    def fact_graph(self) -> FactGraph:
        """Return what holds now as a graph (`graph`)."""
        return self.moment.graph

    def work(self, condition: Mapping[str, Any]) -> float:
        """Return how much work a condition is from here, in actions, roughly; infinity where no way is known."""
        return remaining(require_reset(self._planner), read_goal(condition), together(self.moment.team))

    def model(self) -> MinecraftModel:
        """Return the present episode as a search sees it (`pathei.envs.model.model_of`).

        Raises:
            SnapshotError: it is a server's world.
        """
        self.game.require_saving()
        return MinecraftModel(self, self._info({}), require_reset(self._planner))

    def snapshot(self) -> MinecraftSnapshot:
        """Return the present state: the world's, kept in the node process, and the episode's.

        Raises:
            SnapshotError: it is a server's world.
        """
        require_reset(self._moment)
        return MinecraftSnapshot(self.game.save(), self.save_fields())

    def restore(self, state: MinecraftSnapshot, /) -> None:
        """Go back to a state.

        Raises:
            SnapshotError: the node process that kept it is gone.
        """
        self.game.go_back(state.world)
        self.load_fields(state.fields)

    def close(self) -> None:
        """End the node process."""
        self.game.close()

    def _act(self, action: str, bot: int) -> tuple[Acted, tuple[str, ...]]:
        """Let a bot act; return what that led to, and what a program said."""
        if not is_program(action):
            acted = self.game.act(normalise(action), bot)
            unknown = acted.refused is not None and acted.refused.endswith(_NO_ACTION)
            return acted._replace(refused=unknown_form(action)) if unknown else acted, ()
        team = self.moment.team
        acted = Acted(team[bot], None, None, team)

        def act(asked: str) -> Acted:
            nonlocal acted
            acted = self.game.act(normalise(asked), bot)
            return acted

        ran = run_program(action, team[bot], act)
        quiet = [*acted.team]
        quiet[bot] = {**quiet[bot], "news": []}  # it is among what was said
        return Acted(quiet[bot], None, ran.failed, tuple(quiet)), ran.said

    def _measured(self, goal: MinecraftGoal) -> float:
        return measure_team(goal, self.moment.team, self.moment.begun)

    def _reached(self, goal: MinecraftGoal, work: float) -> float:
        moment = self.moment
        measured = self._measured(goal)
        if measured >= 1 or self._planner is None or not 0 < work < math.inf:
            return measured
        left = remaining(self._planner, goal, together(moment.team))
        return min(0.99, max(0.0, 1 - left / work))

    def _info(self, facts: dict[str, Any]) -> dict[str, Any]:
        info: dict[str, Any] = {"actions": self.actions(), "facts": facts}
        if self.moment.goals:
            info |= {"success": self.over, "progress": self.progress}
        if len(self.moment.team) > 1:
            info["character"] = character_id(self.moment.turn)
        if self.moment.refused:
            info["error"] = self.moment.refused
        if self.moment.failed:
            info["failed"] = self.moment.failed
        return info


def world_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the world, checked, in a fixed order.

    Raises:
        ConfigError: one has no possible value.
    """
    options = {name: given[name] for name in WORLD_OPTIONS if given.get(name) is not None}
    for name, low, high in (("time", 0, 23_999), ("food", 0, 20), ("characters", 1, _MOST_CHARACTERS)):
        if name in options:
            whole_option(name, options[name], low, high)
    for name in ("daylight", "keep_inventory", "spawn_mobs"):
        flag_option(name, options.get(name, True))
    for name, choices in _CHOICES.items():
        if options.get(name, choices[0]) not in choices:
            raise ConfigError(
                f"The option {name!r} of the Minecraft world is one of {', '.join(choices)}, not {options[name]!r}."
            )
    for name in ("worn", "creatures"):
        listed = options.get(name, ())
        if not isinstance(listed, list | tuple) or len(listed) > _MOST_CHARACTERS or not all(map(_is_name, listed)):
            raise ConfigError(
                f"The option {name!r} of the Minecraft world is a list of at most {_MOST_CHARACTERS} names, "
                f"not {listed!r}."
            )
    held = options.get("inventory", {})
    if not isinstance(held, Mapping) or not all(
        isinstance(name, str) and type(count) is int and 0 < count <= 64 for name, count in held.items()
    ):
        raise ConfigError(f"The option 'inventory' of the Minecraft world is {{THING: 1 to 64}}, not {held!r}.")
    return options


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def flag_option(name: str, value: Any) -> bool:
    """Return an option that is true or false.

    Raises:
        ConfigError: it is neither.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"The option {name!r} of the Minecraft world is true or false, not {value!r}.")
    return value


def whole_option(name: str, value: Any, low: int, high: int) -> int:
    """Return an option that is a whole number.

    Raises:
        ConfigError: it is none, or out of range.
    """
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(
            f"The option {name!r} of the Minecraft world is a whole number from {low} to {high}, not {value!r}."
        )
    return value
