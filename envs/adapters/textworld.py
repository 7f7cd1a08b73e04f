"""TextWorld's games: `pathei/TextWorld-v0`. Snapshots are its own `copy()`.

A game is generated from a seed (Inform 7 compiles it in seconds; it is kept in the cache folder), or is a `.z8` or
`.ulx` file of yours. Not here: TextWorld's other front ends.
"""

from __future__ import annotations

import copy
import os
import re
import tempfile
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Final

from ... import data
from ...errors import ConfigError
from ...experience import Goal, Task
from ...extras import needed_by
from ..contract import Requirement
from ..facts import ConditionJson, FactGraph
from ..facts.contradictions import require_possible
from ..facts.goals import progress, satisfied
from ..text_env import TextEnv, explain, require_reset
from .textworld_graph import conditions_of, read_facts

ENV: Final = "pathei/TextWorld-v0"
_ATTEMPTS: Final = 20
_STRIDE: Final = 7_919
_PROMPT: Final = re.compile(r"\s*>\s*-= .*$", re.DOTALL)
_NOT_UNDERSTOOD: Final = (
    "That's not a verb I recognise",
    "You can't see any such thing",
    "I didn't understand",
    "I only",
)


class TextWorldEnv(TextEnv[str]):
    """A game of TextWorld.

    Options of `reset`:

    * `game`: `"generated:7"`, or the path of a game file; without one, a game is generated from the seed.
    * `rooms`, `objects`, `quest`: the size of a generated game, and how many steps its quest has.
    * `goal`: `{"text", "conditions"}`. One that states the game's own objective is judged by the game, any other by its
      conditions, on the graph of `textworld_graph`; winning the game ends the episode in any case.

    The reward is the change in progress: the score over the highest score, or how far the conditions are.
    `info["facts"]` holds the game's own facts under `"facts"`, and the graph or what changed in it as
    `pathei.envs.facts` describes.
    """

    title = "TextWorld"
    option_names = ("game", "rooms", "objects", "quest", "goal")

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; options given here are the defaults of `reset`.

        Raises:
            MissingDependencyError: TextWorld is not installed.
            ConfigError: an option is not known.
        """
        _textworld()
        super().__init__(max_text=100_000, max_action=1_000, render_mode=render_mode, defaults=defaults)
        self._path: Path | None = None
        self._game: Any = None
        self._state: Any = None
        self._text, self._score, self._over = "", 0.0, True
        self._graph: FactGraph | None = None
        self._conditions: tuple[ConditionJson, ...] = ()

    def fact_graph(self) -> FactGraph:
        """Return what holds now as a graph; not to be changed."""
        return require_reset(self._graph)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin a game; see the class for the options.

        Raises:
            ConfigError: an option is not known, or the file is no game.
            GoalError: the goal's conditions are malformed or contradict each other.
        """
        given = self.begin(seed, options)
        name = given.get("game") or f"generated:{int(self.np_random.integers(2**31))}"
        path = game_file(str(name), **{key: int(given[key]) for key in ("rooms", "objects", "quest") if key in given})
        if path != self._path or self._game is None:
            self._game, self._path = _start(path), path
        self._state = self._game.reset()
        self._text, self._over = _clean(self._state["feedback"], first=True), False
        self._graph = graph = read_facts(self._state["facts"])
        goal, objective = given.get("goal") or {}, str(self._state["objective"])
        own = " ".join(str(goal.get("text", "")).split()) == " ".join(objective.split())
        self._conditions = () if own else tuple(goal.get("conditions") or ())
        require_possible(graph, self._conditions)
        if self._conditions:
            self._text = _replace_words(self._text, objective, str(goal["text"]))
        self._score = 0.0
        info = self._info({"graph": graph.to_json()})
        self._score = info["progress"] if self._conditions else 0.0
        return self.text(), info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Give a command."""
        if self._over:
            error = "The game is over."
            return error, 0.0, True, False, {**self._info({"changes": []}), "error": error}
        moved = self.scroll(action, lambda: self._text)
        if moved is not None:
            info = self._info({"changes": []}) | ({"error": moved} if moved else {})
            return explain(moved, self.fitted(self._text)), 0.0, False, False, info
        # Newlines would be several commands.
        self._state, _, done = self._game.step(" ".join(action.split()) or "(nothing)")
        before, self._graph = self.fact_graph(), read_facts(self._state["facts"])
        self._text = _clean(self._state["feedback"])
        shown = self.text()
        self._over = bool(done) or bool(self._conditions and satisfied(self._graph, self._conditions))
        facts: dict[str, Any] = {"changes": before.changes_to(self._graph)}
        if nodes := before.nodes_new_in(self._graph):
            facts["nodes"] = nodes
        info = self._info(facts)
        reward, self._score = info["progress"] - self._score, info["progress"]
        if self._text.startswith(_NOT_UNDERSTOOD):
            info["error"] = self._text
        return shown, reward, self._over, False, info

    def text(self) -> str:
        """Return what the game wrote last."""
        return self.fitted(self._text)

    def state_key(self) -> Hashable:
        """Return what decides how the game goes on: its facts and its score, not what it wrote last."""
        return frozenset(map(str, self._state["facts"])), self._state["score"], self._over

    def snapshot(self) -> Any:
        """Return the present state: a copy of the game."""
        held = self._path, self._game.copy(), self._state, self._text, self._score, self._over, self._graph
        return *held, self._conditions, self.np_random.bit_generator.state

    def restore(self, state: Any, /) -> None:
        """Go back to a state."""
        self._path, game, self._state, self._text, self._score, self._over, *held, random_state = state
        self._graph, self._conditions = held
        self._game, self.np_random.bit_generator.state = game.copy(), random_state

    def close(self) -> None:
        """End the interpreter."""
        if self._game is not None:
            self._game.close()
            self._game = None

    def _info(self, facts: dict[str, Any]) -> dict[str, Any]:
        state = self._state
        won, reached = bool(state["won"]), min(1.0, max(0.0, (state["score"] or 0) / (state["max_score"] or 1)))
        if self._conditions:
            won = satisfied(self.fact_graph(), self._conditions)
            reached = progress(self.fact_graph(), self._conditions)
        return {
            "actions": () if self._over else (*state["admissible_commands"], *self.scrolling()),
            "success": won,
            "progress": reached,
            "facts": {"facts": sorted(map(str, state["facts"])), **facts},
        }


def game_file(name: str, *, rooms: int = 4, objects: int = 8, quest: int = 4) -> Path:
    """Return the file of a game, generating it if need be.

    Raises:
        ConfigError: the name is neither `"generated:NUMBER"` nor a file.
        MissingDependencyError: TextWorld is not installed.
    """
    kind, _, number = name.partition(":")
    if kind != "generated":
        if not Path(name).is_file():
            raise ConfigError(f"There is no game {name!r}: say 'generated:7', or name a .z8 or .ulx file.")
        return Path(name)
    if not number.isdecimal():
        raise ConfigError(f"A generated game has a number, as in 'generated:7'; {name!r} has none.")
    final = data.root() / "textworld" / f"r{rooms}-o{objects}-q{quest}-{number}.z8"
    if not final.exists():
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=final.parent) as staging:
            _make(Path(staging) / final.name, int(number), rooms, objects, quest)
            # The game is whole once the .z8 is there, so what describes it goes first.
            for end in (".json", ".z8"):
                made = Path(staging) / final.with_suffix(end).name
                os.replace(made, final.with_suffix(end))
    return final


def _make(path: Path, number: int, rooms: int, objects: int, quest: int) -> None:
    """Generate and compile a game; not every seed has a quest of every length, so the next ones are tried."""
    textworld = _textworld()
    from textworld.generator import QuestGenerationError  # type: ignore[import-untyped]

    for attempt in range(_ATTEMPTS):
        options = textworld.GameOptions()
        options.nb_rooms, options.nb_objects, options.seeds = rooms, objects, (number + attempt * _STRIDE) % 2**32
        options.quest_length = quest
        options.path = str(path)
        try:
            textworld.make(options)
            return
        except QuestGenerationError:
            continue
    raise ConfigError(f"No game of {rooms} rooms and {objects} objects has a quest of {quest} steps: ask for less.")


def generate_tasks(n: int, seed: int) -> list[Task]:
    """Return generated games, each with its objective as the goal."""
    found = []
    for number in range(seed * 1_000, seed * 1_000 + n):
        name = f"generated:{number}"
        path = game_file(name)
        game = _start(path)
        start = game.reset()
        objective = " ".join(str(start["objective"]).split())
        game.close()
        conditions = _quest_conditions(path, start["facts"])
        found.append(Task(f"textworld:{number}", ENV, 0, Goal(objective, conditions), {"game": name}))
    return found


def _quest_conditions(path: Path, start: Sequence[Any]) -> tuple[ConditionJson, ...]:
    """Return what a generated game's quests end with and what does not hold at the start, as conditions."""
    from textworld.generator.game import Game  # type: ignore[import-untyped]

    game = Game.load(str(path.with_suffix(".json")))
    held = set(map(str, start))
    wanted: dict[str, Any] = {}
    for quest in game.quests:
        for event in quest.win_events[:1]:
            # TextWorld keeps propositions and shares them, so a copy gets the names of things.
            for proposition in copy.deepcopy(event.condition.preconditions):
                for variable in proposition.arguments:
                    if variable.name in game.infos:
                        variable.name = game.infos[variable.name].name or variable.name
                if str(proposition) not in held:
                    wanted[str(proposition)] = proposition
    # Where the player stands matters only if nothing else does.
    others = [one for one in wanted.values() if one.name != "at" or one.arguments[0].type != "P"]
    return conditions_of(others or wanted.values())


def demonstration(task: Task) -> Sequence[str]:
    """Return the commands that win, which the generator knows.

    Raises:
        ConfigError: the game does not know them: it was not made by TextWorld.
    """
    sizes = {key: int(task.options[key]) for key in ("rooms", "objects", "quest") if key in task.options}
    game = _start(game_file(str(task.options["game"]), **sizes))
    commands = list(game.reset()["policy_commands"] or ())
    game.close()
    if not commands:
        raise ConfigError(f"The game of {task.id!r} does not know how it is won.")
    return commands


def check_textworld() -> Sequence[Requirement]:
    """Look whether TextWorld is installed."""
    return [Requirement.packages("textworld", "textworld", extra="adapters")]


def _start(path: Path) -> Any:
    textworld = _textworld()
    wanted = textworld.EnvInfos(
        feedback=True, won=True, lost=True, score=True, max_score=True, admissible_commands=True, objective=True,
        policy_commands=True, facts=True,
    )  # fmt: skip
    try:
        return textworld.start(str(path), wanted)
    except (OSError, ValueError, NotImplementedError) as error:
        raise ConfigError(f"{path} cannot be played as a game of TextWorld ({error}).") from error


def _textworld() -> Any:
    with needed_by("The environment textworld", "adapters"):
        import textworld  # type: ignore[import-untyped]
        import textworld.envs  # type: ignore[import-untyped]
        from textworld.generator.game import Game, GameProgression

    # Every copy of a game also holds the state before the last command, which TextWorld copies by `deepcopy`, with the
    # game's definition. That never changes, and `copy` is what TextWorld does with the present progress: so a snapshot
    # takes a third of the time.
    Game.__deepcopy__ = lambda game, memo: game
    GameProgression.__deepcopy__ = lambda progress, memo: progress.copy()
    return textworld


def _replace_words(text: str, old: str, new: str) -> str:
    """Replace a sentence in a text that breaks its lines elsewhere; in front of the text if it is not there."""
    pattern = r"\s+".join(map(re.escape, old.split()))
    replaced, count = re.subn(pattern, lambda _: new, text, count=1) if pattern else (text, 0)
    return replaced if count else f"{new}\n\n{text}"


def _clean(feedback: str, *, first: bool = False) -> str:
    """Take away the banner and the status line, which are drawn with characters."""
    text = _PROMPT.sub("", feedback)
    if first:
        lines = [line for line in text.splitlines() if "$$" not in line and not set(line.strip()) <= set("|$/\\ _")]
        text = "\n".join(lines) or text
    return re.sub(r"\n{3,}", "\n\n", text).strip() or "Nothing is said."
