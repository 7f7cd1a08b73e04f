"""What text environments share: a budget for what an observation shows, and ways to the rest of it."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.documents.collection import NOWHERE, DocsPage, TextBlock, TextRun
from pathei.envs.documents.screens import SCREEN, cut
from pathei.envs.text_env import TEXT_BUDGET, TextEnv, fit

LINES = tuple(f"link {number}: about {'cats' if number == 15_000 else 'dogs'}" for number in range(20_000))


class Long(TextEnv[str]):
    """An environment whose observation has 20,000 lines."""

    title = "The long text"
    option_names = ("goal", "number")
    saved = ("_error",)
    snapshot, restore = TextEnv.save_fields, TextEnv.load_fields

    def __init__(self) -> None:
        super().__init__(defaults={})
        self._error = ""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin."""
        self.begin(seed, options)
        self._error = ""
        return self.text(), {"actions": self.scrolling()}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Scroll; all else is refused."""
        moved = self.scroll(action, lambda: "\n".join(LINES))
        self._error = f"{action!r} is no action" if moved is None else moved
        info: dict[str, Any] = {"error": self._error} if self._error else {}
        return self.text(), 0.0, False, False, {"actions": self.scrolling(), **info}

    def text(self) -> str:
        """Return what is shown."""
        return self._error + self.fitted("\n".join(LINES))


def test_a_long_observation_is_shown_in_parts_and_all_of_it_can_be_reached() -> None:
    env = Long()
    text, info = env.reset(seed=0)
    assert len(text) < TEXT_BUDGET + 200
    assert info["actions"] == ("scroll[down]",)
    seen = set(text.splitlines())
    while "scroll[down]" in info["actions"]:
        text, _, _, _, info = env.step("scroll[down]")
        seen |= set(text.splitlines())
        assert len(text) < TEXT_BUDGET + 200
    assert seen >= set(LINES)
    _, _, _, _, info = env.step("scroll[down]")
    assert info["error"] == "this is the end of the text"
    text = env.step('find "About CATS"')[0]
    assert text.startswith(LINES[15_000])
    assert LINES[14_999] in env.step("scroll[up]")[0]
    assert "is not in the text" in env.step("find[birds]")[4]["error"]
    assert env.step("nonsense")[0].endswith(
        fit("\n".join(LINES), 0, "; scroll[down], scroll[up] and find[words] show others")
    )


def test_scrolling_is_part_of_a_snapshot_and_of_the_contract() -> None:
    env = Long()
    env.reset(seed=0)
    env.step("find[cats]")
    moment, there = env.snapshot(), env.text()
    env.step("scroll[up]")
    env.restore(moment)
    assert env.text() == there
    check_env(env)
    check_snapshot(env, steps=6, rng=np.random.default_rng(0))


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=TEXT_BUDGET))
def test_a_short_text_stays_as_it_is(text: str) -> None:
    assert fit(text) == text


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=6))
def test_a_screen_of_a_document_is_bounded_whatever_its_blocks(sizes: list[int]) -> None:
    words = ("word " * 9_000)[: max(sizes)]
    blocks = tuple(TextBlock("text", (TextRun(words[:size] or "-"), TextRun("x" * size or "-", 3))) for size in sizes)
    screens = cut(DocsPage("p", "p", blocks))
    assert all(len(screen.text) <= 5 * SCREEN for screen in screens)
    assert sum(screen.text.count("word") for screen in screens) >= sum(size // 5 for size in sizes)
    assert [link.number for screen in screens for link in screen.links] == list(range(1, len(sizes) + 1))
    assert NOWHERE not in {link.target for screen in screens for link in screen.links}
