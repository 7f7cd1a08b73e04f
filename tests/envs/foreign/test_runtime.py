"""A child process is called within time limits; however it, its guard or its parent ends, nothing is left running."""

import ast
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pathei.envs.foreign import ForeignRuntime, worker
from pathei.envs.foreign.worker import HEADER, LIMIT, WireError, pack, receive
from pathei.errors import ForeignRuntimeError

Left = Callable[[], list[str]]
ARRAYS = arrays.arrays(
    st.sampled_from([*worker.ARRAYS, ">i4", ">f8"]).map(np.dtype), arrays.array_shapes(min_dims=1, min_side=0)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | ARRAYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def started(command: list[str], **arguments: Any) -> ForeignRuntime:
    runtime = ForeignRuntime(command, name="Counting")
    runtime.call("make", arguments)
    runtime.call("reset")
    return runtime


def count_on(runtime: ForeignRuntime) -> None:
    """Step until that fails: a child whose guard is gone may answer once more."""
    while True:
        runtime.call("step", {"action": "count"})


def wait_for(number: int, left: Left) -> None:
    """Wait until so many processes run: one that has just been forked still has no environment of its own."""
    for _ in range(500):
        if len(left()) == number:
            return
        time.sleep(0.01)
    pytest.fail(f"{left()} run, not {number}")


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and one.dtype.name == other.dtype.name and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or (one != one and other != other))


def reader(data: bytes) -> Callable[[int], bytearray]:
    rest = bytearray(data)

    def read(size: int) -> bytearray:
        taken = rest[:size]
        del rest[:size]
        return taken

    return read


@settings(max_examples=50)
@given(VALUES)
def test_every_value_comes_out_of_a_message_as_it_went_in(value: Any) -> None:
    assert same(receive(reader(pack({"id": 1, "value": value})))["value"], native(value))


def native(value: Any) -> Any:
    """Arrays arrive in little endian, and those of no dimensions as numbers."""
    if isinstance(value, np.ndarray):
        return value.astype(value.dtype.newbyteorder("<"))
    if isinstance(value, dict):
        return {key: native(item) for key, item in value.items()}
    return [native(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=200)
@given(st.binary(max_size=64), st.sampled_from([b'{"id":1}', b'{"blobs":[2],"a":{"$blob":0}}', b"[1]", b'{"blobs":7}']))
def test_bytes_that_are_no_message_are_refused_and_nothing_else_happens(noise: bytes, text: bytes) -> None:
    for data in (noise + bytes(8), HEADER.pack(len(text)) + text + noise + bytes(8)):
        with contextlib.suppress(WireError):
            assert isinstance(receive(reader(data)), dict)


def test_what_cannot_be_sent_is_named() -> None:
    with pytest.raises(WireError, match="type object"):
        pack({"value": object()})
    with pytest.raises(WireError, match="longer than"):
        pack({"value": np.zeros(LIMIT, np.uint8)})


def test_the_worker_is_written_for_python_3_8() -> None:
    ast.parse(Path(worker.__file__).read_text("utf-8"), feature_version=(3, 8))


def test_a_child_of_python_3_8_answers(old_python: str, counting: list[str], left: Left) -> None:
    with started([old_python, *counting[1:]], first=7) as runtime:
        assert runtime.hello["versions"]["python"].startswith("3.8.")
        after = runtime.call("step", {"action": "count"})
        assert (after["observation"], after["info"]["object"]) == (8, "<counting.Counting>")


def test_an_error_of_the_environment_costs_that_call_only(counting: list[str], left: Left) -> None:
    with started(counting) as runtime:
        with pytest.raises(ForeignRuntimeError, match="Counting failed at 'step': ValueError: too hot"):
            runtime.call("step", {"action": "raise too hot"})
        with pytest.raises(ForeignRuntimeError, match="there is no call 'dance'"):
            runtime.call("dance")
        with pytest.raises(ForeignRuntimeError, match="cannot be asked for 'step'"):
            runtime.call("step", {"action": object()})
        assert runtime.call("step", {"action": "count"})["observation"] == 1
    runtime.close()
    with pytest.raises(ForeignRuntimeError, match="is closed"):
        runtime.call("reset")


def test_a_long_error_of_the_child_is_quoted_by_its_beginning_and_end(counting: list[str]) -> None:
    with started(counting) as runtime:
        with pytest.raises(ForeignRuntimeError) as refused:
            runtime.call("step", {"action": f"raise first {'x' * 5_000} last"})
        assert re.fullmatch(r"Counting failed at 'step': ValueError: first x+ \[\.\.\.\] x+ last", str(refused.value))
        assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("kill 9", "was killed by SIGKILL during 'step'"),
        ("kill 11", "was killed by SIGSEGV during 'step'"),
        ("exit 1", "ended with status 1 during 'step'"),
        ("hang", "did not answer to 'step' within 0.3 s"),
        ("babble nonsense", "sent what is no answer to 'step'"),
        ('babble \x00\x00\x00\x08{"id":9}', "its id is 9, not 7"),
        ('babble \x00\x00\x00\x09{"id":"7"', "it is not JSON"),
        ('babble \x00\x00\x00\x16{"id":7,"error":"shut"}', "sent what is no answer"),
    ],
)
def test_a_broken_child_is_one_error_and_leaves_nothing(
    action: str, says: str, counting: list[str], left: Left
) -> None:
    runtime = started(counting)
    for how in ("child", "session", "orphan"):
        runtime.call("step", {"action": f"start {how}"})
    wait_for(5, left)
    with pytest.raises(ForeignRuntimeError, match=says):
        runtime.call("step", {"action": action}, 0.3 if action == "hang" else 10.0)
    assert left() == []
    assert not runtime.running
    with pytest.raises(ForeignRuntimeError, match="start another one"):
        runtime.call("step", {"action": "count"})


def test_much_output_never_blocks_and_its_end_is_quoted(counting: list[str], left: Left) -> None:
    with started(counting) as runtime:
        runtime.call("step", {"action": "print 300000"})
        assert len(runtime.log) <= 64 << 10
        with pytest.raises(ForeignRuntimeError, match="the last words"):
            runtime.call("step", {"action": "exit 3"})


def test_a_program_that_is_not_there_is_named(left: Left) -> None:
    with pytest.raises(ForeignRuntimeError, match=r"Nowhere ended with status 127 .*no-such-program: No such file"):
        ForeignRuntime(["no-such-program"], name="Nowhere")
    with pytest.raises(ForeignRuntimeError, match="Elsewhere cannot be started"):
        ForeignRuntime([sys.executable], name="Elsewhere", cwd="/no/such/folder")


def test_another_protocol_is_refused(left: Left) -> None:
    script = f"""
        import socket, sys
        sys.path.insert(0, {str(Path(worker.__file__).parent)!r})
        from worker import pack
        channel = socket.socket(fileno=3)
        channel.recv(1000)
        channel.sendall(pack({{"id": 1, "result": {{"protocol": 2}}}}))
        channel.recv(1000)
    """
    with pytest.raises(ForeignRuntimeError, match="speaks another protocol"):
        ForeignRuntime([sys.executable, "-c", textwrap.dedent(script)])


def test_nothing_outlives_a_parent_that_is_killed(counting: list[str], left: Left) -> None:
    script = f"""
        from pathei.envs.foreign import ForeignRuntime
        runtime = ForeignRuntime({counting!r})
        runtime.call("make"), runtime.call("reset")
        for how in ("child", "session", "orphan"):
            runtime.call("step", {{"action": "start " + how}})
        print("hanging", flush=True)
        runtime.call("step", {{"action": "hang"}})
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"hanging\n"
    wait_for(6, left)
    parent.kill()
    parent.wait()
    parent.stdout.close()  # the fixture waits until nothing is left


def test_a_parent_that_forgets_to_close_leaves_nothing(counting: list[str], left: Left) -> None:
    script = f"from pathei.envs.foreign import ForeignRuntime\nruntime = ForeignRuntime({counting!r})"
    subprocess.run([sys.executable, "-c", script], check=True)
    assert left() == []


def test_twenty_random_kills_are_one_error_each_and_leave_nothing(counting: list[str], left: Left) -> None:
    rng = random.Random(0)
    for _ in range(20):
        runtime = started(counting)
        runtime.call("step", {"action": f"start {rng.choice(['child', 'session', 'orphan'])}"})
        os.kill(rng.choice([runtime.pid, runtime._child._guard.pid]), signal.SIGKILL)
        with pytest.raises(ForeignRuntimeError, match=r"was killed by SIGKILL|ended"):
            count_on(runtime)
        assert left() == []


def test_a_process_that_is_just_being_replaced_by_a_program_is_killed_too(counting: list[str], left: Left) -> None:
    for _ in range(10):
        runtime = started(counting)
        runtime.call("step", {"action": "start starting"})
        os.kill(runtime._child._guard.pid, signal.SIGKILL)
        with pytest.raises(ForeignRuntimeError, match=r"was killed by SIGKILL|ended"):
            count_on(runtime)
        time.sleep(0.01)
        assert left() == []
