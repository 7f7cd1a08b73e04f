"""Which versions of the protocol the Minecraft world's player was tried with, on servers by others (flying-squid).

For each version that mineflayer's own tests list, from 1.18.2 on, a server is started in a process of its own, and one
episode is played on it over TCP. A version that the server does not speak is listed as not tried.

    python benchmarks/minecraft/versions.py
"""

from __future__ import annotations

import argparse
import os
import re
import selectors
import subprocess
import time
from pathlib import Path

from pathei.envs.minecraft import MinecraftEnv
from pathei.envs.minecraft.process.game import RUNTIME
from pathei.errors import PatheiError

SQUID = Path(__file__).parents[2] / "tests" / "envs" / "minecraft" / "squid.js"
OLDEST, NEWEST = (1, 18, 2), (1, 21, 11)
START_S = 60.0


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers."""
    return tuple(map(int, version.split(".")))


def versions(modules: Path) -> list[str]:
    """Return the versions that mineflayer's tests list."""
    found = re.search(r"testedVersions = \[(.*?)\]", (modules / "mineflayer/lib/version.js").read_text("utf-8"))
    assert found is not None
    return [one for one in re.findall(r"[\d.]+", found[1]) if OLDEST <= numbers(one) <= NEWEST]


def port_of(process: subprocess.Popen[bytes]) -> int | None:
    """Wait until a server says its port; None if it ends or says nothing."""
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    said, deadline = b"", time.monotonic() + START_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and process.poll() is None:
            if selector.select(1.0):
                said += process.stdout.read() or b""
            if found := re.search(rb"PORT (\d+)\n", said):
                return int(found[1])
    return None


def tried(modules: Path, version: str) -> list[str]:
    """Return how joining, gathering, walking and placing went on a server of a version."""
    command, quiet = ["node", str(SQUID), version], subprocess.DEVNULL
    process = subprocess.Popen(
        command, env={**os.environ, "NODE_PATH": str(modules)}, stdout=subprocess.PIPE, stderr=quiet
    )
    try:
        port = port_of(process)
        return ["not tried: the server does not speak it", "", "", ""] if port is None else played(port)
    finally:
        process.kill()
        process.wait()


def played(port: int) -> list[str]:
    """Return how one episode went."""
    env, found = MinecraftEnv(server=f"127.0.0.1:{port}"), list[str]()
    try:
        env.reset(seed=0)
        found.append("yes")
        env.step("mine 2 dirt")
        found.append("yes" if env.moment.seen["inventory"].get("dirt") == 2 else "no")
        before = env.moment.seen["position"]
        env.step("explore north")
        x, _, z = (there - here for here, there in zip(before, env.moment.seen["position"], strict=True))
        found.append("yes" if (x * x + z * z) ** 0.5 > 20 else "no")
        env.step("place dirt")
        found.append("yes" if env.moment.seen["inventory"].get("dirt", 0) == 1 else "no")
    except PatheiError:
        pass
    finally:
        env.close()
    return [*found, *["no"] * (4 - len(found))]


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    modules = RUNTIME.require() / "node_modules"
    print("| protocol | joined | gathered 2 dirt | walked 20 blocks | placed one |\n|:---|:---|:---|:---|:---|")
    for version in versions(modules):
        print(f"| {version} | {' | '.join(tried(modules, version))} |", flush=True)


if __name__ == "__main__":
    main()
