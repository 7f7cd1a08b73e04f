"""What `virtualhome.py` measures pathei against: an executable specification, and the original simulator.

Neither belongs to pathei. The specification is a file in a folder that the user names; the original is installed from
PyPI into a temporary folder, and of it only the evolving graph is imported.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pathei.envs.virtualhome.engine.profiles import rules_named

RIVAL = "virtualhome==2.3.0"

Steps = Sequence[tuple[str, Sequence[int]]]
"""Verbs in upper case with the ids of their objects."""


class Source(NamedTuple):
    """A graph and the script lines that are played in it."""

    name: str
    graph: dict[str, Any]
    lines: tuple[str, ...]


def load_spec(folder: Path) -> Any:
    """Import the executable specification from a folder, or return None and say why."""
    path = folder / "spec_engine.py"
    if not path.is_file():
        print(f"The specification is skipped: there is no {path.name} in {folder}.")
        return None
    spec = importlib.util.spec_from_file_location("spec_engine", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spec_steps(spec: Any, lines: Sequence[str]) -> Steps:
    """Parse script lines as the specification does."""
    return [(verb.upper(), ids) for verb, ids in map(spec.parse, lines)]


def spec_replay(spec: Any, profile: str, played: Sequence[tuple[dict[str, Any], Steps]]) -> Callable[[], int]:
    """Act in the specification, graph by graph, undone to the beginning each time."""
    engines = []
    for graph, steps in played:
        engine = spec.Engine(graph, profile)
        engines.append((engine, len(engine.log), set(engine.known), steps))

    def run() -> int:
        done = 0
        for engine, beginning, known, steps in engines:
            engine.undo(beginning)
            engine.known = set(known)
            for verb, ids in steps:
                mark = len(engine.log)
                try:
                    engine.step(verb, *ids)
                except spec.Raises:
                    engine.undo(mark)
            done += len(steps)
        return done

    return run


def spec_listing(spec: Any, profile: str, graph: dict[str, Any]) -> Callable[[], int]:
    """Try every grounded action in the specification and undo it: it has no other way to list."""
    engine = spec.Engine(graph, profile)
    arity = [(key, rule.arity) for key, rule in rules_named(profile).table.items()]

    def run() -> int:
        ids = list(engine.cls)
        held = engine.held()
        for verb, number in arity:
            for args in itertools.product(*([], [ids], [held, ids])[number]):
                mark, known = len(engine.log), set(engine.known)
                with contextlib.suppress(spec.Raises):
                    engine.step(verb, *args)
                engine.undo(mark)
                engine.known = known
        return 1

    return run


def load_rival(folder: Path) -> tuple[Any, Any, Any] | None:
    """Install the original into a folder and import its evolving graph alone, or return None and say why."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), RIVAL]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode:
        reason = (installed.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"{RIVAL} is skipped: pip could not install it ({reason}).")
        return None
    # Its own __init__ starts a game engine's client, so the folder of the evolving graph is imported by itself.
    sys.path.insert(0, str(folder / "virtualhome" / "simulation"))
    try:
        parts = [importlib.import_module(f"evolving_graph.{name}") for name in ("environment", "execution", "scripts")]
    except ImportError as error:
        print(f"{RIVAL} is skipped: its evolving graph cannot be imported here ({error}).")
        return None
    finally:
        sys.path.pop(0)
    return parts[0], parts[1], parts[2]


class Rival(NamedTuple):
    """A program's beginning in the original simulator."""

    executor: Any
    state: Any
    source: Source


def rivals(parts: tuple[Any, Any, Any], found: list[Source]) -> list[Rival]:
    """Set sources up in the original."""
    environment, execution, _ = parts
    made = []
    for source in found:
        graph = environment.EnvironmentGraph(source.graph)
        state = environment.EnvironmentState(graph, {}, instance_selection=True)
        made.append(Rival(execution.ScriptExecutor(graph, {}), state, source))
    return made


def rival_replay(parts: tuple[Any, Any, Any], found: list[Source]) -> Callable[[], int]:
    """Parse every line and act, a new state each step, as the original does; all programs from the beginning."""
    made, parse = rivals(parts, found), parts[2].read_script_from_list_string

    def run() -> int:
        done = 0
        for executor, state, source in made:
            for line in source.lines:
                with contextlib.suppress(TypeError, AttributeError):  # Find of what is not close breaks there
                    _, state = executor.execute_one_step(parse([line]), state)
            done += len(source.lines)
        return done

    return run


def rival_listing(parts: tuple[Any, Any, Any], found: list[Source]) -> Callable[[], int]:
    """Ask for every grounded action in the first moment whether it is possible; nothing is held there."""
    (executor, state, source), *_ = rivals(parts, found[:1])
    table = rules_named("vh23").table.values()
    lines = [f"[{rule.verb}]" for rule in table if rule.arity == 0]
    lines += [f"[{rule.verb}] <x> ({n['id']})" for rule in table if rule.arity == 1 for n in source.graph["nodes"]]
    scripts = [parts[2].read_script_from_list_string([line]) for line in lines]

    def run() -> int:
        for script in scripts:
            with contextlib.suppress(TypeError, AttributeError):
                executor.check_one_step(script, state)
        return 1

    return run
