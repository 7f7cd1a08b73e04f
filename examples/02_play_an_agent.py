"""Play an agent: an agent has one method, `act(observation, goal) -> str`; those of pathei are made by name."""

import random
import re

import pathei
from pathei.collectors import play

VERBS = ("[Walk]", "[Grab]", "[Put", "[Open]", "[Switch", "[Sit]", "[Lie]", "[Wash]", "[Wipe]", "[Scrub]")


class WordMatcher:
    """An agent of your own: of the actions that it has not done, it does one that shares most words with the goal."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._done: set[str] = set()

    def act(self, observation: pathei.Observation, goal: pathei.Goal) -> str:
        """Return one of the admissible actions."""
        wanted = set(re.findall("[a-z]+", goal.text.lower()))
        actions = list(observation.actions or ())
        new = [action for action in actions if action.startswith(VERBS) and action not in self._done] or actions
        self._random.shuffle(new)
        best = max(new, key=lambda action: len(wanted & set(re.findall("[a-z]+", action.lower()))))
        self._done.add(best)
        return best


def main() -> None:
    """Let three agents play the same tasks."""
    tasks = pathei.generate_tasks("virtualhome", 6, seed=3)
    for task in tasks:
        env = pathei.make_env(task)
        agents = {name: pathei.make_agent(name, task) for name in ("random", "scripted")}
        print(f"\n{task.goal.text}")
        for name, agent in {**agents, "word matcher": WordMatcher(task.seed)}.items():
            episode = play(env, task, agent, max_steps=30)
            verdict = "reached" if episode.success else "not reached"
            print(f"  {name:12} {verdict} after {len(episode.steps)} steps, the last {episode.steps[-1].action}")
        env.close()


if __name__ == "__main__":
    main()
