"""Agent traces as the Hugging Face Hub's viewer reads them: its Session Trace Simple Format.

A folder with one JSONL file per episode: a header, then messages. The user says the goal and what is observed first;
the assistant calls the tool `act`, with what it thought before; the tool answers with what is observed then. Not here:
facts, and images, which the format has no place for.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from ..experience import Json, Step
from .atif import file_name
from .common import ExportCounts, ExportEpisode, Selection
from .text import prompt


def write_traces(selection: Selection, temporary: Path, target: Path, *, actions: bool = False) -> ExportCounts:
    """Write a folder with one `<trajectory id>.jsonl` per episode.

    Args:
        selection: The episodes.
        temporary: The folder to make.
        target: The folder that it will be.
        actions: Whether the first message lists the admissible actions.

    Raises:
        ExportError: an episode shows images.
    """
    del target
    selection.refuse_images("agent-traces")
    temporary.mkdir()
    episodes = rows = skipped = 0
    for episode in selection.episodes():
        if not episode.whole.steps:
            skipped += 1
            continue
        lines = [_header(episode), *_messages(episode, actions)]
        name = file_name(episode.whole.id).removesuffix(".json")
        (temporary / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        episodes += 1
        rows += len(lines)
    return ExportCounts(episodes, rows, skipped)


def _header(episode: ExportEpisode) -> dict[str, Json]:
    whole = episode.whole
    parent = episode.parent
    return {
        "type": "session",
        "harness": "pathei",
        "id": whole.id,
        "name": whole.task.goal.text,
        "env": whole.task.env,
        "seed": whole.task.seed,
        "collector": whole.collector,
        "success": whole.success,
        "total_reward": whole.total_reward,
        "parent": None if parent is None else {"trajectory": parent.trajectory, "step": parent.step},
    }


def _messages(episode: ExportEpisode, actions: bool) -> list[dict[str, Json]]:
    whole = episode.whole
    first, *after = [*(step.observation for step in whole.steps), whole.final]
    found = [_message("user", prompt(whole.task.goal, first, actions))]
    for t, (step, seen) in enumerate(zip(whole.steps, after, strict=True)):
        call = {"name": "act", "arguments": orjson.dumps({"action": step.action}).decode()}
        found.append(_message("assistant", _thought(step), toolCalls=[{"id": f"act-{t}", "function": call}]))
        found.append(_message("tool", seen.text, toolCallId=f"act-{t}"))
    return found


def _message(role: str, content: str, **others: Json) -> dict[str, Json]:
    return {"type": "message", "message": {"role": role, "content": content, **others}}


def _thought(step: Step) -> str:
    notes = step.info.get("agent")
    thought = notes.get("thought") if isinstance(notes, dict) else None
    return thought if isinstance(thought, str) else ""
