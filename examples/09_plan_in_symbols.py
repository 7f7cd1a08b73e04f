"""Plan in symbols, act in space: a plan is found in the graph of a home and carried out in the home by skills.

Both episodes are stored: the plan in script lines, and what the agent saw and did in the three-dimensional home.
"""

from dataclasses import replace
from pathlib import Path

import pathei
from pathei.agents import ScriptedAgent
from pathei.collectors import play
from pathei.envs.habitat.env import HabitatEnv
from pathei.envs.habitat.files.symbols import skills_for, write_symbols

STORE, GRAPH = "runs/examples/two_worlds", Path("runs/examples/home.json")


def main() -> None:
    """Find a plan for rearranging a home in its graph, and carry it out in the home."""
    task = next(one for one in pathei.generate_tasks("habitat", 4, seed=3) if "relation" in one.goal.conditions[0])
    env = pathei.make_env(task)
    env.reset(options={**task.options, "goal": {"text": task.goal.text, "conditions": task.goal.conditions}})
    home = env.unwrapped
    assert isinstance(home, HabitatEnv)
    write_symbols(home.world, GRAPH)

    in_symbols = replace(task, id=f"{task.id}/symbols", env="pathei/VirtualHome-v0", options={"scene": str(GRAPH)})
    pathei.collect(STORE, [in_symbols], "mcts", simulations=2000)
    with pathei.ExperienceStore.open(STORE, mode="read") as store:
        plan = [step.action for step in next(store.trajectories(collector="mcts")).steps]

    agent = ScriptedAgent(skills_for(plan, home.world))
    episode = play(env, task, agent, max_steps=50, collector="carried-out")
    with pathei.ExperienceStore.open(STORE) as store:
        if "carried-out" not in {one.collector for one in store.trajectories()}:
            store.append(episode)
        print(f"{task.goal.text} {len(store)} episodes are in {STORE}.")
    print("\nThe plan:", *plan, "\nIn space:", *(step.action for step in episode.steps), sep="\n  ")
    print("Reached in space." if episode.success else "Not reached in space.")
    env.close()


if __name__ == "__main__":
    main()
