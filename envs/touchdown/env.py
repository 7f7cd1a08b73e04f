"""Touchdown's navigation task as a gymnasium environment: `pathei/Touchdown-v0`.

Without images, the text contains what the published setting without images knows (Schumann and Riezler 2022): the
instruction, the kind of junction, by how much one turned, how far one walked. With panoramas of your own the
observation is a dict that holds the image as well. `forward` follows the link one faces, `left` and `right` turn to the
next link, `stop` ends the episode, which is a success in the goal's panorama or in one next to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import gymnasium

from ...errors import ConfigError, DataError
from ...experience import shorten
from ..text_env import TextEnv, require_reset
from .graph import MOVES, StreetGraph
from .maps import map_named
from .panoramas import Panoramas
from .town import town_routes

ACTIONS: Final = (*MOVES, "stop")
_JUNCTIONS: Final = (
    "",
    "The street ends here.",
    "You are on a street.",
    *(f"There is a {ways}-way intersection." for ways in range(3, 9)),
)


class TouchdownEpisode(NamedTuple):
    """What does not change in an episode."""

    graph: StreetGraph
    route: tuple[int, ...]
    start: int
    """The link that is faced first."""
    text: str
    away: Sequence[int]
    """For each panorama its distance to the goal, in links."""
    near: frozenset[int]
    """Where stopping is a success."""


class TouchdownEnv(TextEnv[Any]):
    """The streets; see the head of this file, and `docs/guide/envs/touchdown.md`.

    `reset(seed, options)` takes:

    * `map`: `"town:7"` (generated), `"touchdown"` (fetched), or a folder with `nodes.txt` and `links.txt`. Without one,
      a town and a route follow from the seed.
    * `route`: the ids of the panoramas from the start to the goal. Only its ends matter here.
    * `start_heading`: in degrees; the nearest link is faced.
    * `goal`: `{"text": the instruction}`.

    The reward is the change of progress: half of it is coming nearer to the goal, in links, half is stopping there.
    `info["facts"]` holds the panorama, the heading and the distance that is left.
    """

    title = "Touchdown"
    option_names = ("map", "route", "start_heading", "goal")
    saved = ("_episode", "_link", "_steps", "_metres", "_event", "_progress", "_stopped")

    snapshot, restore = TextEnv.save_fields, TextEnv.load_fields

    def __init__(self, *, panoramas: str | Path | None = None, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; no map is read before `reset`.

        Args:
            panoramas: A folder with one equirectangular image for each panorama, `ID.jpg`; observations then hold it,
                turned so that its centre is where one faces.
            render_mode: None or `"ansi"`.
            defaults: Options of `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(max_text=20_000, max_action=1_000, render_mode=render_mode, defaults=defaults)
        self._images = None if panoramas is None else Panoramas(Path(panoramas))
        if self._images is not None:
            spaces = {"text": self.observation_space, "image": self._images.space}
            self.observation_space = gymnasium.spaces.Dict(spaces)
        self._episode: TouchdownEpisode | None = None
        self._link = self._steps = 0
        self._metres = self._progress = 0.0
        self._event = ""
        self._stopped = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Stand at a route's beginning; see the class for the options.

        Raises:
            ConfigError: an option is not known or does not fit the others.
            DataError: the map cannot be read, or lacks a panorama of the route.
        """
        self._episode = episode = self._begin(self.begin(seed, options))
        self._link, self._steps, self._metres, self._progress = episode.start, 0, 0.0, 0.0
        self._event, self._stopped = "You have not moved yet.", False
        return self._observed(), self._info(False)

    def step(self, action: str) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move, turn or stop."""
        episode = require_reset(self._episode)
        graph, link, error = episode.graph, self._link, None
        word = action if action in ACTIONS else action.strip().lower()
        if self._stopped:
            error = "You have stopped: the episode is over."
        elif word == "forward":
            now = self._link = graph.moves[0][link]
            if now == link:
                error = "You are at the edge of the map and cannot go on that way."
            else:
                self._metres += (gone := graph.metres(graph.origins[link], graph.origins[now]))
                self._event = f"You walked {gone:.0f} m{_bend(graph.headings[link], graph.headings[now])}."
        elif word in MOVES:
            now = self._link = graph.moves[MOVES.index(word)][link]
            turned = (graph.headings[now] - graph.headings[link]) % 360
            self._event = f"You turned {word} by {turned if word == 'right' else (360 - turned) % 360} degrees."
        elif word == "stop":
            self._stopped, self._event = True, "You stopped."
        else:
            error = f"{shorten(action)} is no action here: say forward, left, right or stop."
        if error is not None:
            self._event = error
        self._steps += 1
        info = self._info(self._stopped, error)
        reward = info["progress"] - self._progress
        self._progress = info["progress"]
        return self._observed(), reward, self._stopped, False, info

    def _begin(self, options: Mapping[str, Any]) -> TouchdownEpisode:
        name, route, heading = options.get("map"), options.get("route"), options.get("start_heading")
        text = ((options.get("goal") or {}).get("text")) or ""
        if route is None:
            if name is not None and not str(name).startswith("town:"):
                raise ConfigError(f"The map {name!r} has no routes of its own: name one in options['route'].")
            number = int(str(name).partition(":")[2]) if name else int(self.np_random.integers(2**31))
            name = f"town:{number}"
            generated = town_routes(number, 1)[0]
            route, heading, text = generated.panos, generated.start_heading, text or generated.text
        if name is None:
            raise ConfigError("A route needs a map: give options['map'], 'touchdown', 'town:7' or a folder.")
        graph = map_named(str(name))
        try:
            panos = tuple(graph.index[pano] for pano in route)
        except KeyError as error:
            raise DataError(f"The route's panorama {error} is not in {graph.where}.") from None
        if not panos:
            raise ConfigError("options['route'] is empty: it takes at least the panorama where one starts.")
        goal = panos[-1]
        near = frozenset({goal, *graph.neighbours(goal)})
        start = graph.facing(panos[0], float(heading or 0.0))
        return TouchdownEpisode(graph, panos, start, str(text), graph.distances(goal), near)

    def text(self) -> str:
        """Return the observation's text."""
        episode = require_reset(self._episode)
        ways = episode.graph.ways[episode.graph.origins[self._link]]
        junction = _JUNCTIONS[ways] if ways < len(_JUNCTIONS) else f"There is a {ways}-way intersection."
        return f"Instruction: {episode.text}\n{junction} {self._event} You have walked {self._metres:.0f} m in all."

    def _observed(self) -> Any:
        if self._images is None:
            return self.text()
        graph = require_reset(self._episode).graph
        pano = graph.origins[self._link]
        turned = graph.headings[self._link] - graph.yaws[pano]
        return {"text": self.text(), "image": self._images.turned(graph.panos[pano], turned)}

    def _info(self, stopped: bool, error: str | None = None) -> dict[str, Any]:
        episode = require_reset(self._episode)
        graph, link = episode.graph, self._link
        pano = graph.origins[link]
        left, whole = episode.away[pano], episode.away[episode.route[0]]
        success = stopped and pano in episode.near
        near = max(0.0, 1 - left / whole) if whole > 0 and left >= 0 else float(left == 0)
        info: dict[str, Any] = {
            "actions": ACTIONS,
            "success": success,
            "progress": 1.0 if success else near / 2,
            "facts": {"pano": graph.panos[pano], "heading": graph.headings[link], "distance": left},
        }
        if error is not None:
            info["error"] = error
        return info


def _bend(before: int, after: int) -> str:
    """Tell a bend of the street that was followed, where it is one to speak of."""
    relative = (after - before + 180) % 360 - 180
    side = "left" if relative < 0 else "right"
    return "" if abs(relative) < 20 else f", and the street bent {side} by {abs(relative)} degrees"
