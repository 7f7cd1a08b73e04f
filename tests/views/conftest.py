"""What the tests of the viewer share: a store to look at."""

from pathlib import Path

import pytest

import pathei
from pathei.experience import Parent
from pathei.memory import open_memory
from pathei.store import ExperienceStore
from pathei.tests.views.walks import PNG, walk
from pathei.views.viewer.answers import CHUNK


@pytest.fixture(scope="session")
def viewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with household episodes, a long one with a picture, a branch of it, and a memory of one episode."""
    path = tmp_path_factory.mktemp("viewed") / "seen"
    with ExperienceStore.open(path) as store:
        picture = store.put_image(PNG)
        long = walk("way/50%#?", CHUNK + 10, images=(picture,))
        store.append(long, walk("way/branch", 4, parent=Parent(long.id, 7)))
    pathei.collect(path, pathei.generate_tasks("virtualhome", 3), "scripted", workers=0)
    with (
        ExperienceStore.open(path, mode="read") as store,
        open_memory(path, embedder="ngrams", builders="default", create=True) as memory,
    ):
        memory.add(next(store.trajectories(collector="scripted")))
    return path
