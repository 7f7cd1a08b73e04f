"""Navigating and searching documents as a gymnasium environment: `pathei/Docs-v0`.

A question is asked whose answer stands somewhere in a collection of linked pages: Python's standard library as it
describes itself (embedded), or any folder of HTML. One searches, follows links, scrolls, and answers once; a right
answer earns 1. Reading the same pages through a browser is in `site`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ...errors import DataError, GoalError
from ..facts import ConditionJson, FactGraph, parse_conditions
from ..facts.contradictions import require_possible
from ..facts.goals import progress
from ..graph_goals import parts_of
from ..text_env import TextEnv, explain, require_reset
from .collection import NOWHERE, DocsQuestion, normalise
from .graph import graph_at
from .queries import queries
from .screens import START, STDLIB, DocsReader, reader_named

_COUNTS: Final = tuple(str(number) for number in range(1, 21))


class DocsEpisode(NamedTuple):
    """What does not change in an episode."""

    reader: DocsReader
    question: DocsQuestion
    searches: tuple[str, ...]
    """Searches that the question suggests, as actions."""
    conditions: tuple[ConditionJson, ...] = ()
    """Those of a goal of `graph`, which stands in for the question; else none."""


class DocsEnv(TextEnv[str]):
    """The documents; see the head of this file, and `docs/guide/envs/documents.md`.

    `reset(seed, options)` takes these options, each of which may also be given to the constructor as the default:

    * `collection`: `"stdlib"` (default) or a folder of HTML.
    * `goal`: `{"text", "conditions"}` with one condition as `DocsQuestion.condition` writes it, or conditions on the
      graph of `graph`. Without it a question of the collection follows from the seed, or is named by `number`.
    * `digest`: the digest of the collection that the goal was made for; another one is refused.

    `info["actions"]` lists the links and names on the screen, as clicks and answers, and on the first page searches
    that the question suggests; any other search or answer is as good, anywhere. `info["facts"]` holds the page and,
    after a reset, the question's answers.
    """

    title = "The documents environment"
    option_names = ("collection", "number", "digest", "goal")
    saved = ("_episode", "place", "_error")

    snapshot, restore = TextEnv.save_fields, TextEnv.load_fields

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; no collection is read before `reset`.

        Raises:
            ConfigError: an option is not known.
        """
        super().__init__(render_mode=render_mode, defaults=defaults)
        self._episode: DocsEpisode | None = None
        self.place = START
        """Where in the collection the reader is; collectors may look into it, agents may not."""
        self._error: str | None = None

    @property
    def episode(self) -> DocsEpisode:
        """The present episode; collectors may look into it, agents may not."""
        return require_reset(self._episode)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin at the first page; see the class for the options.

        Raises:
            ConfigError: an option is not known or has no possible value.
            DataError: the collection cannot be read, has no questions, or is another than the goal was made for.
            GoalError: the goal is no question, or its conditions contradict each other.
            MissingDependencyError: the packages of the extra `shop`, which has the search, are not installed.
        """
        self._episode = episode = self._begin(self.begin(seed, options))
        self.place, self._error = START, None
        asked = {"answers": list(episode.question.answers)} if not episode.conditions else {}
        if episode.conditions:
            require_possible(self.fact_graph(), episode.conditions)
        return self.text(), self._info({**asked, **self._where()})

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Read on, or answer.

        Returns:
            Observation, reward (1 for the right answer, or for reaching a goal of `graph`), terminated (an answer was
            given, or that goal reached), truncated (always False; `TimeLimit` does that), info.
        """
        following = self.episode.reader.follow(self.place, action)
        if isinstance(following, str):
            self._error = following
            return self.text(), 0.0, self.over, False, self._info(self._where())
        before = self.progress if self.episode.conditions else 0.0
        self.place, self._error = following, None
        return self.text(), self.progress - before, self.over, False, self._info(self._where())

    @property
    def right(self) -> bool:
        """Whether the right answer was given, or a goal of `graph` is reached."""
        return self.progress == 1.0

    @property
    def progress(self) -> float:
        """1 for the right answer; or how far the conditions of a goal of `graph` are."""
        place, episode = self.place, self.episode
        if episode.conditions:
            return progress(graph_at(place, episode.reader.collection), episode.conditions)
        return float(place.answer is not None and normalise(place.answer) in episode.question.answers)

    @property
    def over(self) -> bool:
        """Whether an answer was given, or a goal of `graph` is reached."""
        return self.place.answer is not None or bool(self.episode.conditions and self.right)

    def fact_graph(self) -> FactGraph:
        """Return what holds now as a graph (`graph`)."""
        return graph_at(self.place, self.episode.reader.collection, whole=True)

    def _begin(self, given: Mapping[str, Any]) -> DocsEpisode:
        reader = reader_named(str(given.get("collection", STDLIB)))
        collection = reader.collection
        if given.get("digest") not in (None, collection.digest):
            raise DataError(
                f"The goal was made for the collection {given['digest']}, and {collection.name} here is "
                f"{collection.digest} (another version): generate the tasks again."
            )
        # At once, and not at the first search, where it is too late to say what is not installed.
        _ = collection.index
        asked = given.get("goal")
        conditions = tuple(asked.get("conditions") or ()) if isinstance(asked, Mapping) else ()
        if any(isinstance(one, Mapping) and one.keys() & {"from", "node", "not"} for one in conditions):
            parse_conditions(conditions)
            question = DocsQuestion(str(asked.get("text", "")) if asked else "", (), "")
            words = ", ".join(part.things[-1] for part in parts_of(conditions) if part.things)
        else:
            conditions, question = (), self._question(given, reader)
            words = question.text
        return DocsEpisode(reader, question, tuple([f"search[{one}]" for one in queries(words)]), conditions)

    def _question(self, given: Mapping[str, Any], reader: DocsReader) -> DocsQuestion:
        asked, questions = given.get("goal"), reader.collection.questions
        if isinstance(asked, Mapping) and asked.get("conditions"):
            return _read_question(asked)
        if not questions:
            raise DataError(f"The collection {reader.collection.name} suggests no questions: give one as the goal.")
        return self.numbered(given, questions)

    def text(self) -> str:
        """Return the screen as text."""
        episode, place = self.episode, self.place
        text = f"{'Goal' if episode.conditions else 'Question'}: {episode.question.text}\n"
        if place.answer is not None:
            text += f"You answered: {place.answer}"
        else:
            screens = episode.reader.screens(place)
            text += f"Screen {place.screen + 1} of {len(screens)}\n{screens[place.screen].text}"
        return explain(self._error, text)

    def _actions(self) -> tuple[str, ...]:
        episode, place = self.episode, self.place
        if self.over:
            return ()
        screens = episode.reader.screens(place)
        links, answers = screens[place.screen].links, screens[place.screen].answers
        if episode.question.text.startswith("How many"):
            answers = _COUNTS
        elif place.page != NOWHERE:
            answers = (episode.reader.collection.pages[place.page].title, *answers)
        first = {link.target: link.number for link in reversed(links)}
        moves = [
            *(["back"] if place.came is not None else []),
            *(["scroll[down]"] if place.screen + 1 < len(screens) else []),
            *(["scroll[up]"] if place.screen else []),
        ]
        at_home = place.page == 0 and place.screen == 0
        answering = place.page not in (0, NOWHERE) and not episode.conditions
        return (
            *(episode.searches if at_home else ()),
            *moves,
            *[f"click[{number}]" for number in reversed(first.values())],
            *[f"answer[{answer}]" for answer in dict.fromkeys(answers if answering else ())],
        )

    def _where(self) -> dict[str, Any]:
        place = self.place
        page = "" if place.page == NOWHERE else self.episode.reader.collection.pages[place.page].path
        return {"page": page, "query": place.query, "screen": place.screen}

    def _info(self, facts: dict[str, Any]) -> dict[str, Any]:
        reached = self.progress
        info: dict[str, Any] = {
            "actions": self._actions(),
            "facts": facts,
            "success": reached == 1.0,
            "progress": reached,
        }
        if self._error:
            info["error"] = self._error
        return info


def _read_question(goal: Mapping[str, Any]) -> DocsQuestion:
    condition = goal["conditions"][0]
    answers = condition.get("answer") if isinstance(condition, Mapping) else None
    if not isinstance(answers, list | tuple) or not answers or not all(isinstance(one, str) for one in answers):
        raise GoalError(f"A condition of the documents is {{'answer': ['right', ...]}}, not {condition!r}.")
    return DocsQuestion(str(goal.get("text", "")), tuple(map(normalise, answers)), str(condition.get("page", "")))
