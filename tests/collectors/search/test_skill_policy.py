"""Skills: how plans are lifted, suggested and followed, and that a player does better for having learned."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.coverage import read_act
from pathei.collectors.rollout.episode import Envs, Recorder
from pathei.collectors.search.guided import GuidedModel, Move
from pathei.collectors.search.skill_library import SkillLibrary, bind, lift, write_act
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.envs.goal_space import GoalCondition
from pathei.envs.minecraft.graph import WORTH
from pathei.envs.model import StepResult
from pathei.envs.virtualhome.engine.rules import EngineAction
from pathei.envs.virtualhome.env import VirtualHomeEnv
from pathei.envs.virtualhome.goals.space import HomeGoals
from pathei.envs.virtualhome.model import HomeModel
from pathei.experience import Goal, Task, Trajectory
from pathei.stable_random import StableRandom

CUP_IN_SINK = GoalCondition(("_ INSIDE _", "_ INSIDE sink", "cup INSIDE sink"), ("cup", "sink"))
PLATE_IN_SINK = GoalCondition(("_ INSIDE _", "_ INSIDE sink", "plate INSIDE sink"), ("plate", "sink"))
PLAN = ["[Walk] <cup> (7)", "[Grab] <cup> (7)", "[Walk] <sink> (3)", "[PutIn] <cup> (7) <sink> (3)"]
GOALS, ENVS = HomeGoals(), Envs()


def test_a_plan_is_lifted_to_roles_and_numbers() -> None:
    assert lift(CUP_IN_SINK, PLAN) == ("walk x", "grab x", "walk y", "putin x y")
    two = lift(CUP_IN_SINK, ["[Walk] <cup> (7)", "[Walk] <cup> (9)", "[Open] <box> (2)", "[Walk] <cup> (7)"])
    assert two == ("walk x", "walk x#1", "open box", "walk x")


@given(
    st.sampled_from(("mine", "craft", "smelt", "deposit", "withdraw", "drop")),
    st.none() | st.integers(0, 10**9 - 1),
    st.sampled_from(WORTH),
    st.sampled_from(WORTH),
)
def test_a_step_that_says_how_many_is_lifted_and_bound_again(
    verb: str, number: int | None, thing: str, wanted: str
) -> None:
    part = GoalCondition(("you HOLDS _", f"you HOLDS {wanted}"), (wanted,))
    action = " ".join((verb, *(() if number is None else (str(number),)), thing))
    (step,) = lift(part, [action])
    counted = verb if number is None else f"{verb}*{number}"
    assert step == f"{counted} {'x' if thing == wanted else thing}"
    assert bind(step, part) == write_act(read_act(action)) == f"{verb} {thing}"


class Quarry:
    """A model whose state is what was done, for actions with numbers."""

    def __init__(self, *listed: str) -> None:
        self.listed, self.done = listed, list[str]()

    def snapshot(self) -> list[str]:
        """What was done."""
        return [*self.done]

    def restore(self, state: list[str]) -> None:
        """Go back."""
        self.done = [*state]

    def actions(self) -> Sequence[str]:
        """What is listed."""
        return self.listed

    def possible(self, action: str) -> bool:
        """Whether it is listed."""
        return action in self.listed

    def step(self, action: str) -> StepResult:
        """Do it, for nothing."""
        self.done.append(action)
        return StepResult(0.0, False)

    def key(self) -> object:
        """The state."""
        return tuple(self.done)

    def success(self) -> bool:
        """Never."""
        return False

    def text(self, action: str) -> str:
        """Itself."""
        return action


@pytest.mark.parametrize(
    ("step", "taken"), [("mine*4 x", "mine 4 coal"), ("mine x", "mine coal"), ("mine*3 x", "mine 4 coal")]
)
def test_a_step_is_done_with_its_number_of_things_or_the_nearest_that_is_listed(step: str, taken: str) -> None:
    part = GoalCondition(("you HOLDS _",), ("coal",))
    for seed in range(10):
        model = GuidedModel(Quarry("mine coal", "mine 4 coal", "mine 4 dirt"), lambda text: 1.0)
        done = model.follow(Move(part, (step,)), StableRandom(np.random.default_rng(seed)))
        assert done.actions == (taken,)


@given(st.permutations(range(1, 8)))
def test_ids_do_not_matter_to_a_skill(numbers: list[int]) -> None:
    renamed = [line.replace("7", str(numbers[0])).replace("3", str(numbers[1])) for line in PLAN]
    assert lift(CUP_IN_SINK, renamed) == lift(CUP_IN_SINK, PLAN)


def test_a_book_suggests_its_own_skill_first_and_then_those_of_conditions_like_it() -> None:
    book = SkillLibrary()
    book.learn(CUP_IN_SINK, PLAN)
    other = [line.replace("cup", "plate") for line in PLAN[1:]]
    for _ in range(3):
        book.learn(PLATE_IN_SINK, other)
    assert book.suggestions(CUP_IN_SINK)[0] == lift(CUP_IN_SINK, PLAN)
    assert set(book.suggestions(CUP_IN_SINK)) == {lift(CUP_IN_SINK, PLAN), lift(PLATE_IN_SINK, other)}
    assert book.suggestions(GoalCondition(("_ ON", "lamp ON"), ("lamp",))) == []
    useful, idle = read_act("[Grab] <cup> (1)"), read_act("[Touch] <cup> (1)")
    assert book.usefulness(CUP_IN_SINK, useful) > book.usefulness(CUP_IN_SINK, idle) == 0.0


def model_of(house: int, text: str) -> tuple[VirtualHomeEnv, Task]:
    task = Task("t", "pathei/VirtualHome-v0", 0, Goal(""), {"scene": f"house:{house}"})
    env = ENVS.get(task)
    env.reset(seed=0, options=dict(task.options))
    goal = GOALS.present(env).read(text).goal
    return env, Task(f"t-{house}", task.env, 0, goal, task.options)


def plain(recorder: Recorder) -> HomeModel:
    home = recorder.env.unwrapped
    return HomeModel(home.world, home.check)


def played(player: SkillPolicy, house: int, text: str, seed: int = 0) -> tuple[Trajectory, int]:
    env, task = model_of(house, text)
    recorder = Recorder(env, task, max_steps=30)
    cost = player.play(recorder, seed).env_steps
    return recorder.trajectory("x", "test", {}), cost


def test_a_guided_model_follows_weights_counts_and_does_moves() -> None:
    env, task = model_of(1, "you hold a book")
    recorder = Recorder(env, task, max_steps=5)
    recorder.reset()
    move = Move(
        GoalCondition(("you HOLDS _",), ("book",)),
        lift(GoalCondition(("h",), ("book",)), ["[Walk] <book> (1)", "[Grab] <book> (1)"]),
    )
    model = GuidedModel(plain(recorder), lambda text: 1e6 if "[Walk] <book>" in text else 1e-6, [move])
    start = model.snapshot()
    assert model.actions()
    assert move in model.actions()
    drawn = [model.sample(StableRandom(np.random.default_rng(seed))) for seed in range(20)]
    assert {model.text(action).partition(" (")[0] for action in drawn if action != move} == {"[Walk] <book>"}
    outcome = model.step(move)
    assert (outcome.reward, outcome.done, model.steps) == (1.0, True, 2)
    model.restore(start)
    assert [model.text(action).partition("]")[0] for action in model.flat([move])] == ["[Walk", "[Grab"]
    assert model.success()


@pytest.mark.parametrize("other", ["the radio is unplugged", "the coffee maker is unplugged"])
def test_what_was_learned_in_one_house_makes_the_next_cheap(other: str) -> None:
    new = SkillPolicy(GOALS, model_of=plain, effort=300)
    for seed in range(20):
        first, _ = played(new, 1, "the television is unplugged", seed)
        if first.success:
            break
    assert first.success
    new.learn(first)
    again, cost = played(new, 2, other)
    assert again.success
    assert cost <= 12, "it was searched instead of remembered"


@pytest.mark.parametrize(
    ("most", "prior", "asked"), [(40, "heuristic", True), (40, "none", False), (None, "heuristic", False)]
)
def test_the_models_prior_is_heeded_only_where_steps_are_slow_and_it_may_be(
    most: int | None, prior: Literal["heuristic", "none"], asked: bool
) -> None:
    asking = list[int]()

    class Expecting(HomeModel):
        def prior(self, actions: Sequence[EngineAction]) -> list[float]:
            asking.append(len(actions))
            return [1.0] * len(actions)

    def expecting(recorder: Recorder) -> HomeModel:
        home = recorder.env.unwrapped
        return Expecting(home.world, home.check)

    played(SkillPolicy(GOALS, model_of=expecting, effort=60, most=most, prior=prior), 1, "the television is unplugged")
    assert bool(asking) is asked


def test_a_player_learns_from_part_of_a_goal_and_not_from_what_earned_nothing() -> None:
    player = SkillPolicy(GOALS, model_of=plain)
    env, task = model_of(1, "the radio is unplugged and you hold a book")
    recorder = Recorder(env, task, max_steps=30)
    recorder.reset()
    radio = env.unwrapped.world.scene.ids[env.unwrapped.world.scene.classes.index("radio")]
    for line in (f"[Walk] <radio> ({radio})", f"[PlugOut] <radio> ({radio})", f"[Touch] <radio> ({radio})"):
        recorder.step(line)
    player.learn(recorder.trajectory("x", "test", {}))
    assert player.library.suggestions(GOALS.aim(task.goal).parts[0])[0] == ("walk x", "plugout x")
    assert player.library.suggestions(GOALS.aim(task.goal).parts[1]) == []


def test_the_environment_is_left_as_it_was_before_the_plan_is_done() -> None:
    env, task = model_of(1, "the book is inside the fridge")
    recorder = Recorder(env, task, max_steps=30)
    recorder.reset()
    before = env.unwrapped.world.key
    SkillPolicy(GOALS, model_of=plain).plan(recorder, GOALS.aim(task.goal), np.random.default_rng(0))
    assert env.unwrapped.world.key == before
    assert not env.unwrapped.check.satisfied()


class Short(SkillPolicy):
    """A player whose plan is one idle step."""

    def plan(self, recorder: Recorder, aim: object, rng: object) -> tuple[list[str], int]:
        """The first thing that is possible."""
        assert recorder.observation.actions is not None
        return [recorder.observation.actions[0]], 1


@pytest.mark.parametrize(("most", "steps"), [(None, 1), (16, 6)])
def test_where_a_search_is_short_an_attempt_goes_on_after_its_plan(most: int | None, steps: int) -> None:
    trajectory, _ = played(Short(GOALS, most=most), 1, "a cup is inside the sink")
    assert (len(trajectory.steps), trajectory.success) == (steps, False)
