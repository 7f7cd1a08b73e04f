"""Drawings of where an episode stands: well formed at every moment, of what the facts say, and else nothing."""

from __future__ import annotations

import importlib.util
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.rollout.episode import Envs, Recorder
from pathei.envs.facts.drawing import AGENT, CHANGED, SOFT
from pathei.envs.registry import get_demonstration, get_drawing, get_env
from pathei.experience import Goal, Observation, Task

SVG = "{http://www.w3.org/2000/svg}"


def drawn(env: str) -> tuple[Task, list[Observation], list[ET.Element]]:
    """Return a task's demonstration, and its drawings."""
    [task] = get_env(env).generate_tasks(1, 0)
    envs = Envs()
    try:
        recorder = Recorder(envs.get(task), task, max_steps=40)
        seen = [recorder.reset()]
        for action in get_demonstration(task)[:6]:
            recorder.step(action)
            seen.append(recorder.observation)
    finally:
        envs.close()
    draw = get_drawing(task.env)
    return task, seen, [ET.fromstring(draw(task, seen[: n + 1])) for n in range(len(seen))]


def texts(picture: ET.Element, colour: str = "") -> list[str]:
    """Return the texts of a drawing, those of one colour if it is given."""
    found = picture.iter(f"{SVG}text")
    return ["".join(one.itertext()) for one in found if colour in ("", one.get("fill"))]


def test_a_household_is_a_plan_of_its_rooms() -> None:
    _, seen, pictures = drawn("virtualhome")
    graph = (seen[0].facts or {})["graph"]
    rooms = {kind.replace("_", " ") for node, kind, _ in graph["nodes"] if node in graph["rooms"]}
    assert rooms <= set(texts(pictures[0]))
    assert [text.split()[:2] for text in texts(pictures[0], AGENT)] == [["●", "character"]]
    # What a step changed has the colour of changes: the character, who walked into another room.
    assert texts(pictures[0], CHANGED) == []
    assert texts(pictures[1], CHANGED)[0].startswith("● character")


def test_names_are_text_whatever_they_say_and_facts_without_rooms_are_not_drawn() -> None:
    graph = {"nodes": [[1, "<script>&", []], [2, "cup", ["</svg>"]]], "edges": [[2, "INSIDE", 1]]}
    facts = {"graph": {**graph, "rooms": [1], "characters": []}}
    task, draw = Task("t", "pathei/VirtualHome-v0", 0, Goal("look")), get_drawing("pathei/VirtualHome-v0")
    assert texts(ET.fromstring(draw(task, [Observation("", facts=facts)]))) == ["<script>&", "cup 2 </svg>"]
    for nothing in (None, {"at": 3}, {"graph": {**graph, "rooms": [], "characters": []}}, {"graph": {"nodes": 1}}):
        for env in ("pathei/VirtualHome-v0", "pathei/MiniGrid-v0", "pathei/Touchdown-v0", "pathei/Habitat-v0", "any"):
            assert get_drawing(env)(Task("t", env, 0, Goal("look")), [Observation("", facts=nothing)]) == ""


def test_a_level_of_minigrid_has_its_walls_objects_and_agent() -> None:
    if importlib.util.find_spec("minigrid") is None:
        pytest.skip("MiniGrid is not installed")
    _, seen, pictures = drawn("minigrid")
    for one, picture in zip(seen, pictures, strict=True):
        facts = one.facts or {}
        x, y, facing = facts["agent"]
        [agent] = picture.iter(f"{SVG}polygon")
        assert agent.get("transform") == f"translate({34 * x + 17:.1f} {34 * y + 17:.1f}) rotate({90 + 90 * facing})"
        balls = [thing for thing in facts["objects"] if thing[0] == "ball"]
        assert len(list(picture.iter(f"{SVG}circle"))) == len(balls)
    walls = [one for one in pictures[0].iter(f"{SVG}rect") if one.get("fill") == "#5c636d"]
    assert len(walls) == 28  # around a room of 6 by 6


def test_streets_show_the_way_that_was_walked() -> None:
    _, seen, pictures = drawn("touchdown")
    for number, picture in enumerate(pictures):
        way = next(one for one in picture.iter(f"{SVG}polyline") if one.get("stroke") == AGENT)
        assert len(str(way.get("points")).split()) == number + 1
        [agent] = picture.iter(f"{SVG}polygon")
        assert str(agent.get("transform")).endswith(f"rotate({(seen[number].facts or {})['heading']})")


def test_a_home_is_seen_from_above() -> None:
    _, seen, pictures = drawn("habitat")
    graph = (seen[0].facts or {})["graph"]
    rooms = {kind.replace("_", " ") for node, kind, _ in graph["nodes"] if node in graph["rooms"]}
    assert rooms <= set(texts(pictures[0]))
    kinds = {node: kind for node, kind, _ in graph["nodes"]}
    held = "nothing"
    for one, picture in zip(seen, pictures, strict=True):
        for sign, node, what, *target in (one.facts or {}).get("changes", ()):
            if (node, what) == (1, "HOLDS"):
                held = kinds[target[0]].replace("_", " ") if sign == "+" else "nothing"
        assert f"in hand: {held}" in texts(picture)
    assert any("in hand: nothing" not in texts(picture) for picture in pictures)


PAGE = """Goal: Book "Oslo"
Page: Trips (/trips)
[1] heading "Find <a> trip"
[2] link "Log in" covered
[3] text "Where"
[4] text "to?"
[5] textbox "To" value "Os"
[6] combobox "Class" of First, Second chosen "Second"
[7] checkbox "Direct only" checked
[8] button "Search" in "Form" disabled
[9] spinbutton
(12 more elements below: `scroll down` or `find "TEXT"`)"""


def test_a_page_is_its_headings_links_fields_and_buttons_and_what_is_new_is_marked() -> None:
    draw, task = get_drawing("pathei/MiniWoB-v0"), Task("t", "pathei/MiniWoB-v0", 0, Goal("look"))
    later = PAGE.replace('value "Os"', 'value "Oslo" focused')
    first, second = (
        ET.fromstring(draw(task, [Observation(text) for text in seen])) for seen in ([PAGE], [PAGE, later])
    )
    assert texts(first) == [
        'Goal: Book "Oslo"', "Page: Trips (/trips)", "Find <a> trip", "Log in", "Where to?", "To", "Os", "Class",
        "Second", "☑ Direct only", "Search", "spinbutton", "",
        '(12 more elements below: `scroll down` or `find "TEXT"`)',
    ]  # fmt: skip
    assert texts(first, SOFT) == ["Log in", "To", "Class", "Search", "spinbutton"]
    marks = [[one for one in picture.iter(f"{SVG}rect") if one.get("fill") == CHANGED] for picture in (first, second)]
    assert [len(one) for one in marks] == [0, 1]
    assert draw(task, [Observation("")]) == ""


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_text_of_a_page_is_drawn_well_formed(lines: list[str]) -> None:
    draw, task = get_drawing("pathei/WebShop-v0"), Task("t", "pathei/WebShop-v0", 0, Goal("look"))
    drawing = draw(task, [Observation("\n".join(lines)), Observation("\n".join(["[1] link", *lines]))])
    assert "link" in texts(ET.fromstring(drawing))


@pytest.mark.parametrize("env", ["shop", "documents"])
def test_pages_of_the_shop_and_the_documents_are_drawn(env: str) -> None:
    _, seen, pictures = drawn(env)
    for one, picture in zip(seen, pictures, strict=True):
        said = " ".join(texts(picture))
        assert all(name in said for name in re.findall(r"\[button\] (.+?) \[button_\]", one.text))
        assert all(name in said for name in re.findall(r"\[\d+: (.+?)\]", one.text)[:20])


def test_a_bot_of_minecraft_is_on_its_way_with_what_it_sees_and_carries() -> None:
    texts_seen = [
        "You are at 8 68 8 in a birch_forest biome. Day 1, 07:01 (day).\nHealth 20/20, food 20/20.\n"
        "Inventory: nothing.",
        "You are at -10 68 12 in a birch_forest biome, under cover. Day 1, 07:17 (day).\nHealth 7.5/20, food 3/20.\n"
        "You wear iron_boots.\nInventory: 2 pumpkin, 1 oak_log.\nCreatures: sheep 10 east, zombie 20 northwest.",
    ]
    draw, task = get_drawing("pathei/Minecraft-v0"), Task("t", "pathei/Minecraft-v0", 0, Goal("look"))
    seen = [Observation(text) for text in texts_seen]
    picture = ET.fromstring(draw(task, seen))
    assert {"birch forest", "x -10, y 68, z 12", "health 7.5", "food 3", "2 pumpkin", "sheep"} <= set(texts(picture))
    way = next(one for one in picture.iter(f"{SVG}polyline") if one.get("stroke") == AGENT)
    assert len(str(way.get("points")).split()) == 2
    at = {
        one.get("fill"): (float(str(one.get("cx"))), float(str(one.get("cy")))) for one in picture.iter(f"{SVG}circle")
    }
    sheep, zombie = [
        (float(str(one.get("cx"))), float(str(one.get("cy"))))
        for one in picture.iter(f"{SVG}circle")
        if one.get("fill") == CHANGED
    ]
    (x, y), (start_x, start_y) = at[AGENT], at[SOFT]
    assert (sheep[0] > x, sheep[1] == y) == (True, True)  # east is right
    assert (zombie[0] < x, zombie[1] < y) == (True, True)  # north is up
    assert (start_x > x, start_y < y) == (True, True)
    assert draw(task, [*seen, Observation("You died.")]) == ""


def test_labels_of_a_home_stand_next_to_each_other_and_within_the_picture() -> None:
    lines = 0
    for task in get_env("habitat").generate_tasks(4, 0):
        envs = Envs()
        try:
            seen = [Recorder(envs.get(task), task, max_steps=1).reset()]
        finally:
            envs.close()
        picture = ET.fromstring(get_drawing(task.env)(task, seen))
        places = []
        for one in picture.iter(f"{SVG}text"):
            size, x, y = float(one.get("font-size", "12")), float(one.get("x", "")), float(one.get("y", ""))
            width = 0.5 * size * len("".join(one.itertext()))  # narrower than any type: these letters do meet
            assert x >= 0
            assert x + width <= float(picture.get("viewBox", "").split()[2])
            places.append((x, y - size, x + width, y))
        lines += len(places)
        for place, (left, top, right, bottom) in enumerate(places):
            for x0, y0, x1, y1 in places[:place]:
                within = min(right, x1) - max(left, x0), min(bottom, y1) - max(top, y0)
                assert min(within) < 0.2, (within, places[place])
    assert lines > 100
