"""Questions about what actions do, which only exact snapshots can answer: what changes, which is better, what if.

`next-state` asks what an action changes, an admissible one that nobody took included; `next-states` what several
change together; `contrast` which of two actions is better and why; `counterfactual` whether the episode would still
have reached its goal. Every answer is read off facts that the environment gave after doing it. Not here: playing
(`playing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ....envs.facts import HOLDS, Change, FactGraph
from ....envs.facts.graph import plain_relation
from ....envs.verbalizer import capitalised
from ....stable_random import StableRandom
from ..config import CorpusDraft
from ..episodes import CorpusEpisode
from ..words import IN, count_words, listed
from .playing import ActionOutcome, BranchPoint, RestOutcome, net_changes

_MOST_CHANGES: Final = 5
"""No answer names more of them."""
_DECOYS: Final = 3
"""The number of things that are named although no action touches them, if there is room."""
NO_CHANGE: Final = "Nothing changes."
REFUSED: Final = "It cannot be done."


def next_state(
    episode: CorpusEpisode, points: Sequence[BranchPoint], choices: StableRandom, max_words: int, wanted: int
) -> Iterator[CorpusDraft]:
    """Ask what one action changes: the episode's own, or another that was tried in its place."""
    for point in points[:wanted]:
        outcome = choices.pick((*point.others, point.path[0]))
        yield from _ask(episode, point, [outcome], choices, max_words, "What changes?")


def next_states(
    episode: CorpusEpisode, points: Sequence[BranchPoint], choices: StableRandom, max_words: int, wanted: int
) -> Iterator[CorpusDraft]:
    """Ask what several actions of the episode change together."""
    for point in points[:wanted]:
        if len(point.path) > 1:
            yield from _ask(episode, point, point.path, choices, max_words, "What has changed after all of them?")


def contrast(
    episode: CorpusEpisode, points: Sequence[BranchPoint], choices: StableRandom, max_words: int, wanted: int
) -> Iterator[CorpusDraft]:
    """Ask which of two actions is better for the goal and why, where the facts say so; of episodes that reached it."""
    if not episode.success:
        return
    for point in points[:wanted]:
        teller = _StateTeller(episode, point)
        for other in point.others:
            why = _reason(teller, point, other)
            if why is None:
                continue
            best, rest = teller.action(point.path[0].action), teller.action(other.action)
            offered = choices.shuffled([best, rest])
            asked = f"Q: Which is better: {offered[0]} Or: {offered[1]}\nA:"
            state = teller.state([point.path[0], other], choices, max_words - count_words(asked))
            if best != rest and state is not None:
                yield CorpusDraft(f"{state}\n{asked}", f"{best} {why}", best, point.step)
                break


def counterfactual(
    episode: CorpusEpisode, points: Sequence[BranchPoint], choices: StableRandom, max_words: int, wanted: int
) -> Iterator[CorpusDraft]:
    """Ask whether the episode would still have reached its goal with another action in the place of its own."""
    if not episode.success:
        return
    for point in points[:wanted]:
        teller = _StateTeller(episode, point)
        for other, rest in choices.shuffled(list(zip(point.others, point.rests, strict=True))):
            plan = " ".join(teller.action(step.text) for step in episode.steps[point.step + 1 :])
            asked = f"Instead: {teller.action(other.action)} Then as planned: {plan or 'Nothing.'}"
            asked += "\nQ: Is the goal still reached?\nA:"
            state = teller.state([point.path[0], other], choices, max_words - count_words(asked))
            if state is not None:
                answer = _verdict(teller, rest)
                yield CorpusDraft(f"{state}\n{asked}", answer, answer.partition(":")[0], point.step)
                break


def _verdict(teller: _StateTeller, rest: RestOutcome) -> str:
    if rest.refused:
        return f"No: this cannot be done then: {teller.action(rest.refused)}"
    return "Yes." if rest.success else "No: the plan ends without it."


def _reason(teller: _StateTeller, point: BranchPoint, other: ActionOutcome) -> str | None:
    """Return why the action that was taken is better, by the first rule that applies; None where none does."""
    taken = point.path[0]
    if taken.progress > max(point.progress, other.progress):
        return "It brings the goal nearer."
    if other.progress < min(point.progress, taken.progress):
        return "The other takes the goal further away."
    if other.refused and not taken.refused:
        return "The other cannot be done."
    if len(point.path) > 1:
        follows = point.path[1].action
        if follows in taken.actions and follows not in point.before and follows not in other.actions:
            return f"It makes this possible: {teller.action(follows)}"
    return "The other changes nothing." if taken.changes and not other.changes else None


def _ask(
    episode: CorpusEpisode,
    point: BranchPoint,
    done: Sequence[ActionOutcome],
    choices: StableRandom,
    max_words: int,
    question: str,
) -> Iterator[CorpusDraft]:
    """Ask for the changes of some actions."""
    teller, changes = _StateTeller(episode, point), net_changes(done)
    said = REFUSED if len(done) == 1 and done[0].refused else teller.said(changes)
    if said is None:
        return
    what = "Action" if len(done) == 1 else "Actions"
    asked = f"{what}: {' '.join(teller.action(one.action) for one in done)}\nQ: {question}\nA:"
    state = teller.state(done, choices, max_words - count_words(asked), goal=False)
    if state is not None and count_words(said) <= max_words:
        kind = said if said in (NO_CHANGE, REFUSED) else " ".join(sorted({one.what for one in changes}))
        about = {"actions": [one.action for one in done]}
        yield CorpusDraft(f"{state}\n{asked}", said, kind, point.step, about=about)


class _StateTeller:
    """Tells of one moment of an episode."""

    def __init__(self, episode: CorpusEpisode, point: BranchPoint) -> None:
        self._episode, self._graph = episode, episode.at(point.step)
        names = list(self._graph.kinds.values())
        self._twice = frozenset(name for name in names if names.count(name) > 1)
        self._kinds = {**episode.kinds, **self._graph.kinds}

    def action(self, text: str) -> str:
        """Return an action as a sentence."""
        return self._episode.verbalizer.say_action(text, self._twice)

    def state(
        self, done: Sequence[ActionOutcome], choices: StableRandom, room: int, *, goal: bool = True
    ) -> str | None:
        """Return the goal and the state in words: what the actions are about, and a few other things; None for no room.

        Args:
            done: The actions.
            choices: Chooses the other things and the order.
            room: How many words there are.
            goal: Whether the goal is named.
        """
        graph = self._graph
        about = dict.fromkeys(graph.characters)
        for outcome in done:
            action = self._episode.verbalizer.read_action(outcome.action, graph)
            about |= dict.fromkeys(() if action is None else action.ids)
            about |= dict.fromkeys(node for change in outcome.changes for node in change.entities)
        nodes = [node for node in about if node in graph.kinds and node not in graph.rooms]
        sentences = [sentence for node in nodes if (sentence := self._told(graph, node))]
        head = f"Goal: {capitalised(self._episode.task.goal.text)}\nState:" if goal else "State:"
        room -= count_words(head) + sum(map(count_words, sentences))
        if room < 0:
            return None
        for node in choices.shuffled(sorted(set(graph.kinds) - set(nodes) - graph.rooms))[:_DECOYS]:
            more = self._told(graph, node)
            if more and count_words(more) <= room:
                sentences.append(more)
                room -= count_words(more)
        return " ".join([head, *map(capitalised, choices.shuffled(sentences) or ["nothing is known."])])

    def said(self, changes: Iterable[Change]) -> str | None:
        """Return changes as sentences; None where they are too many, or nobody says them.

        Of one thing, what ended is said only where nothing began.
        """
        changes = sorted(changes, key=lambda one: (one.entity, one.what, one.target or 0))
        gone = self._gone(changes)
        begun = {node for one in changes if one.begins for node in one.entities if node not in self._graph.rooms}
        found = [
            f"{self._name(one.entity)} {self._is(one.entity)} gone" if one.entity in gone else self._changed(one)
            for one in changes
            if one.begins or (one.entity not in begun and (one.target is None or one.target not in begun))
        ]
        found = list(dict.fromkeys(found))
        if not changes:
            return NO_CHANGE
        if None in found or not 0 < len(found) <= _MOST_CHANGES:
            return None
        return " ".join(capitalised(one) for one in found if one)

    def _gone(self, changes: Sequence[Change]) -> set[int]:
        """Return what nothing holds of any more."""
        graph, ended = self._graph, dict[int, set[tuple[str, int | None]]]()
        for one in changes:
            if not one.begins:
                ended.setdefault(one.entity, set()).add((one.what, one.target))
        begun = {node for one in changes if one.begins for node in one.entities}
        return {
            node
            for node, facts in ended.items()
            if node not in begun
            and facts >= {(state, None) for state in graph.states.get(node, ())} | graph.out.get(node, set())
        }

    def _name(self, node: int) -> str:
        if node in self._graph.characters:
            return "you" if len(self._graph.characters) == 1 else f"person {self._graph.characters.index(node) + 1}"
        kind = self._kinds[node]
        return f"{self._episode.words.the(kind)}{f' ({node})' if kind in self._twice else ''}"

    def _is(self, node: int) -> str:
        return "are" if self._name(node) == "you" else self._episode.words.are(self._kinds[node])

    def _changed(self, change: Change) -> str | None:
        node, what, target = change.entity, plain_relation(change.what), change.target
        if node not in self._kinds or (target is not None and target not in self._kinds):
            return None
        no = "" if change.begins else " no longer"
        if target is None:
            word = self._episode.words.state(what)
            return f"{self._name(node)} {self._is(node)}{no} {word or what.lower().replace('_', ' ')}"
        if what == HOLDS:
            hold = "hold" if self._name(node) == "you" else "holds"
            return f"{self._name(node)}{no} {hold} {self._name(target)}"
        relation = IN.get(what, what.lower().replace("_", " "))
        return f"{self._name(node)} {self._is(node)}{no} {relation} {self._name(target)}"

    def _told(self, graph: FactGraph, node: int) -> str:
        """Return where a thing is, its states, and what a character holds; empty where nothing is known."""
        spot, parts = graph.location(node), list[str]()
        faces = [target for relation, target in sorted(graph.out.get(node, ())) if relation == "FACING"]
        if spot.relation == "HELD" and spot.holder is not None:
            hold = "hold" if self._name(spot.holder) == "you" else "holds"
            return f"{self._name(spot.holder)} {hold} {self._name(node)}."
        if spot.holder is not None:
            parts.append(f"{IN.get(spot.relation, 'with')} {self._name(spot.holder)}")
        elif spot.room is not None:
            parts.append(f"in {self._name(spot.room)}")
        words = (self._episode.words.state(state) for state in sorted(graph.states.get(node, ())))
        states = [word for word in words if word]
        if faces and node in graph.characters:
            parts.append(f"before {listed([self._name(target) for target in faces])}")
        where = " ".join(parts)
        said = ", ".join(part for part in (where, listed(states) if states else "") if part)
        return f"{self._name(node)} {self._is(node)} {said}." if said else ""
