"""A memory's notes in the training of a model: what an agent that remembers is shown, in the very form.

A model that was tuned without notes in its prompts reads past them. So a share of the plans stand behind the plans that
the memory shows for the goal, never one for that goal itself, and places are asked for behind what the memory knows of
them. The other plans and questions have no notes: the same model also has to act without a memory. Not here: the form
itself (`agents.lm.shown`, `ask_for_place`), and acting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ..agents.lm.shown import ShownMemory
from ..envs.facts import FactGraph
from ..envs.registry import get_verbalizer
from ..envs.verbalizer import Verbalizer, answer_place, ask_for_place, ask_for_plan
from ..experience import Trajectory
from ..learners.examples import ChatTurn, Example
from ..memory.protocol import Memory

if TYPE_CHECKING:
    import numpy as np

    from ..learners.training.pairs import Shown

KIND: Final = "place"
"""The kind of examples that ask for places."""
_PLANS: Final = 2
"""How many plans are shown before one: as many as `SayCan` shows."""
_GOAL: Final = "Goal: "
_TOGETHER: Final = 4
"""How many questions for places make a conversation."""


def shown_plans(memory: Memory, env: str) -> Shown:
    """Return what `paired` shows before a plan: the memory's plans for similar goals, the most similar last."""
    shown, verbalizer = ShownMemory(memory, env), get_verbalizer(env)

    def before(example: Example) -> list[ChatTurn]:
        goal = example.prompt.removeprefix(_GOAL).partition("\n")[0]
        found = shown.plans(goal, _PLANS + 1, verbalizer)
        others = [one for one in found if ask_for_plan(one.goal) != example.prompt][-_PLANS:]
        return [turn for one in others for turn in _said(ask_for_plan(one.goal), one.plan)]

    return before


def place_questions(
    episodes: Iterable[Trajectory], memory: Memory, rng: np.random.Generator, *, count: int, share: float = 0.5
) -> list[Example]:
    """Ask where things were at the beginning of episodes that acted on them, by the room or by what they were in.

    Args:
        episodes: With facts about their beginning; in the order in which they are used.
        memory: What is known, of their scenes too.
        rng: Draws which are asked with notes, and whether room or container is the answer; it is consumed.
        count: The maximum number of conversations, of four questions each.
        share: The share of the questions that stand behind notes: where the thing is in this scene or, in half of them,
            where it is in general, as for an agent to whom the scene is new.

    Returns:
        Conversations; all questions of one have notes, or none.
    """
    waiting: dict[bool, list[ChatTurn]] = {False: [], True: []}
    found: list[Example] = []
    for episode in episodes:
        task = episode.task
        verbalizer = get_verbalizer(task.env)
        here, new = (ShownMemory(memory, task.env, scene) for scene in (verbalizer.scene(task), None))
        for kind, places in _asked(episode, verbalizer):
            noted = bool(rng.random() < share)
            shown = here if rng.random() < 0.5 else new
            known = [fact.text for fact in shown.facts(kind, verbalizer)] if noted else []
            place = verbalizer.noun(places[int(rng.integers(len(places)))])
            waiting[noted] += _said(
                ask_for_place(kind, verbalizer, known), f"{answer_place(kind, verbalizer)} {place}."
            )
            if len(waiting[noted]) >= 2 * _TOGETHER:
                turns, source = tuple(waiting[noted]), {"trajectory": episode.id, "noted": noted}
                found.append(Example(f"{KIND}/{episode.id}/{len(found)}", KIND, "", "", source=source, turns=turns))
                waiting[noted] = []
            if len(found) == count:
                return found
    return found


def _asked(episode: Trajectory, verbalizer: Verbalizer) -> Iterator[tuple[str, list[str]]]:
    """Yield each kind of which an episode acted on the only thing, with the kinds of its room and of what it is in."""
    graph = FactGraph.of(episode.steps[0].observation.facts) if episode.steps else None
    if graph is None:
        return
    kinds = list(graph.kinds.values())
    read = map(verbalizer.read_action, (step.action for step in episode.steps))
    for thing in dict.fromkeys(id_ for action in read if action for id_ in action.ids):
        kind = graph.kinds.get(thing, "")
        if thing in graph.rooms or thing in graph.characters or kinds.count(kind) != 1:
            continue
        room, relation, holder = graph.location(thing)
        inside = relation == "INSIDE" and holder is not None and holder not in graph.rooms
        places = [graph.kinds[one] for one in (room, holder if inside else None) if one is not None]
        if places:
            yield kind, places


def _said(asked: str, answer: str) -> tuple[ChatTurn, ChatTurn]:
    return ChatTurn("user", asked), ChatTurn("assistant", answer)
