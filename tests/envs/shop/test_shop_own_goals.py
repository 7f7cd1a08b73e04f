"""The goals that the shop and the documents offer themselves: listed, said, read back, checked and reached."""

import dataclasses
from collections.abc import Callable

import pytest

from pathei.envs import contract
from pathei.envs.goal_space import GoalCandidate
from pathei.envs.model import model_of
from pathei.envs.registry import get_env, get_goal_space
from pathei.errors import GoalError
from pathei.experience import Goal


def breadth_first(
    env_name: str, aim: GoalCandidate, actions: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> list[str]:
    """Return the first actions, of those that are worth trying, that reach an aim in a task of an environment."""
    task = dataclasses.replace(get_env(env_name).generate_tasks(1, 0)[0], goal=aim.goal)
    env = contract.make(task)
    observation, info = contract.reset(env, task)
    assert aim.goal.text in observation
    assert info["success"] is False
    model = model_of(env, info, observation=observation)
    waiting: list[tuple[object, list[str]]] = [(model.snapshot(), [])]
    for moment, way in waiting:
        model.restore(moment)
        for action in actions(tuple(model.actions())):
            model.restore(moment)
            done = model.step(action).done
            if model.success():
                assert done
                return [*way, action]
            if not done and len(way) < 4:
                waiting.append((model.snapshot(), [*way, action]))
    return []


def aims_of(env_name: str) -> dict[str, list[GoalCandidate]]:
    """Return the first goals of each kind that an environment offers at the start of a task."""
    task = get_env(env_name).generate_tasks(1, 0)[0]
    env = contract.make(task)
    contract.reset(env, task)
    goals = get_goal_space(env_name).present(env)
    for aim in goals.aims()[:40]:
        assert goals.read(aim.goal.text).goal == aim.goal
        assert get_goal_space(env_name).aim(aim.goal) == aim
    return {kind: list(found[:2]) for kind, found in goals.kinds().items()}


def test_the_shop_s_goals_say_what_is_to_be_done_and_can_be_reached() -> None:
    found = aims_of("shop")
    assert [aims[0].goal.text for aims in found.values()] == [
        'Look at a product of the kind "accent chairs".',
        "Open the description page of a product.",
        'Choose the option "1 fl oz".',
        'Buy a product of the kind "accent chairs".',
    ]

    def few(actions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*actions[:10], *actions[-5:])))

    for aims in found.values():
        assert breadth_first("shop", aims[0], few)


def test_the_documents_goals_are_pages() -> None:
    (aims,) = aims_of("documents").values()
    assert aims[0].goal.text.startswith('Open the page "')
    for aim in aims:
        assert breadth_first("documents", aim, lambda actions: actions[:12])


@pytest.mark.parametrize("env_name", ["shop", "documents"])
def test_malformed_conditions_are_refused(env_name: str) -> None:
    task = get_env(env_name).generate_tasks(1, 0)[0]
    env = contract.make(task)
    for condition in (
        {"node": {"class": "large"}},
        {"from": {"class": "x"}, "relation": 3, "to": {"id": 1}},
        {"bay": 1},
    ):
        with pytest.raises(GoalError):
            contract.reset(env, dataclasses.replace(task, goal=Goal("x", (condition,))))


def test_buying_something_else_ends_the_episode_without_the_goal() -> None:
    task = get_env("shop").generate_tasks(1, 0)[0]
    aim = aims_of("shop")["_ BOUGHT"][0]
    env = contract.make(task)
    contract.reset(env, dataclasses.replace(task, goal=aim.goal))
    _, _, _, _, info = env.step("search[bedding]")
    product = next(action for action in info["actions"] if action.startswith("click[b0"))
    env.step(product)
    _, reward, terminated, _, info = env.step("click[buy now]")
    assert (reward, terminated, info["success"], info["actions"]) == (0.0, True, False, ())
