"""One question with its answer, or one conversation: the unit of corpora, training and evaluation.

A file of examples is JSON Lines in the form that TRL reads (`prompt`, `completion`), with our fields added. Not here:
how examples are generated (`corpora`) and how answers are scored (`evaluation.metrics`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import orjson

from ..errors import RecordError
from ..experience import Json
from ..store.durable import write_atomically

Split = Literal["train", "seen", "unseen"]
"""`train` is learned from; `seen` is held out, of activities and houses that were trained on; `unseen` shares neither
activity nor house with `train`."""
SPLITS: Final[tuple[Split, ...]] = ("train", "seen", "unseen")


class ChatTurn(NamedTuple):
    """What one side says in a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its answer, or a conversation."""

    id: str
    """Unique in its corpus; follows from the source and the seed."""
    kind: str
    """Which corpus: `"plan"`, `"plan-confusing"`, `"plan-bare"`, `"recognition"`, `"inference"`, `"counting"`,
    `"tracking"`, `"location"`, `"relevance"`, `"irrelevance"`, `"goal-conditions"`, `"next-state"`, `"next-states"`,
    `"contrast"`, `"counterfactual"`."""
    prompt: str
    """What is asked; ends without white space, for example in `"A:"`."""
    completion: str
    """The answer as it follows the prompt: it begins with a space and ends without white space. The trainer adds the
    end-of-sequence token."""
    choices: tuple[str, ...] = ()
    """For multiple choice: completions, `completion` among them once. Empty where the answer is generated."""
    split: Split = "train"
    """What the example is for."""
    source: Mapping[str, Json] = field(default_factory=dict)
    """Where it comes from: `trajectory` and `step`, `activity`, `house`; for plans also `task`, the task as JSON
    (`pathei.experience.task_from_json`) in which a generated plan can be carried out."""
    turns: tuple[ChatTurn, ...] = ()
    """A whole conversation, of which every turn of the assistant is learned; prompt and completion are then empty, and
    it is not asked in an evaluation. Empty for a question."""


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write examples as JSON Lines, all or nothing."""
    data = b"".join(orjson.dumps(_row(one)) + b"\n" for one in examples)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data, path.with_name(path.name + ".tmp"))


def _row(example: Example) -> dict[str, Any]:
    """Return an example as its line has it; a question's is as older versions wrote it."""
    row = {one.name: getattr(example, one.name) for one in dataclasses.fields(example)}
    row |= {"source": dict(example.source), "turns": [list(turn) for turn in example.turns]}
    return row if example.turns else {key: value for key, value in row.items() if key != "turns"}


def read_examples(path: Path) -> Iterator[Example]:
    """Yield the examples of a file: as `write_examples` wrote it, or in one of the forms that others write.

    Those are TRL's standard forms, as `pathei store export` has them: `{"messages": [{"role", "content"}, ...]}`
    (`--format chat`), `{"prompt": str, "completion": str}` (`--format prompt-completion`), and `{"prompt": str,
    "chosen": str, "rejected": str}` (`--format preference`). Their other fields are kept as the example's source, and
    all of them are of split `train`.

    Raises:
        RecordError: the file is missing, or a line is not an example; says which.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RecordError(f"There are no examples to read at {path} ({error.strerror}).") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield _example(orjson.loads(line), f"{path.stem}-{number}")
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise RecordError(f"Line {number} of {path} is not an example: {error}.") from error


def _example(data: dict[str, Any], name: str) -> Example:
    """Return one line as an example.

    Args:
        data: The line.
        name: The id of an example that has none.

    Raises:
        TypeError, ValueError, AttributeError, KeyError: it is none.
    """
    if "messages" in data:
        turns = tuple(_turn(message) for message in data["messages"])
        if not any(turn.role == "assistant" for turn in turns):
            raise ValueError("nothing in the conversation is said by the assistant")
        return Example(str(data.get("id", name)), "chat", "", "", source=_rest(data, "messages"), turns=turns)
    if "kind" not in data and {"prompt", "completion"} <= set(data):
        prompt, completion = data["prompt"], data["completion"]
        if not isinstance(prompt, str) or not isinstance(completion, str):
            raise ValueError("prompt and completion must be strings; write a conversation as `messages`")
        name = f"{data['id']}-{data['t']}" if {"id", "t"} <= set(data) else str(data.get("id", name))
        return Example(
            name, "step", prompt.rstrip(), f" {completion.strip()}", source=_rest(data, "prompt", "completion")
        )
    if "kind" not in data and {"prompt", "chosen", "rejected"} <= set(data):
        prompt, both = data["prompt"], (data["chosen"], data["rejected"])
        if not all(isinstance(text, str) for text in (prompt, *both)):
            raise ValueError("prompt, chosen and rejected must be strings")
        better, other = (f" {text.strip()}" for text in both)
        if better == other:
            raise ValueError("chosen and rejected are the same")
        name = f"{data['id']}-{data['t']}" if {"id", "t"} <= set(data) else str(data.get("id", name))
        source = _rest(data, "prompt", "chosen", "rejected")
        return Example(name, "preference", prompt.rstrip(), better, (better, other), source=source)
    turns = tuple(ChatTurn(*turn) for turn in data.get("turns", ()))
    return Example(**{**data, "choices": tuple(data.get("choices", ())), "turns": turns})


def _rest(data: Mapping[str, Any], *taken: str) -> dict[str, Json]:
    """Return the fields of a line that are not the text, under names that an example's source has."""
    kept = {key: value for key, value in data.items() if key not in taken}
    # A source's "task" is a whole task, and an export's is its id.
    return {"task_id" if key == "task" else key: value for key, value in kept.items()}


def _turn(message: Mapping[str, Any]) -> ChatTurn:
    """Return one message of a conversation; a text in one part is as good as a string."""
    role, content = message["role"], message["content"]
    if role not in ("system", "user", "assistant"):
        raise ValueError(f"a message's role is {role!r}, not 'system', 'user' or 'assistant'")
    if isinstance(content, list):
        if any(part.get("type") != "text" for part in content):
            raise ValueError("a message shows an image, and pathei's trainers read text: export without images")
        content = "\n".join(part["text"] for part in content)
    if not isinstance(content, str):
        raise ValueError("a message's content is no text")
    return ChatTurn(role, content)
