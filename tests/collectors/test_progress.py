"""Progress where there is no terminal: plain lines, at most one in a while."""

import io

from rich.console import Console

from pathei.collectors.progress import PlainLines, progress
from pathei.experience import Failure, Goal, Task


def test_a_pipe_gets_plain_lines_and_not_too_many() -> None:
    out = io.StringIO()
    plain = PlainLines(Console(file=out, width=20), seconds=0.0)
    plain.say("Collecting: 1 of 2 tasks, [bold] none failed")
    assert out.getvalue().splitlines() == ["Collecting: 1 of 2 tasks, [bold] none failed, 0 s"]
    PlainLines(Console(file=out), seconds=1000.0).say("not yet")
    PlainLines(Console(file=out, force_terminal=True), seconds=0.0).say("a bar is there")
    assert len(out.getvalue().splitlines()) == 1


def test_a_short_run_in_a_pipe_prints_nothing() -> None:
    out = io.StringIO()
    with progress(Console(file=out), 1, "Collecting") as watch:
        watch([Failure(Task("t", "e", 0, Goal("g")), "reset", "no")])
    assert out.getvalue().strip() == ""
