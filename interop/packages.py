"""Environments as files of others: a package for verifiers, and task folders for Harbor.

`pathei serve ENV --as verifiers --out FOLDER` writes a package of one module, which `vf.load_environment` loads once it
is installed. `--as harbor` writes one folder per task, as Harbor has them: the agent plays the environment through the
MCP server that `task.toml` names, and the test does its actions again (`pathei verify`) and gives 1 if the goal was
reached. Not here: building images and running Harbor, which is the user's.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from ..errors import ConfigError, ExportError
from ..experience import Task
from ..export.common import output

_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")


def write_verifiers_package(out: Path, env: str, *, tasks: str, seed: int, steps: int) -> str:
    """Write a package that verifiers loads.

    Args:
        out: The folder to make.
        env: The environment, as `pathei env list` calls it.
        tasks: A number of tasks, the name of a task set, or a file, by default.
        seed: Seeds generated tasks, by default.
        steps: The longest episode, by default.

    Returns:
        The name that `vf.load_environment` takes.

    Raises:
        ExportError: something is at `out`, or it cannot be written.
    """
    name = f"pathei-{slug(env)}"
    module = name.replace("-", "_")
    path = Path(tasks)
    tasks = str(path.resolve()) if not tasks.isdecimal() and path.is_file() else tasks
    with output(out, overwrite=False) as folder:
        folder.mkdir()
        (folder / "pyproject.toml").write_text(_PYPROJECT.format(name=name, module=module, env=env), "utf-8")
        defaults = f"tasks={json.dumps(tasks)}, seed={seed}, steps={steps}"
        (folder / f"{module}.py").write_text(_MODULE.format(env=env, name=json.dumps(env), defaults=defaults), "utf-8")
    return name


def write_harbor_tasks(out: Path, env: str, tasks: Sequence[Task], *, steps: int) -> int:
    """Write a folder with one Harbor task in each of its folders, and return how many.

    Args:
        out: The folder to make.
        env: The environment, as `pathei env list` calls it.
        tasks: The tasks.
        steps: The longest episode.

    Raises:
        ConfigError: there is no task.
        ExportError: something is at `out`, or it cannot be written.
    """
    if not tasks:
        raise ConfigError("There is no task to write: give at least one.")
    width = len(str(len(tasks) - 1))
    with output(out, overwrite=False) as folder:
        folder.mkdir()
        for number, task in enumerate(tasks):
            _write_harbor_task(folder / f"{slug(env)}-{number:0{width}}", env, task, steps)
    return len(tasks)


def slug(text: str) -> str:
    """Return a text as part of a package's name: small letters and digits, joined by hyphens.

    Raises:
        ExportError: nothing of it is left.
    """
    found = _NOT_IN_NAMES.sub("-", text.lower()).strip("-")
    if not found:
        raise ExportError(f"No package can be named after {text!r}.")
    return found


def _write_harbor_task(folder: Path, env: str, task: Task, steps: int) -> None:
    line = orjson.dumps(task, option=orjson.OPT_APPEND_NEWLINE)
    files = {
        "instruction.md": _INSTRUCTION.format(goal=task.goal.text or "No goal is set.", steps=steps),
        "task.toml": _TASK_TOML.format(
            name=json.dumps(f"pathei/{folder.name}"), what=json.dumps(task.goal.text), env=json.dumps(env), steps=steps
        ),
        "environment/Dockerfile": _DOCKERFILE,
        "tests/test.sh": _TEST.format(steps=steps),
        "solution/solve.sh": _SOLUTION.format(env=env, steps=steps),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o755 if name.endswith(".sh") else 0o644)
    for name in ("environment/task.jsonl", "tests/task.jsonl"):
        (folder / name).write_bytes(line)


_PYPROJECT: Final = textwrap.dedent(
    """\
    [build-system]
    requires = ["setuptools>=77"]
    build-backend = "setuptools.build_meta"

    [project]
    name = "{name}"
    version = "0.1.0"
    description = "The environment {env} of pathei, for verifiers"
    requires-python = ">=3.11"
    dependencies = ["pathei", "verifiers>=0.1.10,<0.2"]

    [tool.setuptools]
    py-modules = ["{module}"]
    """
)
_MODULE: Final = textwrap.dedent(
    '''\
    """The environment {env} of pathei, for `verifiers.load_environment`."""

    from pathei.integrations import verifiers


    def load_environment({defaults}):
        """Return the environment; the arguments are those of `pathei.integrations.verifiers.load_environment`."""
        return verifiers.load_environment({name}, tasks=tasks, seed=seed, steps=steps)
    '''
)
_INSTRUCTION: Final = textwrap.dedent(
    """\
    {goal}

    You act in a simulated environment through the tools of the MCP server `world`. `look` shows what you see and which
    actions are admissible, `act` takes one of them, and `finish` ends the episode. There are at most {steps} actions,
    and what is done cannot be undone. Only what you do through these tools counts.
    """
)
_TASK_TOML: Final = textwrap.dedent(
    """\
    schema_version = "1.1"

    [task]
    name = {name}
    description = {what}
    keywords = ["pathei", {env}]

    [metadata]
    category = "embodied"

    [agent]
    timeout_sec = 1800.0

    [verifier]
    timeout_sec = 300.0

    [environment]
    build_timeout_sec = 1200.0
    cpus = 1
    memory_mb = 2048
    storage_mb = 4096

    [[environment.mcp_servers]]
    name = "world"
    transport = "stdio"
    command = "pathei"
    args = ["serve", {env}, "--as", "mcp", "--tasks", "/app/task.jsonl", "--steps", "{steps}", "--out", "/app/played"]
    """
)
_DOCKERFILE: Final = textwrap.dedent(
    """\
    FROM python:3.11-slim
    # What pip installs: a version, a wheel's address, or `pathei[memory] @ git+...`.
    ARG PATHEI="pathei[memory]"
    RUN pip install --no-cache-dir "$PATHEI"
    COPY task.jsonl /app/task.jsonl
    WORKDIR /app
    """
)
_TEST: Final = textwrap.dedent(
    """\
    #!/bin/bash
    # Does the agent's actions again in a new environment: 1 if the goal is reached, 0 if not, or if nothing was done.
    mkdir -p /logs/verifier
    echo 0 > /logs/verifier/reward.txt
    done=/tmp/results.jsonl
    pathei store export /app/played $done --format results --overwrite || exit 0
    pathei verify $done --tasks /tests/task.jsonl --steps {steps} --workers 0 --json > /tmp/verified.json || exit 0
    python3 - <<'END'
    import json

    with open("/tmp/verified.json") as file:
        success = json.load(file)["success"]
    with open("/logs/verifier/reward.txt", "w") as file:
        file.write(f"{{int(success == 1)}}\\n")
    END
    """
)
_SOLUTION: Final = textwrap.dedent(
    """\
    #!/bin/bash
    # Does the demonstration.
    pathei collect /app/played scripted --env {env} --tasks /app/task.jsonl --steps {steps} --workers 0
    """
)
