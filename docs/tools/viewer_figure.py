"""Draw the pictures of the viewer that the pages show, from a store that is made for it.

    python docs/tools/viewer_figure.py docs/figures

Writes `viewer.png`, a step of a household episode, and `viewer_tree.png`, the tree of a search; needs Chromium.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

import pathei
from pathei.collectors import collect
from pathei.collectors.search.collector import MctsConfig, household_search, make_searcher
from pathei.envs.web.browser.browser import Browser
from pathei.store import ExperienceStore
from pathei.tests.views.watched_page import WatchedPage
from pathei.views.viewer import ViewerServer
from pathei.views.viewer.answers import path_of


def main() -> None:
    """Write both pictures into the folder that the command line names."""
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "home"
        task = next(one for one in pathei.generate_tasks("virtualhome", 4) if "into the box" in one.goal.text)
        with ExperienceStore.open(store) as writer:
            collect(writer, [task], make_searcher(MctsConfig(household_search(simulations=150), keep_tree=True)))
        with ExperienceStore.open(store, mode="read") as reader, ViewerServer(reader) as server, Browser() as browser:
            plan = next(reader.trajectories(roots=True)).id
            episode, tree = path_of("episode", plan, 4), path_of("tree", task.id, plan)
            shown = (("viewer", episode, "#drawing", 860), ("viewer_tree", tree, ".grown svg", 620))
            for name, path, ready, height in shown:
                page = WatchedPage(browser, f"{server.address}#/{path}", width=1300, height=height)
                page.wait(f"document.querySelector('{ready}')")
                data = page._call("Page.captureScreenshot", format="png")["data"]
                (out / f"{name}.png").write_bytes(base64.b64decode(data))
                page.close()


if __name__ == "__main__":
    main()
