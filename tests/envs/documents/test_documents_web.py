"""The documents in a real browser: the same policy earns the same there as in process."""

from typing import Any

import orjson
import pytest

from pathei.envs import contract
from pathei.envs.documents.env import DocsEnv
from pathei.envs.documents.site import browser_docs
from pathei.envs.documents.tasks import demonstration, generate_tasks
from pathei.envs.web.env import WebEnv
from pathei.experience import Task


def act(env: WebEnv, here: DocsEnv, action: str) -> tuple[float, bool, dict[str, Any]] | None:
    """Do one of the documents' actions in the browser, where a page is whole and need not be scrolled."""
    verb, _, what = action.removesuffix("]").partition("[")
    if verb == "scroll":
        return None
    if verb == "search":
        box = next(element for element in env.view.elements if element.role == "searchbox")
        env.step(f"type [{box.id}] {orjson.dumps(what).decode()}")
        given = "press Enter"
    elif verb == "click":
        place = here.place
        text = next(link.text for link in here.episode.reader.screen(place).links if str(link.number) == what)
        link = next(e for e in env.view.elements if e.role == "link" and e.name == text)
        given = f"click [{link.id}]"
    else:
        given = f"stop {what}"
    _, reward, done, _, info = env.step(given)
    assert "error" not in info, info
    return reward, done, info


def by_search(task: Task) -> list[str]:
    """Return what somebody does who searches first, takes the first result, and answers wrongly."""
    return [f"search[{task.goal.text}]", "click[1]", "answer[nothing of the kind]"]


@pytest.mark.integration
def test_the_same_policy_earns_the_same_in_the_browser(chromium: str) -> None:
    there, here = browser_docs(), DocsEnv()
    rewards = []
    try:
        for task in generate_tasks(5, 3):
            for actions in (demonstration(task), by_search(task)):
                contract.reset(here, task)
                contract.reset(there, task)
                for action in actions:
                    found = act(there, here, action)
                    _, reward, done, _, info = here.step(action)
                    if found is not None:
                        assert (reward, done, info["success"]) == (*found[:2], found[2]["success"])
                rewards.append(reward)
    finally:
        there.close()
    assert rewards == [1.0, 0.0] * 5
