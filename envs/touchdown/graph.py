"""A street graph: panoramas joined by links, each link with a heading, and what `forward`, `left` and `right` do there.

The forms and the semantics are Touchdown's (Chen et al. 2019, `base_navigator.py` and `graph_loader.py` of its public
repository): nodes are lines `pano,yaw,latitude,longitude`, links are lines `from,heading,to`. One stands in a panorama
and faces one of its links. Where each action leads from each link is worked out once, so that a step is a look-up.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Final

from ...errors import DataError

MOVES: Final = ("forward", "left", "right")
_KEPT_MAPS: Final = 256
_EARTH: Final = 6_371_000.0
"""The radius of the earth in metres."""


class StreetGraph:
    """Panoramas and links, both numbered from 0 in the order of their files; a link stands for "here, facing it"."""

    def __init__(
        self,
        nodes: Iterable[tuple[str, int, float, float]],
        links: Iterable[tuple[str, int, str]],
        where: str = "the graph",
    ) -> None:
        """Build a graph.

        Args:
            nodes: For each panorama its id, the heading of its image's centre in degrees, latitude and longitude.
            links: For each link the panorama that it leaves, its heading in whole degrees clockwise from north, and
                the panorama that it leads to. Of two with the same origin and heading the last counts.
            where: What to call the graph in messages.

        Raises:
            DataError: a link names an unknown panorama, or a panorama has no link.
        """
        self.where = where
        self.panos: list[str] = []
        self.yaws: list[int] = []
        self.coordinates: list[tuple[float, float]] = []
        for pano, yaw, latitude, longitude in nodes:
            self.panos.append(pano)
            self.yaws.append(yaw)
            self.coordinates.append((latitude, longitude))
        self.index = {pano: number for number, pano in enumerate(self.panos)}
        out: list[dict[int, int]] = [{} for _ in self.panos]
        for origin, heading, target in links:
            try:
                out[self.index[origin]][heading] = self.index[target]
            except KeyError as error:
                raise DataError(f"A link of {where} names the panorama {error}, which is no node.") from None
        lonely = next((self.panos[node] for node, headings in enumerate(out) if not headings), None)
        if lonely is not None:
            raise DataError(f"The panorama {lonely!r} of {where} has no link, so nobody could face anywhere there.")
        self.origins: list[int] = []
        """For each link the panorama that it leaves."""
        self.targets: list[int] = []
        """For each link the panorama that it leads to."""
        self.headings: list[int] = []
        """For each link its heading, in degrees."""
        self.links: list[range] = []
        """For each panorama its links."""
        for node, headings in enumerate(out):
            first = len(self.origins)
            self.origins += [node] * len(headings)
            self.targets += headings.values()
            self.headings += headings
            self.links.append(range(first, len(self.origins)))
        self.ways = [len(links) for links in self.links]
        """For each panorama how many links leave it."""
        self.moves = self._moves()
        """For `forward`, `left` and `right`, in this order, and each link: the link one faces afterwards."""
        self._into: list[list[int]] | None = None
        self._maps: OrderedDict[int, Sequence[int]] = OrderedDict()

    def facing(self, pano: int, heading: float) -> int:
        """Return the link of a panorama that is nearest to a heading; of two as near, the first.

        Touchdown's `start_heading` is no link's heading; published agents begin with this step.
        """
        return min(self.links[pano], key=lambda link: _apart(self.headings[link], heading))

    def distances(self, goal: int) -> Sequence[int]:
        """Return for each panorama over how many links the goal is reached from it; -1 where it is not.

        The maps of the goals asked for last are kept.
        """
        found = self._maps.get(goal)
        if found is None:
            found = self._maps[goal] = self._measure(goal)
            if len(self._maps) > _KEPT_MAPS:
                self._maps.popitem(last=False)
        else:
            self._maps.move_to_end(goal)
        return found

    def neighbours(self, pano: int) -> set[int]:
        """Return the panoramas that a link joins to this one, in either direction."""
        return {self.targets[link] for link in self.links[pano]} | set(self._origins_into()[pano])

    def metres(self, pano: int, other: int) -> float:
        """Return the distance between two panoramas as the crow flies, in metres."""
        (lat, lon), (lat2, lon2) = self.coordinates[pano], self.coordinates[other]
        half = (
            sin(radians(lat2 - lat) / 2) ** 2
            + cos(radians(lat)) * cos(radians(lat2)) * sin(radians(lon2 - lon) / 2) ** 2
        )
        return 2 * _EARTH * asin(sqrt(half))

    def _moves(self) -> tuple[list[int], list[int], list[int]]:
        forward, left, right = [], [], []
        for link, (pano, target, heading) in enumerate(zip(self.origins, self.targets, self.headings, strict=True)):
            # A panorama with fewer than two links is the edge of the map: it is not entered.
            forward.append(self.facing(target, heading) if self.ways[target] > 1 else link)
            # Of the other links the first one met when turning; where there is no other, one stays.
            others = [other for other in self.links[pano] if other != link] or [link]
            left.append(min(others, key=lambda other: (heading - self.headings[other]) % 360))
            right.append(min(others, key=lambda other: (self.headings[other] - heading) % 360))
        return forward, left, right

    def _origins_into(self) -> list[list[int]]:
        if self._into is None:
            self._into = [[] for _ in self.panos]
            for origin, target in zip(self.origins, self.targets, strict=True):
                self._into[target].append(origin)
        return self._into

    def _measure(self, goal: int) -> Sequence[int]:
        into = self._origins_into()
        found = [-1] * len(self.panos)
        found[goal] = 0
        waiting = deque([goal])
        while waiting:
            pano = waiting.popleft()
            for origin in into[pano]:
                if found[origin] < 0:
                    found[origin] = found[pano] + 1
                    waiting.append(origin)
        return found


def load_graph(folder: Path) -> StreetGraph:
    """Read `nodes.txt` and `links.txt`, plain or gzipped, from a folder.

    Raises:
        DataError: a file is missing or a line does not have the form.
    """
    nodes, links = [], []
    for number, line in _lines(folder, "nodes.txt"):
        try:
            # The first four columns; other works add a fifth.
            pano, yaw, latitude, longitude = line.split(",")[:4]
            nodes.append((pano, int(yaw), float(latitude), float(longitude)))
        except ValueError:
            raise DataError(f"Line {number} of nodes.txt in {folder} is not 'pano,yaw,latitude,longitude'.") from None
    for number, line in _lines(folder, "links.txt"):
        try:
            origin, heading, target = line.split(",")
            links.append((origin, int(heading), target))
        except ValueError:
            raise DataError(f"Line {number} of links.txt in {folder} is not 'pano,heading,pano'.") from None
    return StreetGraph(nodes, links, str(folder))


def _apart(heading: float, other: float) -> float:
    """The angle between two headings, in [0, 180]."""
    return 180 - abs(abs(heading - other) % 360 - 180)


def _lines(folder: Path, name: str) -> Iterable[tuple[int, str]]:
    plain, zipped = folder / name, folder / f"{name}.gz"
    try:
        data = plain.read_bytes() if plain.exists() else gzip.decompress(zipped.read_bytes())
    except (OSError, EOFError) as error:
        raise DataError(f"There is no readable {name} in {folder} ({error}).") from error
    lines = data.decode("utf-8", "replace").splitlines()
    return ((number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip())
