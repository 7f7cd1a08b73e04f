"""Agent traces, a store's card, and the upload, by the real huggingface_hub to a Hub on this machine."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from pathei.cli import main
from pathei.errors import ConfigError
from pathei.experience import Goal, Observation, Parent, Step, Task, Trajectory
from pathei.export import export
from pathei.export.card import card, push_to_hub
from pathei.store import ExperienceStore


def episode(name: str, *, parent: Parent | None = None) -> Trajectory:
    """Return an episode of two steps, the first of which was thought about."""
    first = Step(Observation("dark", actions=("wait", "press"), facts={"secret": 1}), "wait", 0.0, False, False)
    second = Step(
        Observation("dark still"), "press", 1.0, True, False, {"success": True, "agent": {"thought": "a button?"}}
    )
    steps = (second,) if parent else (first, second)
    return Trajectory(
        name, Task(name, "pathei/VirtualHome-v0", 7, Goal("light")), steps, Observation("bright"), "mcts", parent
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExperienceStore]:
    """A root, a branch, and an episode without a step."""
    with ExperienceStore.open(tmp_path / "home", config={"command": "collect"}, seeds=[5]) as opened:
        opened.append(episode("a/root"), episode("branch", parent=Parent("a/root", 1)))
        task = Task("idle", "pathei/Shop-v0", 1, Goal("buy"))
        opened.append(Trajectory("idle", task, (), Observation("shop"), "explore"))
        yield opened


def test_traces_are_sessions_of_the_hubs_simple_format(store: ExperienceStore, tmp_path: Path) -> None:
    report = export(store, "agent-traces", tmp_path / "traces")
    assert (report.written.episodes, report.written.skipped) == (2, 1)
    assert sorted(path.name for path in (tmp_path / "traces").iterdir()) == ["a%2Froot.jsonl", "branch.jsonl"]
    head, *lines = [json.loads(line) for line in (tmp_path / "traces" / "a%2Froot.jsonl").read_bytes().splitlines()]
    assert head.items() >= {"type": "session", "harness": "pathei", "id": "a/root", "name": "light"}.items()
    assert (head["success"], head["total_reward"], head["parent"]) == (True, 1.0, None)
    assert {line["type"] for line in lines} == {"message"}
    said = [line["message"] for line in lines]
    assert [one["role"] for one in said] == ["user", "assistant", "tool", "assistant", "tool"]
    assert [one["content"] for one in said] == ["Goal: light\n\ndark", "", "dark still", "a button?", "bright"]
    [call] = said[3]["toolCalls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("act", {"action": "press"})
    assert said[4]["toolCallId"] == call["id"]
    assert "secret" not in (tmp_path / "traces" / "a%2Froot.jsonl").read_text("utf-8")
    branch = (tmp_path / "traces" / "branch.jsonl").read_bytes().splitlines()
    assert json.loads(branch[0])["parent"] == {"trajectory": "a/root", "step": 1}
    assert len(branch) == len(lines) + 1


def test_a_card_says_what_the_store_holds(store: ExperienceStore, capsys: pytest.CaptureFixture[str]) -> None:
    head, body = said(card(store, licence="cc-by-4.0", format="agent-traces"))
    assert head["pretty_name"] == "home"
    assert head["license"] == "cc-by-4.0"
    assert "agent-traces" in head["tags"]
    assert head["configs"] == [
        {"config_name": "default", "data_files": [{"split": "train", "path": "sessions/*.jsonl"}]}
    ]
    assert "| pathei/VirtualHome-v0 | mcts | 2 | 2 of 2 | 3 |" in body
    assert "| pathei/Shop-v0 | explore | 1 | not checked | 0 |" in body
    assert "Episodes: 2, and 1 branches" in body
    assert "Seeds: 5." in body
    assert "pathei 0." in body
    path = str(store.info().path)
    assert main(["store", "card", path, "--name", 'a "home": yes']) == 0
    head, body = said(capsys.readouterr().out)
    assert head["pretty_name"] == 'a "home": yes'
    assert "license" not in head
    assert "Licence: not stated." in body


def said(text: str) -> tuple[dict[str, Any], str]:
    """Return the head of a card and the rest."""
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


class Hub:
    """As much of the Hub as one upload of small files needs; keeps what it was sent, and refuses a second one."""

    def __init__(self) -> None:
        hub, self.made, self.files = self, list[dict[str, Any]](), dict[str, bytes]()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = hub.answer(self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Answer a request of huggingface_hub."""
        if path == "/api/repos/create":
            self.made.append(json.loads(body))
            if len(self.made) > 1:
                return 403, {"error": "no"}
            return 200, {"url": f"{self.url}/datasets/me/home", "name": "me/home", "id": "me/home"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if "/preupload/" in path:
            names = [one["path"] for one in json.loads(body)["files"]]
            return 200, {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        assert "/api/datasets/me/home/commit/main" in path
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        return 200, {"commitUrl": f"{self.url}/datasets/me/home/commit/1", "commitOid": "1", "success": True}


PUSH = "import sys; from pathei.cli import main; print(main(sys.argv[1:]), main(sys.argv[1:]))"


@pytest.mark.integration
def test_a_push_uploads_the_export_and_its_card(store: ExperienceStore, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    store.seal()
    hub = Hub()
    arguments = ["store", "push", str(store.info().path), "me/home", "--format", "agent-traces", "--private"]
    done = subprocess.run(
        [sys.executable, "-c", PUSH, *arguments, "--licence", "cc0-1.0"],
        env={"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "HF_TOKEN": "hf_none", "HF_HUB_DISABLE_XET": "1"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "0 2"), done.stderr
    assert f"{hub.url}/datasets/me/home/commit/1" in done.stdout
    assert (hub.made[0]["type"], hub.made[0]["visibility"]) == ("dataset", "private")
    assert sorted(hub.files) == ["README.md", "sessions/a%2Froot.jsonl", "sessions/branch.jsonl"]
    assert said(hub.files["README.md"].decode())[0]["license"] == "cc0-1.0"
    assert "The Hub did not take 'me/home'" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_pushed_is_refused_before_anything_is_sent(store: ExperienceStore) -> None:
    with pytest.raises(ConfigError, match="names no data set"):
        push_to_hub(store, "me/home/again")
    with pytest.raises(ConfigError, match="shows no minari export"):
        push_to_hub(store, "me/home", format="minari")
