"""ATIF export: one Agent Trajectory Interchange Format document (v1.8) per episode, as Harbor and NeMo read it.

The first step is the user's: the goal and the first observation. Every action is an agent's step with the observation
that followed. What ATIF has no field for stands in `extra`. The steps that a branch shares with its parent are marked
`is_copied_context`, so that trainers leave them out. Not here by default: the privileged facts.
"""

from __future__ import annotations

import hashlib
import urllib.parse
from importlib.metadata import version
from pathlib import Path

import orjson

from ..experience import Json, Observation, Step, Tokens
from .common import ExportCounts, ExportEpisode, ImageFolder, Selection

VERSION = "ATIF-v1.8"
"""The version that the documents claim."""
_NAME_BYTES = 200


def write_atif(selection: Selection, temporary: Path, target: Path, *, facts: bool = False) -> ExportCounts:
    """Write a folder with one `<trajectory id>.json` per episode, and the images that they show in `images`.

    Args:
        selection: The episodes.
        temporary: The folder to make.
        target: The folder that it will be.
        facts: Whether to put the privileged facts into `extra`.

    Raises:
        ExportError: an image is of no known kind.
    """
    temporary.mkdir()
    images = ImageFolder(selection.store, temporary / "images", "images")
    episodes = 0
    for episode in selection.episodes():
        path = temporary / file_name(episode.whole.id)
        path.write_bytes(orjson.dumps(document(episode, images, facts), option=orjson.OPT_INDENT_2))
        episodes += 1
    return ExportCounts(episodes, episodes, 0, len(images.kinds))


def file_name(trajectory: str) -> str:
    """Return the file name of a trajectory: its id, percent-encoded; of a very long one, its SHA-256."""
    name = urllib.parse.quote(trajectory, safe=" ")
    # A name that begins with a dot would be hidden, and two of them are folders.
    name = name.replace(".", "%2E", 1) if name.startswith(".") else name
    return f"{name if 0 < len(name) <= _NAME_BYTES else hashlib.sha256(trajectory.encode()).hexdigest()}.json"


def document(episode: ExportEpisode, images: ImageFolder, facts: bool) -> dict[str, Json]:
    """Return the ATIF document of one episode as plain JSON."""
    whole, task = episode.whole, episode.whole.task
    first, *after = [*(step.observation for step in whole.steps), whole.final]
    goal = f"Goal: {task.goal.text}\n\n{first.text}"
    steps = [{"step_id": 1, "source": "user", "message": _content(goal, first, images), "extra": _shown(first, facts)}]
    for t, (step, result) in enumerate(zip(whole.steps, after, strict=True)):
        steps.append(_agent_step(t, step, result, images, facts))
        if t < episode.shared:
            steps[-1]["is_copied_context"] = True
    parent = episode.parent
    return {
        "schema_version": VERSION,
        "trajectory_id": whole.id,
        "agent": {"name": _agent_name(episode), "version": _agent_version(episode)},
        "steps": steps,
        "final_metrics": {"total_steps": len(steps), "extra": {"total_reward": whole.total_reward}},
        "extra": {
            "task": task,
            "collector": whole.collector,
            "success": whole.success,
            "parent": None if parent is None else {"trajectory": parent.trajectory, "step": parent.step},
            "provenance": whole.provenance,
        },
    }


def _agent_step(t: int, step: Step, result: Observation, images: ImageFolder, facts: bool) -> dict[str, Json]:
    outcome = {"reward": step.reward, "terminated": step.terminated, "truncated": step.truncated, "info": step.info}
    data: dict[str, Json] = {
        "step_id": t + 2,
        "source": "agent",
        "message": step.action,
        "observation": {
            "results": [{"content": _content(result.text, result, images), "extra": _shown(result, facts)}]
        },
        "extra": outcome,
    }
    if step.tokens is not None:
        data["metrics"] = _metrics(step.tokens)
    return data


def _metrics(tokens: Tokens) -> dict[str, Json]:
    metrics: dict[str, Json] = {
        "prompt_tokens": len(tokens.prompt_ids),
        "completion_tokens": len(tokens.completion_ids),
        "prompt_token_ids": tokens.prompt_ids,
        "completion_token_ids": tokens.completion_ids,
    }
    return metrics if tokens.logprobs is None else {**metrics, "logprobs": tokens.logprobs}


def _content(text: str, observation: Observation, images: ImageFolder) -> Json:
    if not observation.images:
        return text
    parts: list[Json] = [{"type": "text", "text": text}]
    for name in observation.images:
        path = images.add(name)
        parts.append({"type": "image", "source": {"media_type": f"image/{images.kinds[name]}", "path": path}})
    return parts


def _shown(observation: Observation, facts: bool) -> dict[str, Json]:
    shown: dict[str, Json] = {"actions": observation.actions}
    return {**shown, "facts": observation.facts} if facts else shown


def _agent_name(episode: ExportEpisode) -> str:
    name = episode.whole.provenance.get("agent")
    return name if isinstance(name, str) and name else episode.whole.collector


def _agent_version(episode: ExportEpisode) -> str:
    given = episode.whole.provenance.get("agent_version")
    # Agents and collectors without a version of their own are pathei's.
    return given if isinstance(given, str) and given else version("pathei")
