"""How InterCode-Bash and AgentBench-OS judge an episode, after their own definitions.

InterCode (Yang et al. 2023, arXiv 2306.14898): 0.01 + 0.33 (1 - erf(number of paths changed by one and not the other))
+ 0.33 (share of equal content among the files that both made) + 0.33 (TF-IDF cosine of the two outputs). There,
changes are what `git status --short` lists; here they are read from the layers, and new files count one by one where
git names a new directory. AgentBench (Liu et al. 2023, arXiv 2308.03688): the answer matches, or a chain of programs,
each given the answer and what those before it wrote, ends with status 0.
"""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..conditions import FileView
from ..files import Tree, difference
from ..sandbox.sandbox import Frozen, Ran, Sandbox

Start = Callable[[Frozen], None]
_WHERE = re.compile(r"^(?:bash|environment): (?:eval: )?line \d+: ", re.MULTILINE)
_STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_TOKEN = re.compile(r"\b\w\w+\b")


class Judgement(NamedTuple):
    """What a reference command did."""

    tree: Tree
    output: str


def readable(ran: Ran) -> str:
    """Return an output as text: what is not UTF-8, and control characters, as the replacement character."""
    text = ran.output.decode("utf-8", "replace").replace("\r\n", "\n")
    text = _WHERE.sub("bash: ", _STRANGE.sub("\ufffd", text))
    if ran.status:
        text += f"{'' if not text or text.endswith(chr(10)) else chr(10)}[exit {ran.status}]\n"
    return text


def run_gold(sandbox: Sandbox, base: Frozen, gold: str, start: Start) -> Judgement:
    """Run a reference command on the files of the beginning; the present moment is put back."""
    now = sandbox.freeze()
    start(base)
    ran = sandbox.run(gold)
    outcome = Judgement(sandbox.tree, readable(ran))
    start(now)
    return outcome


def intercode_reward(view: FileView, output: str, gold: Judgement) -> float:
    """Return InterCode's reward, in [0.01, 1]."""
    mine, right = _changes(view.start, view.now), _changes(view.start, gold.tree)
    apart = len(set(mine) ^ set(right))
    both = [path for path in set(mine) & set(right) if mine[path] == right[path] == "+"]
    equal = sum(view.now[path].content == gold.tree[path].content for path in both)
    files = round(0.33 * (1 - math.erf(apart)), 2)
    contents = round(0.33 * (equal / len(both)), 2) if both else 0.33
    return round(0.01 + files + contents + round(0.33 * similarity(output, gold.output), 2), 2)


def _changes(before: Tree, after: Tree) -> dict[str, str]:
    rows = difference(before, after)
    # Git does not see directories.
    return {path: sign for sign, path, kind, _ in rows if kind != "dir"}


def similarity(one: str, other: str) -> float:
    """Return the cosine of two texts' TF-IDF vectors, as scikit-learn's `TfidfVectorizer` makes them of these two.

    Where neither has a word of two letters it is 1 for equal texts and 0 for others.
    """
    counts = [Counter(_TOKEN.findall(text.lower())) for text in (one, other)]
    if not counts[0] and not counts[1]:
        return float(one == other)
    # Smooth idf over two documents: ln((1 + 2) / (1 + n)) + 1.
    weight = {t: math.log(3 / (1 + (t in counts[0]) + (t in counts[1]))) + 1 for t in {*counts[0], *counts[1]}}
    vectors = [{token: n * weight[token] for token, n in count.items()} for count in counts]
    norms = [math.sqrt(sum(x * x for x in vector.values())) for vector in vectors]
    dot = sum(x * vectors[1].get(token, 0.0) for token, x in vectors[0].items())
    return dot / (norms[0] * norms[1]) if all(norms) else 0.0


def agentbench_success(condition: Mapping[str, Any], sandbox: Sandbox, answer: str, start: Start) -> bool:
    """Judge an answer as AgentBench-OS does; the present moment is put back."""
    if "match" in condition:
        match = condition["match"]
        if isinstance(match, str):
            return answer.strip() == match.strip()
        if "regex" in match:
            return re.search(match["regex"], answer) is not None
        right = str(match.get("answer", ""))
        return answer.strip() == right.strip() if match.get("strip", True) else answer == right
    now = sandbox.freeze()
    given = [answer]
    try:
        for script in condition["checks"]:
            # None stands for the task's own example: it says what is right now.
            ran = sandbox.run(command_of(script or condition["example"], given))
            if ran.status != 0:
                return False
            given.append(ran.output.decode("utf-8", "replace"))
        return True
    finally:
        start(now)


def command_of(script: Sequence[str], arguments: Sequence[str]) -> str:
    """Return the command that runs a script `(language, code)` with arguments in a process of its own."""
    language, code = script
    program = ["python3", "-c", code] if language == "python" else ["bash", "-c", code, "--"]
    return shlex.join([*program, *arguments])
