"""A language-model agent at a real server: `transformers serve`, with a tiny model that this test saves."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("openai")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

from pathei.agents.lm.agent import LmAgent, LmConfig
from pathei.agents.lm.endpoint import ChatEndpoint
from pathei.collectors.rollout.policy import AgentPolicy
from pathei.collectors.rollout.rollout import Rollout
from pathei.experience import Failure, Trajectory
from pathei.tests.support.lantern import lantern_tasks
from pathei.tests.support.tiny_language import tiny_model, tiny_tokenizer

PROGRAM = shutil.which("transformers", path=str(Path(sys.executable).parent))
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="there is no `transformers` program beside this Python"),
]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str, "subprocess.Popen[bytes]"]]:
    """Serve a model; yields its URL, its name, and the process."""
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = TEMPLATE
    tiny_model("llama", max_position_embeddings=2048).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(PROGRAM), "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            until = time.monotonic() + 120
            while time.monotonic() < until and process.poll() is None and not _answers(port):
                time.sleep(0.3)
            if process.poll() is not None or not _answers(port):
                pytest.fail(f"transformers serve did not start: {(tmp_path / 'log').read_text()[-800:]}")
            yield f"http://127.0.0.1:{port}/v1", str(tmp_path), process
        finally:
            process.kill()
            process.wait(20)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def test_an_agent_plays_at_a_real_server_until_it_is_killed(
    served: "tuple[str, str, subprocess.Popen[bytes]]",
) -> None:
    """What so small a model says is nonsense: it is sent as it is, and the world refuses it."""
    url, model, process = served
    endpoint = ChatEndpoint(model, base_url=url, timeout=60, retries=1)
    config = LmConfig("generate", style="act", max_tokens=8, tries=1)
    records = Rollout(AgentPolicy(lambda _: LmAgent(endpoint, config)), max_steps=2).collect(lantern_tasks(3))
    first = next(records)
    assert isinstance(first, Trajectory)
    if first.steps:
        usage = first.steps[0].info["agent"]["usage"]
        assert usage["prompt_tokens"] > 0
        assert 0 < usage["completion_tokens"] <= 8
    process.kill()
    process.wait(20)
    rest = list(records)
    assert len(rest) == 2
    assert all(isinstance(one, Failure) and "did not answer" in one.error for one in rest)
