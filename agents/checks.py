"""The contract of agents as something to run: `check_agent`.

Call it from the tests of an agent, as one calls gymnasium's `check_env`. Not here: whether the agent is any good.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence

import orjson

from ..errors import ContractError
from ..experience import Goal, Observation
from .protocol import Agent, Decision, Finished, reset_agent

GOAL = Goal("put the café's cup on the table", ({"type": "edge", "from": "cup", "relation": "ON", "to": "table"},))
"""The goal that agents are checked with, unless another is given."""

OBSERVATIONS = (
    Observation("You are in the kitchen.\n- cup (12)\n- table (7)", (), ("[Walk] <cup> (12)", "[Walk] <table> (7)")),
    Observation("", (), ("[StandUp]",)),
    Observation("Вы на кухне 🚪. " * 300, (), tuple(f"[Grab] <cup> ({n})" for n in range(400))),
)
"""What agents are shown, unless something else is given: something ordinary, almost nothing, and very much."""


def check_agent(
    agent: Agent,
    *,
    observations: Sequence[Observation] = OBSERVATIONS,
    goal: Goal = GOAL,
    seed: int = 0,
    repeatable: bool = True,
) -> None:
    """Check that an agent keeps the contract of `Agent`.

    What is tested: an action, by itself or in a `Decision`, is a string that can be stored and is not empty; neither
    facts nor the goal's conditions are asked for; observations and goal are left as they are; the same seed and
    observations give the same actions.

    Args:
        agent: The agent; it is used up.
        observations: What it is shown, in this order. Facts in them are removed.
        goal: The goal; it is given in words only.
        seed: What it is reset with, if it can be.
        repeatable: Whether the second play after the same reset must repeat the first; False for a human, or a model
            behind a service.

    Raises:
        ContractError: the first problem found.
    """
    shown = [observation.seen() for observation in observations]
    goal = goal.seen()
    before = orjson.dumps([shown, goal])
    first = _play(agent, shown, goal, seed)
    if orjson.dumps([shown, goal]) != before:
        raise ContractError(f"{_name(agent)} changed the observation or the goal it was shown: copy what you change.")
    second = _play(agent, shown, goal, seed)
    if repeatable and first != second:
        t = next(
            (t for t, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
        )
        raise ContractError(
            f"{_name(agent)} acted otherwise the second time (from action {t} on): seed all its randomness in "
            "reset(seed), and forget there what earlier episodes left."
        )


def _play(agent: Agent, shown: Sequence[Observation], goal: Goal, seed: int) -> list[str]:
    reset_agent(agent, seed)
    actions: list[str] = []
    for observation in shown:
        try:
            chosen: object = agent.act(observation, goal)
        except Finished:
            break
        except (AttributeError, TypeError, KeyError, IndexError) as error:
            raise ContractError(
                f"{_name(agent)}.act raised {type(error).__name__} ({error}): it is called with an Observation whose "
                "facts are None and with a Goal in words, whose conditions are empty, and must get along with these."
            ) from error
        actions.append(_checked(agent, chosen.action if isinstance(chosen, Decision) else chosen))
    return actions


def _checked(agent: Agent, action: object) -> str:
    if not isinstance(action, str):
        raise ContractError(f"{_name(agent)}.act must return a string or a Decision, not {reprlib.repr(action)}.")
    if not action.strip():
        raise ContractError(f"{_name(agent)}.act returned an empty action: raise Finished when nothing is to be done.")
    try:
        action.encode()
    except UnicodeEncodeError as error:
        raise ContractError(f"{_name(agent)}.act returned text that UTF-8 cannot write ({error.reason}).") from error
    return action


def _name(agent: Agent) -> str:
    return type(agent).__name__
