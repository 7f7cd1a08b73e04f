"""A store's card, as data sets on the Hugging Face Hub have one, and the way there.

The card says what the store holds: environments, collectors, how many episodes and how many of them reached their goal,
seeds and versions. `push_to_hub` uploads an export with its card. Not here: accounts; huggingface_hub reads its token
from where `hf auth login` has put it.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from ..errors import ConfigError, ExportError
from ..extras import needed_by
from ..store import ExperienceStore
from .dispatch import export

FILES: Final[Mapping[str, str]] = {
    "parquet": "data.parquet",
    "chat": "data.jsonl",
    "prompt-completion": "data.jsonl",
    "agent-traces": "sessions",
    "atif": "trajectories",
}
"""The formats that the Hub shows or loads, and the file or folder that holds an export in them."""
_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_REPO: Final = re.compile(r"[\w.-]+(/[\w.-]+)?")


def card(store: ExperienceStore, *, name: str = "", licence: str = "", format: str = "parquet") -> str:
    """Return a store's card: Markdown, with the head in YAML that the Hub reads.

    Args:
        store: An open store; all its episodes are read.
        name: What the data set is called; the name of the store's folder if empty.
        licence: The licence, as the Hub abbreviates it (`cc-by-4.0`); "not stated" if empty.
        format: The format of the data next to the card, one of `FILES`.
    """
    info = store.info()
    name = name or info.path.resolve().name
    rows: Counter[tuple[str, str, bool | None]] = Counter()
    steps: Counter[tuple[str, str]] = Counter()
    for one in store.trajectories():
        rows[one.task.env, one.collector, one.success] += 1
        steps[one.task.env, one.collector] += len(one.steps)
    versions = {f"{key} {value}" for session in info.sessions for key, value in session.versions.items()}
    seeds = sorted({seed for session in info.sessions for seed in session.seeds})
    head = ["---", f"pretty_name: {orjson.dumps(name).decode()}"]
    head += [f"license: {licence}"] if licence else []
    head += ["task_categories:", "- reinforcement-learning", "tags:", "- pathei", "- agent"]
    head += ["- agent-traces"] if format == "agent-traces" else []
    head += ["size_categories:", f"- {_size(info.counts.trajectories)}", *_configs(format), "---"]
    lines = [
        f"# {name}",
        "",
        "Episodes of agents in simulated environments, collected with [pathei](https://pypi.org/project/pathei/).",
        "",
        "| environment | collector | episodes | reached the goal | steps |",
        "|---|---|---:|---:|---:|",
    ]
    for env, collector in sorted(steps):
        of_each = [rows[env, collector, success] for success in (True, False, None)]
        known = of_each[0] + of_each[1]
        reached = f"{of_each[0]} of {known}" if known else "not checked"
        lines.append(f"| {env} | {collector} | {sum(of_each)} | {reached} | {steps[env, collector]} |")
    lines += [
        "",
        f"* Episodes: {info.episodes}, and {info.counts.branches} branches; images: {info.images}; "
        f"failures, which are not in the data: {info.counts.failures}.",
        f"* Licence: {licence or 'not stated'}.",
        f"* Seeds: {', '.join(map(str, seeds)) or 'none given'}.",
        f"* Versions: {', '.join(sorted(versions))}.",
        f"* Made: {info.created}. Format: {format}.",
        "",
    ]
    return "\n".join([*head, "", *lines])


def push_to_hub(
    store: ExperienceStore,
    repo: str,
    *,
    format: str = "parquet",
    licence: str = "",
    private: bool = False,
    token: str | None = None,
    **choice: Any,
) -> str:
    """Upload a store's episodes, with a card, as a data set of the Hugging Face Hub.

    The repository is made if it does not exist; what is in it under the same names is replaced, in one commit.

    Args:
        store: An open store.
        repo: `"user/name"`, or `"name"` for one's own.
        format: One of `FILES`.
        licence: The licence, as the Hub abbreviates it.
        private: Whether a new repository is private.
        token: A token that may write; by default the one that `hf auth login` has stored.
        **choice: Which episodes, and options of the format: see `export`.

    Returns:
        The address of the commit.

    Raises:
        ConfigError: the name is none, or the format is not for the Hub.
        ExportError: the format would lose something, or the Hub refuses the upload.
        MissingDependencyError: huggingface_hub is not installed.
    """
    if format not in FILES:
        raise ConfigError(f"The Hub shows no {format} export: choose one of {', '.join(FILES)}.")
    if not _REPO.fullmatch(repo):
        raise ConfigError(f"{repo!r} names no data set of the Hub: give USER/NAME.")
    with needed_by("Pushing to the Hub", "learn"):
        from httpx import HTTPError
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    with tempfile.TemporaryDirectory() as folder:
        export(store, format, Path(folder) / FILES[format], **choice)
        about = card(store, name=repo.rpartition("/")[2], licence=licence, format=format)
        (Path(folder) / "README.md").write_text(about, "utf-8")
        hub = HfApi(token=token)
        try:
            made = hub.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
            done = hub.upload_folder(
                repo_id=made.repo_id, repo_type="dataset", folder_path=folder, commit_message="Episodes from pathei"
            )
        except (HfHubHTTPError, HTTPError) as error:
            raise ExportError(f"The Hub did not take {repo!r} ({' '.join(str(error).split())[:300]}).") from error
    return str(done.commit_url)


def _configs(format: str) -> list[str]:
    path = {"agent-traces": "sessions/*.jsonl", "atif": "trajectories/*.json"}.get(format, FILES.get(format, "*"))
    return ["configs:", "- config_name: default", "  data_files:", f'  - {{split: train, path: "{path}"}}']


def _size(count: int) -> str:
    return next((name for limit, name in _SIZES if count < limit), "n>1M")
