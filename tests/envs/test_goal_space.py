"""The household's own goals: which are listed, how they join, what they have in common, and how they are read."""

import gymnasium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.envs.goal_space import GoalCondition
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.goals.check import GoalCheck
from pathei.envs.virtualhome.goals.space import HomeGoals, HomeGoalSpace, part_of
from pathei.errors import GoalError
from pathei.experience import Goal

HOMES = HomeGoals()
ENV = VirtualHomeEnv()


def space_of(house: int, rules: str = "clean") -> HomeGoalSpace:
    ENV.reset(seed=0, options={"scene": f"house:{house}", "rules": rules})
    return HOMES.present(ENV)


@settings(max_examples=5)
@given(st.integers(0, 10_000), st.sampled_from(["clean", "v1"]))
def test_every_listed_goal_can_be_checked_does_not_hold_and_reads_back(house: int, rules: str) -> None:
    space = space_of(house, rules)
    assert len(space.aims()) > 500
    for aim in space.aims()[:: max(1, len(space.aims()) // 150)]:
        assert not GoalCheck(aim.goal.conditions, ENV.world).satisfied()
        assert space.read(aim.goal.text).goal.conditions == aim.goal.conditions
        assert HOMES.aim(aim.goal) == aim


def test_nobody_is_to_hold_three_things() -> None:
    space = space_of(3)
    held = space.kinds()["you HOLDS _"][:3]
    assert space.join(held[:2]) is not None
    assert space.join(held) is None


def test_kinds_hold_every_goal_once_and_names_find_them() -> None:
    space = space_of(3)
    by_kind = [aim for aims in space.kinds().values() for aim in aims]
    assert sorted(aim.template for aim in by_kind) == sorted(aim.template for aim in space.aims())
    assert all(aim.parts[0].kind == kind for kind, aims in space.kinds().items() for aim in aims)
    assert all(space.named(aim.parts[0].name) == aim for aim in space.aims()[:50])
    assert space.named("fridge ON cup") is None


def test_goals_are_those_that_the_rules_can_bring_about() -> None:
    space = space_of(3)
    scene = ENV.world.scene
    switches = {scene.classes[n] for n in range(ENV.world.size) if scene.having["HAS_SWITCH"] >> n & 1}
    for aim in space.kinds()["_ ON"]:
        assert set(aim.parts[0].things) <= switches
    assert {"_ INSIDE _", "_ ON _", "you HOLDS _", "_ OPEN", "_ CLEAN", "you INSIDE _", "_ ON you"} <= set(
        space.kinds()
    )


def test_the_goals_follow_the_household_as_it_changes() -> None:
    space = space_of(3)
    room = space.kinds()["you INSIDE _"][0].parts[0]
    [name] = room.things
    number = ENV.world.scene.classes.index(name)
    for line in ("[Walk] <door> (10)", "[Open] <door> (10)"):
        ENV.step(line)
    _, _, _, _, info = ENV.step(f"[Walk] <{name}> ({ENV.world.scene.ids[number]})")
    assert "error" not in info
    assert HOMES.present(ENV).named(room.name) is None
    ENV.reset(seed=0, options={"scene": "house:3"})
    assert HOMES.present(ENV).named(room.name) is not None


def test_features_run_from_the_general_to_the_particular() -> None:
    inside = {"from": {"class": "cup"}, "relation": "INSIDE", "to": {"class": "dishwasher"}}
    assert part_of(inside) == GoalCondition(
        ("_ INSIDE _", "_ INSIDE dishwasher", "cup INSIDE dishwasher"), ("cup", "dishwasher")
    )
    held = {"from": {"class": "character"}, "relation": "HOLDS", "to": {"class": "cup"}}
    assert part_of(held) == GoalCondition(("you HOLDS _", "you HOLDS cup"), ("cup",))
    every = {"node": {"class": "plate"}, "state": "CLEAN", "count": "all"}
    assert part_of(every).features == ("every _ CLEAN", "every plate CLEAN")
    assert part_of({"node": {"class": "character"}, "state": "SITTING"}) == GoalCondition(("you SITTING",))
    assert part_of({"not": every}).kind == "NotCondition"


def test_a_template_does_not_depend_on_order_or_house() -> None:
    one, other = space_of(3), space_of(4)
    names = [aim.parts[0].name for aim in one.kinds()["_ PLUGGED_OUT"]]
    shared = [name for name in names if other.named(name) is not None][:2]
    pairs = [[space.named(name) for name in shared] for space in (one, other)]
    joined = [space.join([aim for aim in pair if aim]) for space, pair in zip((one, other), pairs, strict=True)]
    swapped = one.join([aim for aim in reversed(pairs[0]) if aim])
    assert joined[0] is not None
    assert joined[1] is not None
    assert swapped is not None
    assert joined[0].template == joined[1].template == swapped.template
    assert joined[0].size == 2
    assert " and " in joined[0].goal.text


def test_contradictions_are_not_joined() -> None:
    space = space_of(3)
    held = space.kinds()["you HOLDS _"][0]
    place = next(a for a in space.kinds()["_ ON _"] if a.parts[0].things[0] == held.parts[0].things[0])
    assert space.join([held, place]) is None
    rooms = space.kinds()["you INSIDE _"]
    assert space.join([rooms[0], rooms[1]]) is None
    boxes = [a for a in space.kinds()["_ INSIDE _"] if a.parts[0].things == ("box", "laundry_basket")]
    baskets = [a for a in space.kinds()["_ INSIDE _"] if a.parts[0].things == ("laundry_basket", "box")]
    for one, other in zip(boxes, baskets, strict=False):
        assert space.join([one, other]) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The fridge is open.", "fridge OPEN"),
        ("turn on", None),
        ("you are holding a book", "you HOLDS book"),
        ("you sit down", "you SITTING"),
        ("You are lying", "you LYING"),
        ("the book is inside the fridge", "book INSIDE fridge"),
        ("the book is on top of the bed", "book ON bed"),
        ('{"node": {"class": "fridge"}, "state": "OPEN"}', "fridge OPEN"),
        ('{"conditions": [{"node": {"class": "fridge"}, "state": "OPEN"}]}', "fridge OPEN"),
    ],
)
def test_what_somebody_writes_is_read(text: str, name: str | None) -> None:
    space = space_of(3)
    if name is None:
        with pytest.raises(GoalError, match="none of the forms"):
            space.read(text)
    else:
        assert space.read(text).template == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("the fridge is happy", "none of the forms"),
        ("the unicorn is on the bed", "there is no unicorn here"),
        ("the fridgee is open", "did you mean fridge"),
        ("the fridge (99999) is open", r"what '\(99999\)' says .* is not known"),
        ("the bed is open", "nothing that can be done here"),
        ("the bed is in the book", "nothing that can be done here"),
        ("the fridge is closed", "holds already"),
        ("the fridge is open and the unicorn is on", "there is no unicorn"),
        ("{", "not JSON"),
        ("[]", "at least one"),
        ("[1]", "is not an object"),
        ('{"node": {"class": "fridge"}, "stat": "OPEN"}', "did you mean 'state'"),
        ('__import__("os").system("true")', "is not known"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(GoalError, match=why):
        space_of(3).read(text)


def test_other_worlds_and_goals_without_conditions_are_refused() -> None:
    with pytest.raises(GoalError, match="not a household"):
        HOMES.present(gymnasium.make("FrozenLake-v1"))
    with pytest.raises(GoalError, match="no conditions"):
        HOMES.aim(Goal("be happy"))
