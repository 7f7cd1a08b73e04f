"""Collect: collectors play tasks into a store. Run it again, and only what is missing is played."""

import pathei

STORE = "runs/examples/household"


def main() -> None:
    """Play the same tasks by exploration and by tree search, and look at one episode."""
    tasks = pathei.generate_tasks("virtualhome", 20, seed=0)
    explored = pathei.collect(STORE, tasks, "explore", steps=30)
    searched = pathei.collect(STORE, tasks, "mcts", steps=30, simulations=500)
    for name, report in (("explore", explored), ("mcts", searched)):
        found = report.coverage
        print(f"{name:8} {found.episodes} episodes ({report.before} were there), {found.successes} goals reached")
    with pathei.ExperienceStore.open(STORE, mode="read") as store:
        print(f"\n{STORE} holds {len(store)} episodes, which survive kill -9. One that reached its goal:")
        episode = next(store.trajectories(collector="mcts", success=True))
    print(f"\n{episode.task.goal.text}")
    for number, step in enumerate(episode.steps, 1):
        print(f"  {number} {step.action}  {step.reward:+.2f}")


if __name__ == "__main__":
    main()
