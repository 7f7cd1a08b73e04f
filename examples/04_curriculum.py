"""A curriculum: goals that the agent sets itself, each a little beyond what it has achieved."""

import pathei

STORE = "runs/examples/curriculum"


def main() -> None:
    """Make 60 attempts at goals that were never achieved before, and show how they grow."""
    report = pathei.collect(STORE, 60, "curriculum", proposer="novelty", steps=20)
    print(f"{report.tasks} attempts, {report.coverage.successes} goals reached. The first ten and the last:")
    with pathei.ExperienceStore.open(STORE, mode="read") as store:
        episodes = list(store.trajectories(roots=True))
    for number, episode in enumerate(episodes, 1):
        if number <= 10 or number > len(episodes) - 10:
            verdict = "reached" if episode.success else "missed"
            print(f"  {number:3} {verdict:8} {len(episode.steps):2} steps  {episode.task.goal.text}")


if __name__ == "__main__":
    main()
