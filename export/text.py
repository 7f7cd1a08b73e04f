"""Chat and prompt-completion exports: JSON lines for fine-tuning with TRL, verl and axolotl.

They hold what an agent saw and did: observations and actions, never the privileged facts. The last observation, after
which nothing was done, is not in them. Not here: chat templates and tokenising, which belong to the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import orjson

from ..errors import ExportError
from ..experience import Goal, Json, Observation, Trajectory
from .common import ExportCounts, ExportEpisode, ImageFolder, Selection


def prompt(goal: Goal | None, observation: Observation, actions: bool) -> str:
    """Put a goal and an observation into words, as both exports do.

    Args:
        goal: What is to be achieved; None where it was said before.
        observation: What the agent sees; its facts are not used.
        actions: Whether to list the admissible actions, one per line, where the observation has them.
    """
    parts = [] if goal is None else [f"Goal: {goal.text}"]
    parts.append(observation.text)
    if actions and observation.actions is not None:
        parts.append("\n".join(["You can:", *observation.actions]))
    return "\n\n".join(parts)


def write_chat(
    selection: Selection, temporary: Path, target: Path, *, actions: bool = False, system: str | None = None
) -> ExportCounts:
    """Write one conversation per line: `{"messages": [...], "id", "task", "collector", "success", "total_reward"}`.

    The user says what is observed, with the goal in the first message; the assistant's messages are the actions. If any
    episode shows an image, every content is a list of parts, images are `{"type": "image"}`, and `images` holds their
    files in order, relative to the folder of the export; they are copied to `<name>_images` next to it. A branch is a
    whole conversation, so the turns that it shares with its parent are in both: choose `roots` to avoid that.

    Args:
        selection: The episodes.
        temporary: The file to write.
        target: The file that it will be.
        actions: Whether the user lists the admissible actions.
        system: A system message to begin every conversation with.

    Raises:
        ExportError: an image is of no known kind.
    """
    folder = f"{target.stem}_images"
    images = ImageFolder(selection.store, target.with_name(folder), folder) if selection.has_images() else None
    episodes = skipped = 0
    with temporary.open("wb") as file:
        for episode in selection.episodes():
            if not episode.whole.steps:
                skipped += 1
                continue
            episodes += 1
            write_line(file, _conversation(episode, images, actions, system))
    return ExportCounts(episodes, episodes, skipped, 0 if images is None else len(images.kinds))


def write_prompt_completion(
    selection: Selection, temporary: Path, target: Path, *, actions: bool = False, history: int = 0
) -> ExportCounts:
    r"""Write one step per line: `{"prompt", "completion", "id", "t", "success"}`.

    A prompt is the goal, the earlier steps asked for, the observation, and `Action:`; a completion is a space and the
    action. A branch gives rows for its own steps only, so no step is in the file twice.

    Args:
        selection: The episodes.
        temporary: The file to write.
        target: The file that it will be.
        actions: Whether a prompt lists the admissible actions of its last observation.
        history: How many earlier steps a prompt repeats (observation and action); 0 matches agents that are given the
            goal and the present observation.

    Raises:
        ExportError: an episode shows images, or `history` is negative.
    """
    if history < 0:
        raise ExportError(f"A prompt cannot repeat {history} earlier steps: give 0 or more.")
    selection.refuse_images("prompt-completion")
    episodes = rows = skipped = 0
    with temporary.open("wb") as file:
        for episode in selection.episodes():
            whole, first = episode.whole, episode.shared
            skipped += len(whole.steps) == first
            episodes += len(whole.steps) > first
            for t in range(first, len(whole.steps)):
                row = {
                    "prompt": step_prompt(whole, t, actions=actions, history=history),
                    "completion": f" {whole.steps[t].action}",
                    "id": whole.id,
                    "t": t,
                    "success": whole.success,
                }
                write_line(file, row)
                rows += 1
    return ExportCounts(episodes, rows, skipped)


def step_prompt(whole: Trajectory, t: int, *, actions: bool, history: int) -> str:
    """Ask for an action: the goal, earlier steps, what is observed, and `Action:`.

    Args:
        whole: The episode.
        t: The step that is asked for, from 0.
        actions: Whether the admissible actions are listed.
        history: How many earlier steps are repeated.
    """
    earlier = "".join(
        f"{step.observation.text}\n\nAction: {step.action}\n\n" for step in whole.steps[max(0, t - history) : t]
    )
    now = prompt(None, whole.steps[t].observation, actions)
    return f"Goal: {whole.task.goal.text}\n\n{earlier}{now}\n\nAction:"


def _conversation(
    episode: ExportEpisode, images: ImageFolder | None, actions: bool, system: str | None
) -> dict[str, Json]:
    whole = episode.whole
    files: list[str] = []

    def content(text: str, names: tuple[str, ...] = ()) -> Json:
        if images is None:
            return text
        files.extend(images.add(name) for name in names)
        # Every part has both keys: readers that infer one schema for all rows need it.
        return [*({"type": "image", "text": None} for _ in names), {"type": "text", "text": text}]

    messages = [] if system is None else [{"role": "system", "content": content(system)}]
    for t, step in enumerate(whole.steps):
        said = prompt(whole.task.goal if t == 0 else None, step.observation, actions)
        messages.append({"role": "user", "content": content(said, step.observation.images)})
        messages.append({"role": "assistant", "content": content(step.action)})
    row = {
        "messages": messages,
        "id": whole.id,
        "task": whole.task.id,
        "collector": whole.collector,
        "success": whole.success,
        "total_reward": whole.total_reward,
    }
    return row if images is None else {**row, "images": files}


def write_line(file: BinaryIO, row: dict[str, Json]) -> None:
    """Write a row as one line of JSON."""
    file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
