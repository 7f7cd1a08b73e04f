"""The shop as a gymnasium environment: `pathei/WebShop-v0`.

Actions are WebShop's, `search[words]` and `click[what is written there]`, and so are its pages, goals and reward, which
is earned by `click[buy now]` alone and ends the episode. Unlike WebShop's own environment the goals are the same in
every process, choices can be seen, and a moment can be saved. Reading the same pages through a browser is in `site`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...errors import ConfigError, unknown
from ..documents.queries import queries
from ..facts import ConditionJson, FactGraph, parse_conditions
from ..facts.contradictions import require_possible
from ..facts.goals import progress
from ..graph_goals import parts_of
from ..text_env import TextEnv, explain, require_reset
from .goals import NO_LIMIT, ShopGoal, read_goal
from .graph import graph_at
from .model import ShopModel
from .pages import START, ShopPage, ShopPages, show_page, show_plainly
from .reward import Nouns, Reward, plain_nouns, reward
from .shops import GENERATED, Shop, shop_named

_FORMS: Final = frozenset({"node", "from", "not"})
_STYLES: Final = {"rich": show_page, "plain": show_plainly}


class ShopEpisode(NamedTuple):
    """What does not change in an episode."""

    pages: ShopPages
    goal: ShopGoal
    searches: tuple[str, ...]
    """Searches that the instruction suggests, as actions."""
    style: str
    conditions: tuple[ConditionJson, ...] = ()
    """Those of a goal of `graph`, which stands in for what `goal` asks for; else none."""


class WebShopEnv(TextEnv[str]):
    """The shop; see the head of this file, and `docs/guide/envs/shop.md`.

    `reset(seed, options)` takes these options, each of which may also be given to the constructor as the default:

    * `catalogue`: `"generated"` (default), `"generated:SEED"`, `"generated:SEED:PRODUCTS"`, or a folder with WebShop's
      own files.
    * `goal`: `{"text", "conditions"}` with one condition as `ShopGoal.condition` writes it, or conditions on the graph
      of `graph`, whose change of progress is the reward. Without it:
    * `goals`: `"human"` (default) or `"synthetic"`; `split`: `"train"` (default), `"dev"`, `"test"` or `"all"`;
      `number`: which goal of the split. Without a number one follows from the seed.
    * `style`: `"rich"` (default) or `"plain"`, as WebShop's modes `text_rich` and `text`.
    * `show_attributes`: whether an item has a page of its attributes; default False, as in WebShop.

    `info["actions"]` lists the clicks of the page and, on the search page, searches that the instruction suggests; any
    other search is as good, on any page. `info["progress"]` is the reward earned, `info["facts"]` the place and, after
    a reset, the goal.
    """

    title = "The shop"
    option_names = ("catalogue", "goals", "split", "number", "style", "show_attributes", "goal")
    saved = ("_episode", "place", "_error", "_reward")

    snapshot, restore = TextEnv.save_fields, TextEnv.load_fields

    def __init__(self, *, nouns: Nouns = plain_nouns, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; no catalogue is read before `reset`.

        Args:
            nouns: Finds the nouns of titles for the reward; see `reward.spacy_nouns`.
            render_mode: None or `"ansi"`.
            defaults: Options of `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(render_mode=render_mode, defaults=defaults)
        self._nouns = nouns
        self._episode: ShopEpisode | None = None
        self.place = START
        """Where the buyer is."""
        self._error: str | None = None
        self._reward: Reward | None = None

    @property
    def episode(self) -> ShopEpisode:
        """The present episode; collectors may look into it, agents may not."""
        return require_reset(self._episode)

    def model(self) -> ShopModel:
        """Return the present episode as a search sees it (`pathei.envs.model.model_of`)."""
        return ShopModel(self)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin at the search page; see the class for the options.

        Raises:
            ConfigError: an option is not known or has no possible value.
            DataError: the catalogue cannot be read.
            GoalError: the goal does not fit the catalogue, or its conditions contradict each other.
            MissingDependencyError: the packages of the extra `shop` are not installed.
        """
        self._episode = self._begin(self.begin(seed, options))
        self.go(START)
        goal = self._episode.goal
        if self._episode.conditions:
            require_possible(self.fact_graph(), self._episode.conditions)
        asked = {"conditions": list(self._episode.conditions)} if self._episode.conditions else goal.condition()
        return self.text(), self._info({"goal": asked, **self._where()})

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Search or click.

        Returns:
            Observation, reward (in [0, 1], for buying), terminated (something was bought), truncated (always False;
            `TimeLimit` does that), info.
        """
        moved = self.scroll(action, self._written)
        if moved is not None:
            self._error = moved or None
        earned = self.act(action) if moved is None else 0.0
        return self.text(), earned, self.over, False, self._info(self._where())

    def act(self, action: str) -> float:
        """Do what `step` does, without describing the result, and return the reward."""
        following = self.episode.pages.follow(self.place, action)
        if isinstance(following, str):
            self._error = following
            return 0.0
        before = self.progress if self.episode.conditions else 0.0
        self.go(following)
        return self.progress - before

    @property
    def progress(self) -> float:
        """The reward earned, or how far the conditions of a goal of `graph` are."""
        conditions = self.episode.conditions
        if conditions:
            return progress(graph_at(self.place, self.episode.pages.catalogue), conditions)
        return 0.0 if self._reward is None else self._reward.total

    @property
    def over(self) -> bool:
        """Whether something was bought, or a goal of `graph` is reached."""
        return self.place.page == "done" or bool(self.episode.conditions and self.progress == 1.0)

    def fact_graph(self) -> FactGraph:
        """Return what holds now as a graph (`graph`)."""
        return graph_at(self.place, self.episode.pages.catalogue, whole=True)

    def go(self, place: ShopPage) -> None:
        """Be at a place; at the last page, the reward for what was bought is worked out."""
        self.place, self._error, self._reward = place, None, None
        if place.page == "done" and not self.episode.conditions:
            self._reward = self.judge(place)

    def judge(self, place: ShopPage) -> Reward:
        """Return what buying the product of a place, with the options chosen there, earns."""
        episode = self.episode
        catalogue = episode.pages.catalogue
        bought, wanted = catalogue.by_asin[place.asin], catalogue.by_asin[episode.goal.asin]
        chosen = [value for _, value in place.options]
        return reward(bought, chosen, catalogue.price(bought), episode.goal, wanted, self._nouns)

    def actions(self) -> tuple[str, ...]:
        """Return the clicks of this page, and on the search page the searches that the instruction suggests."""
        if self.over:
            return ()
        clicks = self.episode.pages.sheet(self.place).actions
        return self.episode.searches if self.place.page == "search" else clicks

    def _begin(self, given: Mapping[str, Any]) -> ShopEpisode:
        style = given.get("style", "rich")
        if style not in _STYLES:
            raise ConfigError(str(unknown("style of the shop's text", str(style), _STYLES)))
        shop = shop_named(str(given.get("catalogue", GENERATED)))
        shop.prepare()
        pages = shop.pages(show_attributes=bool(given.get("show_attributes", False)))
        asked = given.get("goal")
        conditions = tuple(asked.get("conditions") or ()) if isinstance(asked, Mapping) else ()
        if any(isinstance(one, Mapping) and _FORMS & one.keys() for one in conditions):
            parse_conditions(conditions)
            goal = ShopGoal("", str((asked or {}).get("text", "")), (), (), NO_LIMIT)
            named = [part.things[-1] for part in parts_of(conditions) if part.things]
            sold = [product.query for product in shop.catalogue.products[:3]]
            words = ", ".join([one for one in named if shop.catalogue.search(one)] or sold)
        else:
            conditions, goal = (), self._goal(given, shop)
            words = goal.text
        return ShopEpisode(pages, goal, tuple([f"search[{one}]" for one in queries(words)]), style, conditions)

    def _goal(self, given: Mapping[str, Any], shop: Shop) -> ShopGoal:
        asked = given.get("goal")
        if isinstance(asked, Mapping) and asked.get("conditions"):
            return read_goal(asked.get("text", ""), asked["conditions"][0], shop.catalogue)
        goals, split = shop.goals(str(given.get("goals", "human"))), str(given.get("split", "train"))
        listed = goals.all if split == "all" else goals.split(split)
        return self.numbered(given, listed)

    def text(self) -> str:
        """Return the page as text, or the part of a long one that is looked at."""
        return explain(self._error, self.fitted(self._written()))

    def _written(self) -> str:
        episode = self.episode
        text = _STYLES[episode.style](self.place, episode.goal.text, episode.pages.sheet(self.place))
        if self._reward is not None:
            text = f"{text.rstrip()}\nYour score (min 0.0, max 1.0): {self._reward.total:.3f}\n"
        return text

    def _where(self) -> dict[str, Any]:
        page, query, number, asin, options, _ = self.place
        return {"page": page, "query": query, "number": number, "asin": asin, "options": dict(options)}

    def _info(self, facts: dict[str, Any]) -> dict[str, Any]:
        earned, reached = self._reward, self.progress
        info: dict[str, Any] = {
            "actions": self.actions() + self.scrolling(),
            "facts": facts,
            "success": reached == 1.0,
            "progress": reached,
        }
        if earned is not None:
            info["parts"] = {"kind": earned.kind, "attributes": earned.attributes, "options": earned.options}
        if self._error:
            info["error"] = self._error
        return info
