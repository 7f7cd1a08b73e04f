"""The keeper: the separate process that owns a terminal's namespaces, mounts, layers and shell.

It is started as a program of its own (see `sandbox`) and uses the standard library only. Everything
it mounts lies in a private mount namespace, everything it starts in a private pid namespace: when it ends, however that
happens, the kernel ends and unmounts all of it. It ends when its standard input does, so a killed owner leaves nothing.

Requests come over standard input and answers go over standard output, each as four bytes of length and JSON; bytes are
written as Latin-1 text. Not here: what the files mean (`files`), and which layer is needed by whom (`sandbox`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import sys
from typing import Any

from .layers import copy_tree, entries_of, read_bytes, write_entry
from .linux import (
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    LIBC,
    MS_NOATIME,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    check,
    mount,
    unmount,
)
from .shell import Shell, write_all
from .tty import TtyShell, quoted


class Keeper:
    """Answers requests. `config`: `bwrap`, `at` (where to mount), `seccomp`, `rlimits`, `memory`, `written`."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Mount the place for the layers."""
        self.config = config
        self.shell: Shell | None = None
        mount("none", "/", "none", MS_REC | MS_PRIVATE)
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        mount("tmpfs", config["at"], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, "size=64m,mode=700")
        os.chdir(config["at"])
        os.mkdir("root")
        self.mounted = False
        self.upper = ""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks for."""
        method = getattr(self, f"do_{request['do']}")
        answer: dict[str, Any] = method(request)
        return answer

    def do_plant(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make a layer out of `entries`: `[path, kind, mode, mtime, content]`."""
        upper = self._layer(request["layer"], request["bytes"])
        for path, kind, mode, mtime, content in request["entries"]:
            write_entry(upper, path, kind, mode, mtime, content.encode("latin-1"))
        # Making what is in a directory changes its time: set those again, the innermost first.
        for path, kind, _, mtime, _ in reversed(request["entries"]):
            if kind == "dir":
                os.utime(os.path.join(upper, path), (mtime, mtime))
        return {"entries": self._entries(upper), "used": _used(upper)}

    def do_merge(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make one layer out of a chain (`lowers`, the topmost first)."""
        upper = self._layer(request["layer"], request["bytes"])
        os.mkdir("merging")
        mount("overlay", "merging", "overlay", MS_RDONLY, f"lowerdir={_chain([*request['lowers'], 'none'])},userxattr")
        source, target = os.open("merging", os.O_RDONLY), os.open(upper, os.O_RDONLY)
        try:
            copy_tree(source, target)
        finally:
            os.close(source)
            os.close(target)
            unmount("merging")
            os.rmdir("merging")
        return {"used": _used(upper)}

    def do_start(self, request: dict[str, Any]) -> dict[str, Any]:
        """Mount a new layer over a chain and start a shell in it, with a saved `state` or without."""
        self.do_stop(request)
        upper = self.upper = self._layer(request["layer"], request["bytes"])
        options = (
            f"lowerdir={_chain(request['lowers'])},upperdir={upper},workdir=layer{request['layer']}/work,userxattr"
        )
        mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV | MS_NOATIME, options)
        self.mounted = True
        if request.get("screen"):
            self.shell = shell = TtyShell(self.config, os.path.abspath("root"), request)
            return shell.begin(request["keys"].encode("latin-1"), 20.0)
        self.shell = Shell(self.config, os.path.abspath("root"), request)
        first = f"L{request['state']}\nbuiltin cd -- {quoted(request['cwd'])}"
        answer = self.shell.ask(first.encode("latin-1"), 20.0, 4096)
        self.shell.settle()
        return answer

    def do_run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run a command in the shell; `entries` is what the top layer holds now."""
        if self.shell is None:
            raise OSError("there is no shell")
        message = f"{request['random']}:{request['command']}".encode("latin-1")
        answer = self.shell.ask(message, request["seconds"], request["limit"])
        if answer["stopped"] and (answer["status"] is None or self.shell.forget_jobs()["status"] is None):
            self.shell.end()
            self.shell, answer["status"] = None, None
        return {**answer, "entries": self._entries(self.upper)}

    def do_type(self, request: dict[str, Any]) -> dict[str, Any]:
        """Type keys on the shell's terminal; `entries` is what the top layer holds now."""
        if not isinstance(self.shell, TtyShell):
            raise OSError("there is no terminal")
        answer = self.shell.type(request["keys"].encode("latin-1"), request["seconds"], request["least"])
        if answer["report"] is None:
            self.shell.end()
            self.shell = None
        return {**answer, "entries": self._entries(self.upper)}

    def do_state(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the shell's variables, functions and options as a script, and whether nothing else runs."""
        if self.shell is None:
            return {"said": "", "status": None, "used": _used(self.upper)}
        if isinstance(self.shell, TtyShell):
            return {"idle": self.shell.at_prompt and self.shell.idle(), "status": 0, "used": _used(self.upper)}
        answer = self.shell.ask(b"S", 5.0, 4096)
        return {**answer, "idle": self.shell.idle(), "used": _used(self.upper)}

    def do_read(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the `content` of a file as the shell sees it; None if there is no such regular file."""
        root = os.open("root", os.O_RDONLY)
        try:
            return {"content": read_bytes(root, request["path"], request["limit"]).decode("latin-1")}
        except OSError:
            return {"content": None}
        finally:
            os.close(root)

    def do_stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """End the shell and unmount its files; the layers stay."""
        if self.shell is not None:
            self.shell.end()
            self.shell = None
        if self.mounted:
            unmount("root")
            self.mounted = False
        return {}

    def do_drop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Free layers."""
        for layer in request["layers"]:
            unmount(f"layer{layer}")
            os.rmdir(f"layer{layer}")
        return {}

    def _layer(self, number: int, size: int) -> str:
        os.mkdir(f"layer{number}")
        options = f"size={max(size, 65536)},nr_inodes={self.config['files']},mode=755"
        mount("tmpfs", f"layer{number}", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, options)
        os.mkdir(f"layer{number}/upper", 0o755)
        os.mkdir(f"layer{number}/work", 0o755)
        return f"layer{number}/upper"

    def _entries(self, upper: str) -> list[list[Any]]:
        descriptor = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return list(entries_of(descriptor))
        finally:
            os.close(descriptor)


def _chain(layers: list[Any]) -> str:
    if "none" in layers:
        os.makedirs("none", exist_ok=True)  # overlayfs without an upper directory wants two layers at least
    return ":".join(layer if layer == "none" else f"layer{layer}/upper" for layer in layers)


def _used(upper: str) -> int:
    seen = os.statvfs(upper)
    return (seen.f_blocks - seen.f_bfree) * seen.f_frsize


def receive(descriptor: int) -> dict[str, Any] | None:
    """Read one message; None at the end."""
    head = _exactly(descriptor, 4)
    body = _exactly(descriptor, struct.unpack("<I", head)[0]) if head else b""
    return json.loads(body) if body else None


def _exactly(descriptor: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        block = os.read(descriptor, size - len(data))
        if not block:
            return b""
        data += block
    return bytes(data)


def send(descriptor: int, message: dict[str, Any]) -> None:
    """Write one message."""
    body = json.dumps(message).encode()
    write_all(descriptor, struct.pack("<I", len(body)) + body)


def serve(config: dict[str, Any]) -> None:
    """Answer requests until there are no more."""
    keeper = Keeper(config)
    send(1, {"ready": True})
    while (request := receive(0)) is not None:
        try:
            send(1, keeper.answer(request))
        except (OSError, UnicodeError, ValueError) as error:
            send(1, {"failed": f"{request['do']}: {error}"})


def main() -> None:
    """Go into namespaces of our own and serve there; the part that stays outside waits, and takes the groups away."""
    config = json.loads(sys.argv[1])
    ready, begin = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            check(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID), "unshare")
            os.write(ready[1], b"1")
            os.close(begin[1])
            if not os.read(begin[0], 1):
                os._exit(1)
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
            # Now, because changing the user forgets it.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            LIBC.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else our own files in /proc belong to somebody else
            _inner(config)
        except OSError as error:
            send(1, {"failed": str(error)})
        os._exit(0)
    os.close(ready[1])
    os.close(begin[0])
    if os.read(ready[0], 1):
        try:
            _map_ids(child, os.geteuid())
            for group in config["groups"]:
                with open(os.path.join(group, "cgroup.procs"), "w") as file:
                    file.write(str(child))
            os.write(begin[1], b"1")
        except OSError as error:
            send(1, {"failed": f"mapping users: {error}"})
    os.close(begin[1])
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.waitpid(child, 0)
    with contextlib.suppress(OSError):  # the owner tries as well
        for group in config["groups"]:
            os.rmdir(group)


def _inner(config: dict[str, Any]) -> None:
    """Fork once more: only a child is in the new pid namespace, and as its first process it takes all with it."""
    child = os.fork()
    if child == 0:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        try:
            serve(config)
        except OSError as error:
            send(1, {"failed": str(error)})
        os._exit(0)
    for descriptor in (0, 1):
        os.close(descriptor)
    os.waitpid(child, 0)


def _map_ids(pid: int, user: int) -> None:
    """Map the namespace's root to ourselves, or, if we are root, to a user that owns nothing on this machine."""
    if user == 0:
        user = group = 1_900_000_000 + pid
    else:
        group = os.getegid()
        with open(f"/proc/{pid}/setgroups", "w") as file:
            file.write("deny")
    for name, number in (("uid_map", user), ("gid_map", group)):
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(f"0 {number} 1")
