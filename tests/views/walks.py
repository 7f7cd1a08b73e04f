"""Episodes made by hand for the viewer: walks with pictures, thoughts, tokens, plain facts, and hostile text."""

from __future__ import annotations

import base64

from pathei.experience import Goal, Observation, Parent, Step, Task, Tokens, Trajectory

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="
)
HOSTILE = "</script><script>window.owned = 1</script><img src=x onerror=window.owned=1>"


def walk(name: str, steps: int, *, parent: Parent | None = None, images: tuple[str, ...] = ()) -> Trajectory:
    """Return an episode with facts of no graph, thoughts and tokens; the last step reaches the goal."""
    done = []
    for n in range(steps):
        seen = Observation(f"You are at {n}.\n{HOSTILE}", images, ("on", "back", "look"), {"at": n, "has": ["map"]})
        info = {"success": n == steps - 1, "agent": {"thought": f"From {n} onwards.", "usage": {"requests": 1}}}
        tokens = Tokens((1, 2, 3), (4, 5), (-0.5, -1.5))
        done.append(Step(seen, "on", 0.5, n == steps - 1, info=info, tokens=tokens))
    task = Task(
        f"task-{name.split('/', maxsplit=1)[0]}", "pathei/Way-v0", 2**60 + 1, Goal(f"walk to {steps} {HOSTILE}")
    )
    final = Observation("You are there.", facts={"at": steps, "has": []})
    return Trajectory(name, task, tuple(done), final, "agent", parent, {"agent": "Walker"})
