"""Scopes, ends and purges on the command line."""

import json
from pathlib import Path

import pytest

from pathei.cli import main


def test_scopes_ends_and_purges_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path)
    new = ["memory", "add", path, "--embedder", "ngrams-3-5-64"]
    assert main([*new, "The code is 4711.", "--user", "alice", "--data", "page=7", "door=front"]) == 0
    assert main([*new, "The code is 4713.", "--user", "bob"]) == 0
    assert main([*new, "The code is 4712.", "--user", "bob", "--expires", "2020-01-01"]) == 2
    assert "--expires is '2020-01-01', which is past: the item would never be found." in capsys.readouterr().err
    assert main([*new, "The code is 4712.", "--user", "bob", "--expires", "9020-01-01"]) == 0
    ends = capsys.readouterr().out.split()[0]

    def found(*options: str) -> list[str]:
        assert main(["memory", "list", path, "--json", *options]) == 0
        return [json.loads(line)["text"][-5:-1] for line in capsys.readouterr().out.splitlines()]

    assert found() == ["4711", "4713", "4712"]
    assert main(["memory", "update", path, ends, "--expires", "2020-01-01"]) == 0
    capsys.readouterr()
    assert found() == ["4711", "4713"]
    assert found("--user", "alice") == found("--data", "page=7") == ["4711"]
    assert found("--as-of", "2019-01-01") == []
    assert main(["memory", "purge", path]) == 2
    assert main(["memory", "purge", path, "--user", "bob"]) == 0
    assert "2 items erased" in capsys.readouterr().out
    assert found("--status", "any") == ["4711"]
    assert main(["memory", "purge", path, "--containing", "CODE"]) == 0
    assert not any(b"4711" in file.read_bytes() for file in tmp_path.iterdir())
    assert main(["memory", "list", path, "--data", "page"]) == 2
    assert "--data has to be NAME=VALUE" in capsys.readouterr().err
    assert main(["memory", "list", path, "--data", "page=1", "page=2"]) == 2
    assert "--data names 'page' twice." in capsys.readouterr().err
    assert main(["memory", "query", path, "code", "--after", "2020-01-01", "--before", "2019-01-01"]) == 2
    assert "nothing was observed after" in capsys.readouterr().err
