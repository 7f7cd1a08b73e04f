"""The sandbox from inside: attempts to get out of it, to break it and to break its limits; and what is left behind.

Everything here runs in a real sandbox, and is skipped by name where the machine refuses one.
"""

import gc
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathei.envs.terminal.sandbox.sandbox import Frozen, Limits, Sandbox, ShellState
from pathei.envs.terminal.sandbox.support import doctor, missing
from pathei.envs.terminal.tasks.filesystems import bare_entries, generate

pytestmark = pytest.mark.integration

LIMITS = Limits(seconds=2.0, memory=128, disk=16)


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[Sandbox, Frozen]]:
    """One sandbox for all tests of this file, and its beginning."""
    reason = missing()
    if reason:
        pytest.skip(f"no sandbox on this machine: {reason}")
    sandbox = Sandbox(LIMITS)
    yield sandbox, Frozen(sandbox.plant(generate("office:1").entries), ShellState("", "/home/agent"))
    sandbox.close()


@pytest.fixture
def shell(kept: tuple[Sandbox, Frozen]) -> Sandbox:
    """A fresh shell on fresh files."""
    sandbox, start = kept
    sandbox.start(start)
    return sandbox


def said(shell: Sandbox, command: str) -> str:
    """Run a command and return what it wrote."""
    return shell.run(command).output.decode("utf-8", "replace")


def alive(shell: Sandbox) -> bool:
    """Whether the shell still does what it is told."""
    return said(shell, "echo $((6 * 7))") == "42\n"


def mounts() -> str:
    """What is mounted where the tests run."""
    return Path("/proc/self/mountinfo").read_text()


def test_the_hosts_files_cannot_be_read(shell: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of the host")
    secret.chmod(0o644)
    tricks = [
        f"cat {secret}",
        f"cat /proc/1/root{secret}",
        f"cat /proc/self/root/../..{secret}",
        f"ln -s {secret} link; cat link",
        f"cd /proc/1/cwd && cat ./{secret}; cd /home/agent",
        "for fd in /proc/1/fd/* /proc/self/fd/*; do cat $fd/../secret; done 2>/dev/null",
        f"mount --bind / /mnt; cat /mnt{secret}",
        f"unshare -Urm cat {secret}",
        f"nsenter -t 1 -a cat {secret}",
        f"python3 -c 'print(open({str(secret)!r}).read())'",
    ]
    for trick in tricks:
        assert "a secret" not in said(shell, trick), trick
    assert "root:" not in said(shell, "cat /etc/shadow")
    assert alive(shell)


def test_the_hosts_environment_cannot_be_read(shell: Sandbox) -> None:
    os.environ["PATHEI_TEST_SECRET"] = "hidden-in-the-environment"
    try:
        with_secret = Sandbox(LIMITS)
        with_secret.start(Frozen(with_secret.plant(bare_entries()), ShellState("", "/")))
        assert "hidden-in" not in said(with_secret, "cat /proc/*/environ; env; declare -p")
        with_secret.close()
    finally:
        del os.environ["PATHEI_TEST_SECRET"]


def test_a_link_out_of_the_sandbox_is_not_followed_from_outside(shell: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret of the host")
    said(shell, f"ln -s {tmp_path} out; ln -s {tmp_path}/secret file; mkfifo pipe; ln -s /proc/1/environ env")
    for path in ("home/agent/out/secret", "home/agent/file", "home/agent/pipe", "home/agent/env", "../../etc/passwd"):
        assert shell.read(path) in (None, b""), path
    assert shell.tree["home/agent/file"].kind == "link"
    assert shell.tree["home/agent/pipe"].kind == "other"


def test_the_network_cannot_be_reached(shell: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        port = server.getsockname()[1]
        assert shell.run(f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached >&3").status != 0

        with pytest.raises(TimeoutError):
            server.accept()
    devices = [line.partition(":")[0].strip() for line in said(shell, "cat /proc/net/dev").splitlines()[2:]]
    assert devices == ["lo"]
    assert alive(shell)


@pytest.mark.parametrize(
    ("command", "stopped"),
    [
        ("while :; do :; done", "time"),
        ("sleep 100", "time"),
        ("yes", "output"),
        ("cat /dev/zero", "output"),
        (":(){ :|:& };: ; sleep 60", "processes"),
        ("exit 3", "shell"),
        ("/bin/kill -9 -1", "shell"),
        ("kill -9 $$", "shell"),
        ("exec ls", "shell"),
        ("set -e; false", "shell"),
        ('for i in {3..60}; do eval "exec $i>&-"; done', "shell"),
    ],
)
def test_what_breaks_a_limit_or_the_shell_is_told_and_survived(shell: Sandbox, command: str, stopped: str) -> None:
    said(shell, "echo kept > mine.txt")
    # On a busy machine a limit is reached late: what is not about time has time for it.
    assert shell.run(command, seconds=2.0 if stopped == "time" else 60.0).stopped == stopped
    assert alive(shell)
    assert said(shell, "cd; cat mine.txt") == "kept\n"
    # Bubblewrap, the shell, the pipe: nothing of what was started goes on.
    assert int(said(shell, "sleep 0.05; ls /proc | grep -c '^[0-9]'")) <= 6


@pytest.mark.parametrize(
    "command",
    [
        "kill -9 -1",
        "x=\"", "echo 'a", "if", "}", ")", "$(", "`", "cat <<EOF", "\\",
        "exec >&- 2>&- <&-",
        "exec 8<&- 9>&-",
        "printf() { :; }; declare() { :; }; read() { :; }",
        "head -c 5000 /dev/urandom",
        "printf '\\0\\0\\0'",
        "printf 'L\\0S\\0 0\\0' > /dev/stdout",
        "set -u; set -x; set -f; IFS=:",
        "trap 'echo no' EXIT DEBUG",
        "PATH=/nowhere; cd /; unset HOME",
    ],
)  # fmt: skip
def test_the_protocol_survives(shell: Sandbox, command: str) -> None:
    shell.run(command)
    ran = shell.run("echo $((6 * 7))")
    assert b"\n42\n" in b"\n" + ran.output
    assert ran.status == 0


def test_memory_is_limited(shell: Sandbox) -> None:
    hog = "x = []\nfor i in range(60): x.append(bytearray(b'1') * (5 << 20))\nprint('got all')"
    assert "got all" not in said(shell, f"python3 -c {shlex.quote(hog)}")
    # Many processes, each below the limit of one.
    small = "x = bytearray(b'1') * (60 << 20); import time; time.sleep(1.5)"
    ran = shell.run("for i in 1 2 3 4; do python3 -c " + shlex.quote(small) + " & done; wait; echo got all")
    assert ran.stopped == "memory"
    assert alive(shell)


def test_jobs_that_were_killed_are_not_reported_in_a_later_command(shell: Sandbox) -> None:
    small = "x = bytearray(b'1') * (60 << 20); import time; time.sleep(1.5)"
    for _ in range(12):
        stopped = shell.run("for i in 1 2 3 4 5 6; do python3 -c " + shlex.quote(small) + " & done; wait")
        assert stopped.stopped == "memory"
        assert shell.run("echo next; echo last >&2").output == b"next\nlast\n"


def test_the_disk_is_limited(shell: Sandbox) -> None:
    said(
        shell,
        "head -c 100000000 /dev/zero > a; head -c 100000000 /dev/zero > /tmp/b; head -c 9999999 /dev/zero > /dev/shm/c",
    )
    assert sum(node.size for node in shell.tree.values()) <= (LIMITS.disk << 20) + (64 << 10)
    assert "No space" in said(shell, "echo more > d; truncate -s 1T e; echo x") or shell.tree["home/agent/a"].size
    # What is frozen counts too.
    said(shell, "rm -f a /tmp/b d e; head -c 10000000 /dev/zero > a")
    shell.freeze()
    said(shell, "head -c 10000000 /dev/zero > b")
    assert shell.tree["home/agent/b"].size < 7 << 20
    assert "No space" in said(shell, "i=0; while [ $i -lt 30000 ]; do : > n$i || break; i=$((i+1)); done")
    assert alive(shell)


def test_nothing_privileged_is_allowed(shell: Sandbox) -> None:
    assert said(shell, "grep CapEff /proc/self/status").split()[1] == "0" * 16
    for command in ("unshare -U true", "mount -t tmpfs x /tmp", "chroot / true", "mknod d c 1 3", "hostname other"):
        assert shell.run(command).status != 0, command
    for command in (
        "touch /usr/x",
        "touch /usr/bin/ls",
        "echo 1 > /proc/sys/kernel/panic",
        "echo b > /proc/sysrq-trigger",
    ):
        assert shell.run(command).status != 0, command
    assert "Seccomp:\t2" in said(shell, "grep Seccomp: /proc/self/status") or os.uname().machine not in (
        "x86_64",
        "aarch64",
    )


def test_siblings_are_isolated_and_frozen_states_never_change(kept: tuple[Sandbox, Frozen]) -> None:
    sandbox, start = kept
    sandbox.start(start)
    said(
        sandbox,
        "x=1; export y='a  b'; f() { echo \"$x-$1\"; }; cd /tmp; echo one > n; rm -r ~/inbox; mkdir ~/inbox; false",
    )
    first = sandbox.freeze()
    assert said(sandbox, 'echo $?; cat n; echo "$y"; f 5; pwd; ls ~/inbox') == "1\none\na  b\n1-5\n/tmp\n"
    said(sandbox, "echo two > n; touch m; x=2")
    second = sandbox.freeze()
    for _ in range(2):
        sandbox.start(first)
        assert said(sandbox, "ls; cat n; echo $x; echo three > n") == "n\none\n1\n"
        sandbox.start(second)
        assert said(sandbox, "ls; cat n; echo $x; rm m") == "m\nn\ntwo\n2\n"
        sandbox.start(start)
        assert said(sandbox, "ls ~/inbox /tmp | wc -l") == "6\n"


def test_long_chains_are_flattened_and_what_is_dropped_is_freed(kept: tuple[Sandbox, Frozen]) -> None:
    sandbox, start = kept
    gc.collect()  # what other tests froze may be part of a cycle
    sandbox.start(start)
    alive(sandbox)
    held = sandbox.total
    frozen = start
    for number in range(40):
        said(sandbox, f"echo {number} > /tmp/n{number}; rm -f /tmp/n{number - 1}; mkdir -p d{number % 3}")
        frozen = sandbox.freeze()
    assert len(frozen.layer.chain) < 30
    sandbox.start(frozen)
    assert said(sandbox, "cat /tmp/n*; ls -d d?") == "39\nd0\nd1\nd2\n"
    assert sandbox.total > held
    del frozen
    sandbox.start(start)
    alive(sandbox)
    assert sandbox.total <= held + (256 << 10)


def test_forks_that_nobody_froze_leave_no_mount(kept: tuple[Sandbox, Frozen]) -> None:
    sandbox, start = kept
    sandbox.start(start)
    sandbox.wake()
    (keeper,) = children(children(sandbox.pid)[0])
    counts = []
    for _ in range(6):
        sandbox.start(start)
        said(sandbox, "echo x > y")
        counts.append(len(Path(f"/proc/{keeper}/mountinfo").read_text().splitlines()))
    assert counts[0] == counts[-1]


def test_a_killed_owner_leaves_no_process_and_no_mount() -> None:
    reason = missing()
    if reason:
        pytest.skip(f"no sandbox on this machine: {reason}")
    before = mounts()
    code = (
        "import time\n"
        "from pathei.envs.terminal.sandbox.sandbox import *\n"
        "from pathei.envs.terminal.tasks.filesystems import bare_entries\n"
        "s = Sandbox()\n"
        "s.start(Frozen(s.plant(bare_entries()), ShellState('', '/')))\n"
        "s.run('sleep 300 & echo on')\n"
        "print(s.pid, *s.confined_by, flush=True)\n"
        "time.sleep(300)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    keeper, *groups = owner.stdout.readline().split()
    family = [int(keeper), *descendants(int(keeper))]
    assert len(family) >= 6, "the keeper outside and inside, bubblewrap's two, the shell and its sleep"
    owner.send_signal(signal.SIGKILL)
    owner.wait(10)
    owner.stdout.close()
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in family) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    assert not [group for group in groups if Path(group).exists()]
    assert mounts() == before


def test_closing_leaves_no_process_and_no_mount() -> None:
    if missing():
        pytest.skip("no sandbox on this machine")
    before = mounts()
    sandbox = Sandbox(LIMITS)
    sandbox.start(Frozen(sandbox.plant(bare_entries()), ShellState("", "/")))
    said(sandbox, "sleep 300 & (setsid sleep 300 &); echo on")
    family = [sandbox.pid, *descendants(sandbox.pid)]
    sandbox.close()
    sandbox.close()
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    assert mounts() == before


def children(pid: int) -> list[int]:
    """Return the processes that one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid: int) -> list[int]:
    """Return the processes below one."""
    parents = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(directory.name)] = int(fields[1])
    found, more = [], [pid]
    while more:
        children = [child for child, parent in parents.items() if parent in more]
        found += children
        more = children
    return found


def test_doctor_says_what_is_in_force() -> None:
    checks = {check.what: check for check in doctor()}
    assert "bubblewrap" in checks
    if checks["bubblewrap"].ok and checks["sandbox"].ok:
        assert "resource limits" in checks["limits"].note
    else:
        assert any(word in " ".join(c.note for c in checks.values()) for word in ("apt install", "sysctl", "6.6"))
