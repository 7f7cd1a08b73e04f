"""Several bots in one world act in turn, each with its own things, and reach a goal together; snapshots hold all."""

import pytest

from pathei.envs.minecraft.explorer import Explorer
from pathei.envs.minecraft.process.game import Seen
from pathei.envs.minecraft.tasks import generate_tasks, playing
from pathei.errors import ConfigError

from .conftest import Begin

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("minecraft")]


def test_who_acts_is_a_part_of_the_action(begin: Begin) -> None:
    env = begin(characters=3, inventory={"oak_log": 1})
    assert env.text().startswith("You are char0.\n")
    assert all(action.startswith("<char0> ") for action in env.actions())
    text, *_, info = env.step("craft oak_planks")
    assert (info["actor"], info["character"]) == (1, 2)
    assert text.startswith("You are char1.\n")
    assert "char0 " in text.partition("Creatures: ")[2]
    text, *_, info = env.step("<char2> wait")
    assert (info["actor"], info["character"]) == (3, 1)
    assert [seen["inventory"] for seen in env.moment.team] == [{"oak_planks": 4}, {"oak_log": 1}, {"oak_log": 1}]
    before = env.moment
    for wrong, why in (
        ("<char3> wait", "is no <char3>, the last"),
        ("<char1> craft boat", "nothing called boat"),
    ):
        assert why in env.step(wrong)[4]["error"]
        assert (env.moment.team, env.moment.turn) == (before.team, before.turn)


def test_what_they_have_is_added_up(begin: Begin) -> None:
    env = begin([{"crafted": "oak_planks", "count": 8}], characters=2, inventory={"oak_log": 1})
    assert env.step("craft oak_planks")[1] == pytest.approx(0.5)
    _, reward, terminated, _, info = env.step("craft oak_planks")
    assert reward == pytest.approx(0.5)
    assert terminated
    assert info["success"]
    graph = env.fact_graph()
    assert set(graph.characters) == {1, 2}


def test_one_takes_from_a_chest_what_another_put_there(begin: Begin) -> None:
    env = begin(characters=2, inventory={"chest": 1, "diamond": 2})
    for action in ("<char0> place chest", "<char0> deposit 2 diamond", "<char1> withdraw 2 diamond"):
        assert "failed" not in env.step(action)[4]
    assert [seen["inventory"].get("diamond", 0) for seen in env.moment.team] == [0, 4]


def test_a_program_may_be_anyones(begin: Begin) -> None:
    env = begin(characters=2, inventory={"oak_log": 1})
    env.step("<char1> async function f(bot) { await craftItem(bot, 'oak_planks') }")
    assert [seen["inventory"] for seen in env.moment.team] == [{"oak_log": 1}, {"oak_planks": 4}]


def test_snapshots_hold_all_of_them(begin: Begin) -> None:
    env = begin(characters=3, inventory={"oak_log": 2, "dirt": 4})
    env.step("craft oak_planks")

    def played() -> list[tuple[str, tuple[Seen, ...]]]:
        actions = ("<char1> craft oak_planks", "<char2> place dirt", "<char0> mine dirt", "<char1> wait")
        return [(env.step(action)[0], env.moment.team) for action in actions]

    saved = env.snapshot()
    first = played()
    begin(characters=2)  # in between another world
    env.restore(saved)
    for before, again in zip(first, played(), strict=True):
        assert again == before


def test_the_oracle_plays_them_in_turn(begin: Begin) -> None:
    env = begin([{"crafted": "crafting_table"}], characters=2, inventory={"oak_log": 1})
    done = list(playing(env, Explorer(env.game.rules, env.moment.goals)))
    assert {action.partition(" ")[0] for action in done} == {"<char0>", "<char1>"}
    assert env.over


def test_tasks_are_generated_for_several(begin: Begin) -> None:
    assert {task.options.get("characters") for task in generate_tasks(3, 0, characters=4)} == {4}
    with pytest.raises(ConfigError, match=r"'characters' .* from 1 to 16"):
        begin(characters=17)
