"""Commands worth trying, for exploration and search: verbs applied to the paths and words that are in sight.

In sight is what tab completion would offer (the entries of the working directory), what the instruction names in
backquotes, and the existing paths in the last output. Free-form commands are accepted all the same.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from typing import Final

from .files import Tree

MOST: Final = 60
"""No more commands are listed."""
VERBS: Final = (
    *("ls", "cd", "cat", "wc", "head", "tail", "rm", "mkdir", "touch", "chmod", "cp", "mv", "ln"),
    *("gzip", "gunzip", "sort", "unique", "grep", "count", "append", "submit"),
)
"""The verbs that a task may allow."""
GRAPH_VERBS: Final = ("ls", "cd", "rm", "chmod", "cp", "mv", "gzip", "gunzip")
"""The verbs that bring about what a goal on the graph of files asks for."""
_NAMED = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[\w][\w.:@/-]*")
_SHOWN, _ANSWERS = 6, 8


def named_in(text: str) -> tuple[str, ...]:
    """Return what an instruction names in backquotes, in order, each once."""
    return tuple(dict.fromkeys(_NAMED.findall(text)))


def suggest(tree: Tree, cwd: str, home: str, instruction: str, output: str, verbs: Sequence[str]) -> tuple[str, ...]:
    """Return commands, in a fixed order, at most `MOST`; none of them is unknown to the shell.

    Args:
        tree: The files.
        cwd: The working directory, absolute.
        home: The home directory, absolute; names in the instruction are relative to it.
        instruction: The goal in words.
        output: What the last command wrote.
        verbs: Which of `VERBS` may be used.
    """
    names = named_in(instruction)
    absolute = {name: posixpath.normpath(posixpath.join(home, name)) for name in names}
    named = {name: path for name, path in absolute.items() if _is_path(name) or _kind(tree, path)}
    paths = [(path, _kind(tree, path)) for path in named.values()]
    if "the home directory" in instruction:
        paths.append((home, _kind(tree, home)))
    words = [name for name in names if name not in named]
    inside = cwd.strip("/") + "/"
    entries = sorted(path for path in tree if path.startswith(inside) and "/" not in path[len(inside) :])
    near = [(f"/{path}", tree[path].kind) for path in entries if not path.startswith(("usr", "proc", "dev"))]
    written = [(f"/{path}", tree[path].kind) for path in _told(output, cwd, tree)]
    known = list(dict.fromkeys([*paths, *near[:_SHOWN], *written[:_SHOWN]]))
    commands = ["ls"] if "ls" in verbs else []
    if "cd" in verbs and cwd != home:
        commands.append("cd")
    if "submit" in verbs:
        commands += [f"submit {shlex.quote(word)}" for word in _answers(output)]
    for path, kind in known:
        commands += _single(_short(path, cwd), kind, words, verbs, named=(path, kind) in paths)
    for source, kind in paths:
        for target, _ in paths:
            if source != target and kind != "":
                commands += _pair(source, _short(source, cwd), _short(target, cwd), kind, words, verbs)
    return tuple(dict.fromkeys(commands))[:MOST]


def _is_path(name: str) -> bool:
    return "/" in name or "." in name


def _kind(tree: Tree, path: str) -> str:
    node = tree.get(path.strip("/"))
    return "" if node is None else node.kind


def _short(path: str, cwd: str) -> str:
    inside = path.startswith(cwd.rstrip("/") + "/")
    return shlex.quote(posixpath.relpath(path, cwd) if inside else path)


def _told(output: str, cwd: str, tree: Tree) -> list[str]:
    words = dict.fromkeys(_WORD.findall(output[:2000]))
    paths = (posixpath.normpath(posixpath.join(cwd, word)).strip("/") for word in words)
    return [path for path in dict.fromkeys(paths) if path in tree]


def _answers(output: str) -> list[str]:
    """The likely answers in an output: its words, if they are few, else its first and last ones."""
    words = list(dict.fromkeys(_WORD.findall(output[:4000])))
    return words if len(words) <= _ANSWERS else [*words[: _ANSWERS // 2], *words[-_ANSWERS // 2 :]]


def _single(path: str, kind: str, words: Sequence[str], verbs: Sequence[str], *, named: bool) -> list[str]:
    on_file = [
        ("cat", f"cat {path}"),
        ("wc", f"wc -l {path}"),
        ("head", f"head -n 1 {path}"),
        ("tail", f"tail -n 1 {path}"),
    ]
    on_file += [("count", f"grep -c {shlex.quote(word)} {path}") for word in words[:3]]
    change = [("rm", f"rm {path}"), ("chmod", f"chmod 755 {path}"), ("chmod", f"chmod 600 {path}")]
    change += [("gunzip", f"gunzip {path}")] if path.endswith(".gz") else [("gzip", f"gzip -n {path}")]
    change += [("append", f"echo {shlex.quote(word)} >> {path}") for word in words[:3]]
    if kind == "file":
        wanted = on_file + (change if named else [])
    elif kind == "dir":
        wanted = [("ls", f"ls {path}"), ("cd", f"cd {path}"), ("count", f"ls -A {path} | wc -l")]
        wanted += [("rm", f"rm -r {path}")] if named else []
    elif named:
        wanted = [("mkdir", f"mkdir -p {path}"), ("touch", f"touch {path}")]
        wanted += [("append", f"echo {shlex.quote(word)} > {path}") for word in words[:3]]
    else:
        wanted = []
    return [command for verb, command in wanted if verb in verbs]


def _pair(whole: str, source: str, target: str, kind: str, words: Sequence[str], verbs: Sequence[str]) -> list[str]:
    wanted = [("cp", f"cp -r {source} {target}"), ("mv", f"mv {source} {target}"), ("ln", f"ln -sfn {whole} {target}")]
    if kind == "file":
        wanted += [("sort", f"sort {source} > {target}"), ("unique", f"sort -u {source} > {target}")]
        wanted += [("wc", f"wc -l < {source} > {target}"), ("head", f"head -n 1 {source} > {target}")]
        wanted += [("append", f"cat {source} >> {target}")]
        wanted += [("grep", f"grep {shlex.quote(word)} {source} > {target}") for word in words[:3]]
    return [command for verb, command in wanted if verb in verbs]
