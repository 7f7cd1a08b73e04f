"""Task files of InterCode-Bash and AgentBench-OS, read from the user's folder; nothing of them comes with pathei.

* InterCode (https://github.com/princeton-nlp/intercode, MIT): `nl2bash_fs_1.json` ... `_4.json`, each a list of
  `{"query", "gold"}`, and the scripts `setup_nl2b_fs_1.sh` ... that make the file systems.
* AgentBench (https://github.com/THUDM/AgentBench, Apache-2.0): `data/os_interaction`, whose `data/N/*.json` hold
  `{"description", "create", "start", "evaluation"}` with scripts in `scripts/N`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ....errors import DataError
from ....experience import Goal, Task
from .generate import ENV_ID

_NUMBERED = re.compile(r"nl2bash_fs_(\d+)\.json")
_SUBMIT = "Submit an answer with `submit ANSWER`, or `submit` alone when you are done."


def load_intercode(folder: str | Path) -> list[Task]:
    """Read InterCode-Bash tasks: all `nl2bash_fs_N.json` below a folder, with the `setup_nl2b_fs_N.sh` below it.

    A task is done with the reward 1, as InterCode defines it (see `judges`), when `submit` is called.

    Raises:
        DataError: there is no such file, or one has another form; the message names it.
    """
    root = Path(folder)
    files = sorted(path for path in root.rglob("nl2bash_fs_*.json") if _NUMBERED.fullmatch(path.name))
    if not files:
        raise DataError(f"There is no nl2bash_fs_N.json below {root}: give the folder of a checkout of InterCode.")
    tasks = []
    for path in files:
        number = path.stem.rpartition("_")[2]
        scripts = sorted(root.rglob(f"setup_nl2b_fs_{number}.sh"))
        if not scripts:
            raise DataError(f"{path.name} needs setup_nl2b_fs_{number}.sh, which is not below {root}.")
        options = {"files": "bare", "setup": scripts[0].read_text("utf-8"), "cwd": "/", "user": "root"}
        for place, row in enumerate(_rows(path)):
            query, gold = row.get("query"), row.get("gold")
            gold = ";".join(gold) if isinstance(gold, list) else gold
            if not isinstance(query, str) or not isinstance(gold, str):
                raise DataError(f"Task {place} of {path.name} must have 'query' and 'gold' as text.")
            goal = Goal(query, ({"intercode": gold},))
            tasks.append(Task(f"intercode/{number}/{place}", ENV_ID, place, goal, options))
    return tasks


def load_agentbench(folder: str | Path) -> list[Task]:
    """Read AgentBench-OS tasks: all `data/N/*.json` below a folder `os_interaction`, with `scripts/N`.

    The container images that a task names are not built: it runs on the host's `/usr`.

    Raises:
        DataError: there is no such file, a script is missing, or one has another form; the message names it.
    """
    root = Path(folder)
    files = [path for path in sorted(root.glob("data/*/*.json")) if (root / "scripts" / path.parent.name).is_dir()]
    if not files:
        raise DataError(f"There is no data/N/*.json with scripts/N in {root}: give AgentBench's data/os_interaction.")
    tasks = []
    for path in files:
        scripts = root / "scripts" / path.parent.name
        for place, row in enumerate(_rows(path)):
            where = f"{path.parent.name}/{path.stem}/{place}"
            try:
                tasks.append(_agentbench_task(row, scripts, where))
            except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
                raise DataError(
                    f"The AgentBench task {where} cannot be read ({type(error).__name__}: {error})."
                ) from error
    return tasks


def _agentbench_task(row: Mapping[str, Any], scripts: Path, where: str) -> Task:
    create = row.get("create")
    # AgentBench passes over a 'create' that is a list, as some tasks have it.
    init = (create.get("init") or []) if isinstance(create, dict) else []
    setup = [_script(script, scripts) for script in (init if isinstance(init, list) else [init])]
    options: dict[str, Any] = {
        "files": "bare",
        "user": "root",
        "cwd": "/",
        "setup": "\n".join(_run(script) for script in setup if script),
    }
    start = _script(row.get("start"), scripts)
    if start is not None:
        options["start"] = start[1]
    evaluation = row["evaluation"]
    if "match" in evaluation:
        condition: dict[str, Any] = {"match": evaluation["match"]}
    else:
        checks = evaluation["check"]
        chain = [_script(script, scripts) for script in (checks if isinstance(checks, list) else [checks])]
        example = _script(evaluation.get("example"), scripts)
        if None in chain and example is None:
            raise ValueError("a check is null and there is no example")
        condition = {"checks": chain, "example": example}
    goal = Goal(f"{row['description']}\n{_SUBMIT}", (condition,))
    return Task(f"agentbench/{where}", ENV_ID, 0, goal, options)


def _script(script: Any, folder: Path) -> list[str] | None:
    """Return a script as `[language, code]`, read from its file if it names one."""
    if script is None:
        return None
    if isinstance(script, str):
        return ["bash", script]
    code = (folder / script["file"]).read_text("utf-8") if "file" in script else script["code"]
    return [str(script.get("language", "bash")), str(code)]


def _run(script: list[str]) -> str:
    from .judges import command_of

    return command_of((script[0], script[1]), ())


def _rows(path: Path) -> list[Mapping[str, Any]]:
    try:
        rows = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise DataError(f"{path.name} cannot be read as JSON: {error}.") from error
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path.name} must hold a list of tasks.")
    return rows
