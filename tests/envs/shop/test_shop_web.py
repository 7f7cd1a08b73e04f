"""The shop in a real browser: the same policy earns the same there as in process."""

from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import orjson
import pytest

from pathei.envs import contract
from pathei.envs.shop.env import WebShopEnv
from pathei.envs.shop.pages import START, ShopPage, ShopPages
from pathei.envs.shop.shops import shop_named
from pathei.envs.shop.site import ShopSite, address, browser_shop, read_address
from pathei.envs.shop.tasks import demonstration, split_tasks
from pathei.envs.web.env import WebEnv
from pathei.experience import Task


def act(env: WebEnv, action: str) -> tuple[float, bool, dict[str, Any]]:
    """Do one of the shop's actions in the browser: type and press Enter, or click what is called so."""
    verb, _, what = action[:-1].partition("[")
    elements = env.view.elements
    if verb == "search":
        box = next(element for element in elements if element.role == "searchbox")
        env.step(f"type [{box.id}] {orjson.dumps(what).decode()}")
        _, reward, done, _, info = env.step("press Enter")
    else:
        link = next(element for element in elements if element.role == "link" and element.name.lower() == what)
        _, reward, done, _, info = env.step(f"click [{link.id}]")
    assert "error" not in info, info
    return reward, done, info


def wander(task: Task, rng: np.random.Generator) -> list[str]:
    """Return the actions of somebody who goes astray in process and buys in the end."""
    env = WebShopEnv()
    info = contract.reset(env, task)[1]
    actions: list[str] = []
    while info["actions"] and len(actions) < 12:
        wanted = [action for action in info["actions"] if len(actions) >= 8 and action == "click[buy now]"]
        action = (wanted or list(info["actions"]))[int(rng.integers(len(wanted or info["actions"])))]
        actions.append(action)
        *_, info = env.step(action)
    return actions


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[WebEnv]:
    """The shop in a browser."""
    env = browser_shop()
    yield env
    env.close()


@pytest.mark.integration
def test_the_same_policy_earns_the_same_in_the_browser(browser: WebEnv) -> None:
    rng = np.random.default_rng(0)
    here = WebShopEnv()
    tasks = [*split_tasks("test")[:6], *split_tasks("test", kind="synthetic")[:3]]
    bought = 0
    for task in tasks:
        for actions in (demonstration(task), wander(task, rng)):
            contract.reset(here, task)
            contract.reset(browser, task)
            for action in actions:
                _, reward, done, _, info = here.step(action)
                there = act(browser, action)
                assert (reward, done, info["success"]) == (*there[:2], there[2]["success"])
            place = read_address(browser.view.url, here.episode.pages)
            assert place is not None
            assert place == here.place._replace(seen=frozenset())
            bought += here.place.page == "done"
    assert bought > len(tasks)


@pytest.mark.integration
def test_back_in_the_browser_is_a_place_of_the_shop(browser: WebEnv) -> None:
    contract.reset(browser, split_tasks("test")[0])
    act(browser, "search[winter coat]")
    link = next(e for e in browser.view.elements if e.role == "link" and e.name.startswith("B0"))
    browser.step(f"click [{link.id}]")
    *_, info = browser.step("back")
    assert "error" not in info
    assert "/results?query=winter%20coat" in browser.view.url.replace("+", "%20")


def test_every_place_has_an_address_of_its_own() -> None:
    pages = ShopPages(shop_named("generated").catalogue)
    rng = np.random.default_rng(0)
    place, seen = START, {}
    for _ in range(400):
        clicks = ["search[soft coat & 100% 'wool']", *pages.sheet(place).actions]
        following = pages.follow(place, clicks[int(rng.integers(len(clicks)))])
        assert not isinstance(following, str)
        place = START if following.page == "done" else following
        told = following._replace(seen=frozenset())
        assert read_address("http://127.0.0.1:1" + address(following), pages) == told
        assert seen.setdefault(address(following), told) == told


@pytest.mark.parametrize(
    "url",
    [
        "/nowhere",
        "/item",
        "/item?asin=B000000000",
        "/results?number=0",
        "/results?number=x",
        "/done?asin=ASIN&options=[[%22color%22,%22no%20such%22]]",
        "/done?asin=ASIN&options=7",
        "/done?asin=ASIN&options={",
    ],
)
def test_addresses_that_are_no_place_are_refused(url: str) -> None:
    pages = ShopPages(shop_named("generated").catalogue)
    assert read_address(url.replace("ASIN", pages.catalogue.products[0].asin), pages) is None
    assert isinstance(
        read_address("/done?asin=ASIN".replace("ASIN", pages.catalogue.products[0].asin), pages), ShopPage
    )


@pytest.mark.integration
def test_the_server_answers_on_loopback_alone_and_ends_with_its_site() -> None:
    site = ShopSite()
    opening = site.open(0, {})
    assert opening.url.startswith("http://127.0.0.1:")
    with urlopen(opening.url, timeout=10) as page:
        assert b"Instruction: " in page.read()
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{opening.origins[0]}/nowhere", timeout=10)
    site.close()
    with pytest.raises(OSError, match=r"refused|reset"):
        urlopen(opening.url, timeout=10)
