"""A memory: episodes, verified skills and facts from experience, without a model; and an agent that uses it."""

import pathei
from pathei.memory import Filter

STORE = "runs/examples/demonstrations"


def main() -> None:
    """Build a memory from 40 demonstrations, ask it, and act by it in houses that it has not seen."""
    pathei.collect(STORE, 40, "scripted", steps=60)
    with pathei.ExperienceStore.open(STORE, mode="read") as store, pathei.open_memory(STORE) as memory:
        memory.add_all(store.trajectories(success=True))
        for kind in ("skill", "fact"):
            print(f"\nThe best {kind}s for 'put a cup in the sink':")
            for hit in memory.query("put a cup in the sink", k=3, where=Filter(kinds=(kind,))):
                print(f"  {hit.score:.2f}  {' '.join(hit.item.draft.text.split())}")
    tasks = pathei.generate_tasks("virtualhome", 20, seed=1000)
    print("\nNew houses, 40 steps each:")
    for agent in ("random", f"skills:{STORE}"):
        report = pathei.collect("runs/examples/played", tasks, "agent", agent=agent, steps=40)
        print(f"  {agent:40} {report.coverage.successes} of {len(tasks)} goals reached")


if __name__ == "__main__":
    main()
