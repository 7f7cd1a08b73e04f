"""What is asked for by the goal alone: minimal plans, with steps of one scene removed, and the goal's conditions.

An episode that looked for things, or a search's plan, has steps that another scene does not ask for. The environment's
verbalizer removes what can be removed, by trying it out (`Verbalizer.trim_plan`). So the same goal gets much the same
plan in every scene, which even a small model can learn. An agent that acts by such a plan has to find things and open
doors by itself (`agents.lm.saycan`). Where an environment offers no graph of facts, the plan is what was done, and what
was seen first stands in its prompt. Not here: plans for one scene, with where its things are (`chores.plans`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import orjson

from ...envs.facts.conditions import by_class
from ...envs.verbalizer import ask_for_plan, capitalised
from ..evaluation.plan_execution import PlanExecutor
from ..examples import Example
from .config import CorpusDraft
from .episodes import CorpusEpisode
from .words import count_words


def bare_plan(episode: CorpusEpisode, max_words: int, executor: PlanExecutor) -> Iterator[CorpusDraft]:
    """Ask for the plan of an episode in which one character reached its goal; nothing for any other."""
    if not episode.success or len(episode.start.characters) > 1:
        return
    needed = executor.trim(episode.task, episode.actions)
    if not needed:
        return
    prompt, plan = ask_for_plan(episode.task.goal.text), episode.verbalizer.say_plan(needed)
    if count_words(prompt) > max_words or count_words(plan) > max_words:
        return
    answer = episode.activity or episode.task.goal.text
    yield CorpusDraft(prompt, plan, answer, episode.last)


def done_plan(episode: CorpusEpisode, max_words: int) -> Iterator[CorpusDraft]:
    """Ask for the plan of an episode without facts, given its goal and what was seen first."""
    if not episode.success or not episode.actions:
        return
    head, tail = f"Goal: {capitalised(episode.task.goal.text)}\nSeen:", "\nPlan:"
    plan = episode.verbalizer.say_plan(episode.actions)
    room = max_words - count_words(head + tail)
    if room < 0 or count_words(plan) > max_words:
        return
    seen = " ".join(episode.first.split()[:room])
    yield CorpusDraft(f"{head} {seen}{tail}", plan, episode.activity or episode.task.goal.text, episode.last)


def goal_conditions(episode: CorpusEpisode, max_words: int) -> Iterator[CorpusDraft]:
    """Ask what a goal in words means: its conditions as JSON, with classes for ids.

    Nothing where it has none, or where it means a certain one of several things of a class.
    """
    goal, kinds = episode.task.goal, episode.start.kinds
    times = Counter(kinds.values())
    lifted = [by_class(one, {id_: kind for id_, kind in kinds.items() if times[kind] == 1}) for one in goal.conditions]
    prompt = f"Goal: {capitalised(goal.text)}\nConditions:"
    if lifted and all(one is not None for one in lifted) and count_words(prompt) <= max_words:
        answer = episode.activity or goal.text
        yield CorpusDraft(prompt, orjson.dumps(lifted, option=orjson.OPT_SORT_KEYS).decode(), answer, 0)


def commonest(examples: Sequence[Example]) -> list[Example]:
    """Return for each goal the plan that reached it most often, of equally many the shortest: there is no one plan."""
    plans: dict[str, Counter[str]] = {}
    for one in examples:
        plans.setdefault(one.prompt, Counter())[one.completion] += 1
    best = {prompt: min(found, key=lambda plan: (-found[plan], len(plan), plan)) for prompt, found in plans.items()}
    return [one for one in examples if one.completion == best[one.prompt]]
