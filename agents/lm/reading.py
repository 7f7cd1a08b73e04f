"""Reading a language model's answer: the action that it names, in whatever harmless form, and the thought before it.

Thinking (`<think>` and its like) is cut off first, so nothing in it is ever done. Then an action is read from a tool
call in any of the notations that models are trained on, JSON, a line `Action: ...`, or a line by itself, without
bullets, numbers, quotes and emphasis around it. Not here: whether the action is possible (`agent`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from ...experience import Json

_TAG: Final = r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|scratchpad)"
_OPENS: Final = re.compile(
    rf"<{_TAG}(?:\s[^<>]*)?>|<\|(?:(?:begin_of|start)_)?{_TAG}\|>|\[THINK\]|◁think▷"
    r"|<\|channel\|>(?:analysis|commentary)<\|message\|>",
    re.IGNORECASE,
)
_CLOSES: Final = re.compile(
    rf"</{_TAG}\s*>|<\|(?:/|end_of_|end_){_TAG}\|>|\[/THINK\]|◁/think▷|<\|channel\|>final<\|message\|>", re.IGNORECASE
)
_SPECIAL: Final = re.compile(
    r"<\|channel\|>[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>|<\|[\w /]{1,40}\|>|<\uff5c[^\uff5c<>]{1,40}\uff5c>"
    r"|\[(?:TOOL_CALLS|ARGS|TOOL_REQUEST|END_TOOL_REQUEST)\]|<start_of_turn>(?:model\b)?|<end_of_turn>"
)
"""Tokens of chat templates that a server has left in the text."""
_ENDS: Final = re.compile(r"(?:<\|?/?(?:s|eos|end|return|im_end|eot_id|end_of_turn|endoftext)\|?>\s*)+$")
_LABEL: Final = re.compile(
    r"^[\s*_#>`-]*(?:(?:my|the|next|final|best|chosen)[ \t]+)*(?:action|answer|command|act)(?:[ \t]*\d+)?"
    r"[ \t*_`]*(?:[:\uff1a=]|[ \t]is\b:?|(?=$))[ \t*_]*(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_THOUGHT: Final = re.compile(r"^[\s*_#>-]*thought[\s*_]*:[ \t*_]*", re.IGNORECASE)
_FENCE: Final = re.compile(r"^[ \t]*```[\w-]*[ \t]*\n(.*?)(?:^[ \t]*```|\Z)", re.MULTILINE | re.DOTALL)
_FENCED: Final = re.compile(r"[ \t]*```[\w-]*\s*$|[{\[(`]+\s*$")
_INPUT: Final = re.compile(r"^[\s*_]*action[ _]input[*_]*:[*_]*\s*(.+)", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_INSIDE: Final = re.compile(
    r"<(action|answer|solution|response|tool_call|function_call)>\s*(.*?)\s*(?:</\1>|\Z)"
    r"|\\boxed\{(?:\\text\{)?(.*?)\}",
    re.DOTALL | re.IGNORECASE,
)
_FUNCTION: Final = re.compile(
    r"<(?:function|invoke)(?:=|\s+name=)\"?([\w.]+)\"?>(.*?)(?:</(?:function|invoke)>|\Z)", re.DOTALL
)
_PARAMETER: Final = re.compile(
    r"<parameter(?:=|\s+name=)\"?(\w+)\"?>\s*(.*?)\s*(?:</parameter>|\Z)"
    r"|<arg_key>\s*(\w+)\s*</arg_key>\s*<arg_value>\s*(.*?)\s*(?:</arg_value>|\Z)",
    re.DOTALL,
)
_PYTHON_CALL: Final = re.compile(r"^(?:print\()?(?:\w+\.)*act\((?:\s*\w+\s*=)?\s*([\"'])(.*)\1\s*\){1,2};?$")
_BROKEN: Final = re.compile(r"[{,\s][\"']?(?:next_)?(?:action|command)[\"']?\s*:\s*([\"'])(.+?)\1", re.IGNORECASE)
"""An action in what was meant as JSON."""
_JSON_BEGINS: Final = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)
_BULLET: Final = re.compile(r"^(?:[-*+•>→$☐]+|\[[ xX]?\]|\(?\d{1,3}[.):])\s+")
_NUMBER: Final = re.compile(r"^[\s*_]*\(?\d{1,3}[.):]\s")
_REMARK: Final = re.compile(
    r"\s+[(\u2013\u2014-]\s*\D.*$|[,.;]?\s+(?:because|since|so that|in order to)\s.*$|[.;]\s.*$", re.IGNORECASE
)
_SPEAKS: Final = re.compile(
    r"^(?:(?:sure|okay|ok|yes|certainly|now|first|next|then)[,!.]?\s+)*(?:let(?:'s|\s+me|\s+us)|(?:i|we)(?:'ll|'d|\s+will"
    r"|\s+would|\s+should|\s+choose\s+to|\s+need\s+to|(?:'m|\s+am|'re|\s+are)\s+going\s+to)(?:\s+(?:now|first|next|then))?"
    r"|[^:\uff1a\n]{1,60}[:\uff1a]|[A-Za-z][.)])\s+",
    re.IGNORECASE,
)
_REFUSES: Final = re.compile(r"n't\b|\b(?:not|no|never|avoid|cannot|without|instead)\b", re.IGNORECASE)
_QUOTED: Final = re.compile(r"\"([^\"]+)\"|`([^`]+)`|\*\*([^*]+)\*\*|“([^”]+)”")
_AROUND: Final = re.compile(r"\s*([\[\]()<>])\s*")
_PAIRS: Final = ("**", "__", "`", '"', "'", "*", "“”", "\u2018\u2019", "«»", "„“")
_ACTION_KEYS: Final = (
    "action", "action_input", "next_action", "actions", "command", "act", "answer", "final_answer", "choice",
)  # fmt: skip
_THOUGHT_KEYS: Final = ("thought", "thoughts", "thinking", "reasoning", "reason", "rationale")
_TOOL_KEYS: Final = ("name", "tool", "tool_name", "function")
_GIVEN_KEYS: Final = ("arguments", "args", "parameters", "params", "input", "tool_input")
TOOL: Final = "act"
"""The name of the tool whose call is an action."""


class AnswerReading(NamedTuple):
    """What an answer says."""

    thought: str
    action: str
    """Empty if it names none."""
    others: tuple[str, ...] = ()
    """Other readings of the action, which count only where they are among the possible actions."""
    unfinished: bool = False
    """Whether it broke off while thinking."""


def cut_thinking(text: str) -> tuple[str, str | None]:
    """Return what was thought, and the answer after it; None for the answer if the thinking is not at its end."""
    thoughts: list[str] = []
    opened = _OPENS.search(text)
    closed = _CLOSES.search(text)
    if closed is not None and (opened is None or closed.start() < opened.start()):
        # The template had opened it in the prompt.
        thoughts, text = [text[: closed.start()]], text[closed.end() :]
    while (opened := _OPENS.search(text)) is not None:
        closed = _CLOSES.search(text, opened.end())
        thoughts.append(text[opened.end() : None if closed is None else closed.start()])
        if closed is None:
            return _joined([text[: opened.start()], *thoughts]), None
        text = f"{text[: opened.start()]}\n{text[closed.end() :]}"
    while (closed := _CLOSES.search(text)) is not None:  # what was opened twice
        thoughts.append(text[: closed.start()])
        text = text[closed.end() :]
    return _joined(thoughts), _ENDS.sub("", text.strip())


def read_answer(text: str, *, thought: bool) -> AnswerReading:
    """Read an answer.

    Args:
        text: What the model said.
        thought: Whether it was to think first. The action is then what follows the first `Action:`, and all before it
            is the thought; otherwise it is that, or the first line if there is no `Action:`.
    """
    before, rest = cut_thinking(text)
    if rest is None:
        return AnswerReading(before, "", unfinished=True)
    found = _read(_SPECIAL.sub("\n", rest).strip(), thought and not before)
    return found._replace(thought=_joined([before, found.thought]))


def breaks_off(text: str) -> bool:
    """Whether an answer that a stop string has ended looks as if it had only begun: thinking, a fence, a label."""
    rest = cut_thinking(text)[1]
    if rest is None or not rest or _FENCED.match(rest):
        return True
    found = _LABEL.search(rest)
    return not rest[found.start(1) :].strip() if found is not None else _THOUGHT.match(rest) is not None


def _read(text: str, thought: bool) -> AnswerReading:
    found = _LABEL.search(text)
    label = "" if found is None else clean(found[1])
    ahead = "" if found is None else _THOUGHT.sub("", text[: found.start()].strip()).strip()
    after = "" if found is None else text[found.start(1) :].strip()
    if (said := _called(text, label)) is not None:
        return said._replace(thought=_joined([ahead, said.thought]))
    for part in (after, *(match[1] for match in _FENCE.finditer(text)), *_tagged(text), text, *_within(text)):
        if (said := _from_json(part.strip())) is not None and said.action:
            return said._replace(thought=_joined([ahead, said.thought]))
    if found is not None:
        lines = [label] if label else _lines(after)
        return AnswerReading(ahead, lines[0] if lines else "", tuple(loosely(lines[0])) if lines else ())
    tagged = [line for part in _tagged(text) for line in _lines(part)[:1]]
    if tagged:
        return AnswerReading(_THOUGHT.sub("", text[: text.index("<")].strip()) if "<" in text else "", tagged[0])
    lines = _lines(text)
    if thought:
        lines = _last_first(text)
        return AnswerReading(_THOUGHT.sub("", text.strip()), "", (*lines, *(loosely(lines[0]) if lines else ())))
    return AnswerReading("", lines[0] if lines else "", (*lines[1:], *(loosely(lines[0]) if lines else ())))


def _called(text: str, label: str) -> AnswerReading | None:
    """Read a call that is written in tags, in Python or as an action with its input; None if there is none."""
    if (named := _INPUT.search(text)) is not None and label:
        given = named[1].strip()
        return _from_value({"name": label, "arguments": given if given[:1] in "{[" else clean(given.splitlines()[0])})
    tagged = _FUNCTION.search(text)
    pairs = {one[1] or one[3]: one[2] or one[4] or "" for one in _PARAMETER.finditer(text)}
    if tagged is not None and not pairs:
        return _from_value({"name": tagged[1], "arguments": tagged[2].strip()})
    if pairs:
        return _from_value({"name": tagged[1] if tagged is not None else TOOL, "arguments": {**pairs}})
    python = next((found for line in _lines(text) if (found := _PYTHON_CALL.match(line))), None)
    return None if python is None else AnswerReading("", clean(python[2]))


def _last_first(text: str) -> list[str]:
    """Return the lines from the last to the first; of a numbered list, which is a plan, the first step comes first."""
    lines = [line for line in text.splitlines() if _lines(line)]
    begin = len(lines)
    while begin and _NUMBER.match(lines[begin - 1]):
        begin -= 1
    ordered = [*lines[begin:], *reversed(lines[:begin])]
    return [line for one in ordered for line in _lines(one)]


def loosely(line: str) -> list[str]:
    """Return what else a line may mean: without what leads to the action, what follows it, or what encloses it.

    Such a reading counts only where it is among the possible actions.
    """
    if _REFUSES.search(line):
        return []
    quoted = [next(filter(None, found.groups())) for found in _QUOTED.finditer(line)]
    led = [line, _SPEAKS.sub("", line, count=1)]
    forms = [*led, *(_REMARK.sub("", one) for one in led), *(one[1:-1] for one in led if one[0] in "[(_")]
    return [form for one in dict.fromkeys([*forms, *(quoted if len(quoted) == 1 else ())]) if (form := clean(one))]


def clean(line: str) -> str:
    """Return a line without what only surrounds an action: bullets, a number in front, quotes, emphasis."""
    before, line = "", _ENDS.sub("", line.strip())
    while line != before:
        before, line = line, _BULLET.sub("", line).strip()
        for pair in _PAIRS:
            left, right = (pair[0], pair[1]) if pair[0] != pair[-1] else (pair, pair)
            whole = line[:-1] if line.endswith((f"{right}.", f"{right}!")) else line
            inner = whole[len(left) : len(whole) - len(right)]
            if whole.startswith(left) and whole.endswith(right) and inner.strip() and right not in inner:
                line = inner.strip()
    return line


def normal(action: str) -> str:
    """Return an action as others are compared with it.

    It is clean, in small letters, with single spaces, none of them next to a bracket, and without a full stop.
    """
    return _AROUND.sub(r"\1", " ".join(clean(action).lower().split())).rstrip(".!")


def _lines(text: str) -> list[str]:
    lines = [clean(line) for line in text.splitlines() if not line.strip().startswith("```")]
    return [line for line in lines if line and not _THOUGHT.match(line)]


def _tagged(text: str) -> Iterator[str]:
    return (match[2] or match[3] or "" for match in _INSIDE.finditer(text))


def _within(text: str) -> Iterator[str]:
    """Yield the rest of a text from each line on that may begin JSON."""
    return (text[found.end() :] for found in _JSON_BEGINS.finditer(text))


def _from_json(text: str) -> AnswerReading | None:
    """Read a text that is JSON, or begins with it; None if it does not."""
    if not text.startswith(("{", "[", '"')):
        return None
    for end in (len(text), text.rfind("}") + 1, text.rfind("]") + 1, text.find("\n")):
        for said in (text[: max(0, end)], text[: max(0, end)].replace("'", '"')):
            try:
                return _from_value(orjson.loads(said))
            except orjson.JSONDecodeError:
                continue
    broken = _BROKEN.search(text)
    return None if broken is None else AnswerReading("", clean(broken[2]))


def _from_value(value: Any) -> AnswerReading:
    readings = list(dict.fromkeys(clean(one) for one in _readings(value, 0) if one.strip()))
    lowered = {str(key).lower(): inner for key, inner in value.items()} if isinstance(value, dict) else {}
    thought = next((str(lowered[key]) for key in _THOUGHT_KEYS if lowered.get(key)), "")
    return AnswerReading(thought, readings[0] if readings else "", tuple(readings[1:]))


def _readings(value: Json, depth: int) -> Iterator[str]:
    """Yield what a JSON value may mean as an action, likeliest first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list) and value and depth < 4:
        numbers = all(isinstance(one, int | float) for one in value)
        yield from [orjson.dumps(value).decode()] if numbers else _readings(value[0], depth + 1)
    elif isinstance(value, dict) and depth < 4:
        value = {str(key).lower(): inner for key, inner in value.items()}
        name, given = _call(value)
        for key in _ACTION_KEYS:
            if value.get(key) and not (key == "action" and value.get("action_input")):
                yield from _readings(value[key], depth + 1)
        if given is not None:
            yield from _readings(given, depth + 1)
            words = [str(one) for one in given.values()] if isinstance(given, dict) else [str(given)]
            if name and name != TOOL:
                yield " ".join([name, *words])
            yield " ".join(words)
        for inner in ("function", "tool_calls", "function_call"):
            if isinstance(value.get(inner), dict | list):
                yield from _readings(value[inner], depth + 1)
        if name and name != TOOL:
            yield name


def _call(value: dict[str, Json]) -> tuple[str, Json]:
    """Return the name and the arguments of a tool's call; none where it is no call."""
    name = next((value[key] for key in _TOOL_KEYS if isinstance(value.get(key), str)), "")
    given = next((value[key] for key in _GIVEN_KEYS if key in value), None)
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            return name, given
    return name, given


def _joined(parts: list[str]) -> str:
    return "\n".join(part.strip() for part in parts if part.strip())
