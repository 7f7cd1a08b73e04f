"""A stand-in for the Java side of MineDojo 0.1, Minecraft with Malmo's mod: it speaks the mod's socket protocol.

The real `minedojo` package runs on it unmodified: spaces, wrappers, task files and rules of success. The world is a
toy: one stands on a plain, every third tick of attacking gives a log, and four planks can be crafted of a log.

    python java_stand_in.py

prints "PORT" and the port that it listens on. It uses the standard library only.
"""

from __future__ import annotations

import json
import math
import re
import socket
import struct
import threading
from typing import Any

AIR = {"name": "air", "quantity": 0, "variant": 0, "max_durability": -1, "cur_durability": -1, "inventory": "inventory"}
VOXEL = ["air", 0, False, True, False, False, False, False, False, 0.0]
"""A block of air with the ten fields that the mod sends for each block."""
STILL = {
    "saturation": 5.0, "armor": 0, "xp": 0, "air": 300, "is_sleeping": False, "is_alive": True, "sun_brightness": 0.9,
    "sky_light_level": 1.0, "light_level": 15, "can_see_sky": True, "biome_rainfall": 0.5, "biome_temperature": 0.5,
    "is_raining": False, "biome_id": 1, "biome_name": "plains", "sea_level": 63, "score": 0,
    "nearby_crafting_table": False, "nearby_furnace": False, "kill_entity": {}, "use_item": {}, "drop": {},
    "break_item": {}, "damage_dealt": 0, "distance_travelled": 0, "is_dead": False, "life": 20.0, "food": 20,
}  # fmt: skip
"""What never changes here."""
ONE = struct.pack("!I", 1)


class World:
    """One mission, as its XML describes it."""

    def __init__(self, xml: str) -> None:
        """Read the picture's size, the blocks that are looked at, and what one begins with."""
        self.width, self.height = (int(_found(rf"<{name}>\s*(\d+)", xml)[0]) for name in ("Width", "Height"))
        corner = r'x="(-?\d+)" y="(-?\d+)" z="(-?\d+)"'
        grid = re.search(rf"<min {corner}/>\s*<max {corner}/>", xml)
        low_high = [int(number) for number in grid.groups()] if grid else [1, 1, 1, 0, 0, 0]
        self.voxels = math.prod(1 + low_high[axis + 3] - low_high[axis] for axis in range(3))
        self.slots: list[dict[str, Any]] = [{**AIR, "index": place} for place in range(41)]
        given = re.findall(r'<InventoryObject slot="(\d+)" type="([^"]+)" quantity="(\d+)"', xml)
        for slot, name, count in given:
            self.slots[int(slot)].update(name=name, quantity=int(count))
        self.x, self.z, self.yaw, self.pitch = 0.5, 0.5, 0.0, 0.0
        self.ticks, self.gathered = 0, dict[str, int]()

    def step(self, commands: str) -> None:
        """Do the commands of one tick."""
        self.ticks += 1
        for line in commands.split("\n"):
            match line.split():
                case ["camera", pitch, yaw]:
                    self.pitch = max(-90.0, min(90.0, self.pitch + float(pitch)))
                    self.yaw = (self.yaw + float(yaw) + 180) % 360 - 180
                case ["forward", "1"]:
                    self.x -= 0.2 * math.sin(math.radians(self.yaw))
                    self.z += 0.2 * math.cos(math.radians(self.yaw))
                case ["attack", "1"] if self.ticks % 3 == 0:
                    self._add("log", 1)
                    self.gathered["log"] = self.gathered.get("log", 0) + 1
                case ["craft", "planks"] if self._take("log"):
                    self._add("planks", 4)

    def _add(self, name: str, count: int) -> None:
        slots = self.slots[:36]
        slot = next((one for one in slots if one["name"] == name), None) or next(
            one for one in slots if one["name"] == "air"
        )
        slot.update(name=name, quantity=slot["quantity"] + count)

    def _take(self, name: str) -> bool:
        slot = next((one for one in self.slots[:36] if one["name"] == name), None)
        if slot is None:
            return False
        left = slot["quantity"] - 1
        slot.update(name=name if left else "air", quantity=left)
        return True

    def info(self) -> bytes:
        """Return what the mod tells after a tick."""
        stat = {"time_since_death": self.ticks, "mine_block": {}, "kill_entity": {}, "use_item": {"minecraft": {}},
                "craft_item": {}, "pickup": {}}  # fmt: skip
        said: dict[str, Any] = {
            **STILL, "inventory": self.slots, "xpos": self.x, "ypos": 64.0, "zpos": self.z, "yaw": self.yaw,
            "pitch": self.pitch, "stat": stat, "voxels": VOXEL * self.voxels, "mine_block": self.gathered,
            "craft_item": {}, "pick_up": self.gathered, "time_since_death": self.ticks, "world_time": self.ticks,
            "total_time": self.ticks,
        }  # fmt: skip
        return json.dumps(said).encode()

    def frame(self) -> bytes:
        """Return a picture, whose red says how late it is."""
        return bytes([self.ticks % 256, 100, 200]) * (self.width * self.height)


def _found(pattern: str, xml: str) -> tuple[str, ...]:
    match = re.search(pattern, xml)
    assert match is not None, pattern
    return match.groups()


def exactly(connection: socket.socket, size: int) -> bytes | None:
    """Read a number of bytes; None where the other end is gone."""
    read = b""
    while len(read) < size:
        piece = connection.recv(size - len(read))
        if not piece:
            return None
        read += piece
    return read


def receive(connection: socket.socket) -> bytes | None:
    """Read one message."""
    head = exactly(connection, 4)
    return None if head is None else exactly(connection, struct.unpack("!I", head)[0])


def send(connection: socket.socket, *messages: bytes) -> None:
    """Write messages."""
    for message in messages:
        connection.sendall(struct.pack("!I", len(message)) + message)


def answer(connection: socket.socket) -> None:
    """Answer one client until it is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    world: World | None = None
    while (message := receive(connection)) is not None:
        if message.startswith((b"<Quit", b"<Exit")):
            send(connection, ONE)
        elif message.startswith(b"<Disconnect"):
            return
        elif message.startswith((b"<MalmoEnv", b"<StepServer")):
            continue
        elif message.startswith(b"<Peek"):
            assert world is not None
            send(connection, world.frame(), world.info(), struct.pack("!b", 0))
        elif message.startswith(b"<StepClient"):
            assert world is not None
            world.step(re.sub(rb"^<StepClient\d>|</StepClient\d >$", b"", message).decode())
            send(connection, world.frame(), struct.pack("!dbb", 0.0, 0, 1), world.info())
        else:
            receive(connection)  # the mission's token
            world = World(message.decode())
            send(connection, ONE)


def main() -> None:
    """Listen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print("PORT", server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
