"""The contract of models: those that come with pathei keep it, and each way of breaking it is named."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pathei.envs import contract
from pathei.envs.checks import check_model
from pathei.envs.model import StepResult, model_of
from pathei.envs.registry import get_env
from pathei.errors import ContractError
from pathei.stable_random import StableRandom


class Walk:
    """A walk along a line, which ends at 3; subclasses break one promise each."""

    def __init__(self) -> None:
        self.at = 0

    def actions(self) -> Sequence[Any]:
        """Left and right, until the end."""
        return () if self.at == 3 else ("left", "right")

    def sample(self, draws: StableRandom) -> Any:
        """One of them."""
        return self.actions()[draws.below(2)] if self.actions() else None

    def possible(self, action: Any, /) -> bool:
        """All that are listed."""
        return action in self.actions()

    def step(self, action: Any, /) -> StepResult:
        """Go one step."""
        self.at += 1 if action == "right" else -1
        return StepResult(float(self.at == 3), self.at == 3)

    def snapshot(self) -> Any:
        """Where it is."""
        return self.at

    def restore(self, state: Any, /) -> object:
        """Go back there."""
        self.at = state
        return None

    def key(self) -> int:
        """Where it is."""
        return self.at

    def success(self) -> bool:
        """Whether it has arrived."""
        return self.at == 3

    def text(self, action: Any, /) -> str:
        """The action."""
        return str(action)


class Forgetful(Walk):
    """Restores to the wrong place."""

    def restore(self, state: Any, /) -> object:
        """Forget."""
        self.at = 0
        return None


class Endless(Walk):
    """Lists actions at the end of an episode."""

    def actions(self) -> Sequence[Any]:
        """Always the same."""
        return ("left", "right")


class Infinite(Walk):
    """Pays without limit."""

    def step(self, action: Any, /) -> StepResult:
        """Pay."""
        super().step(action)
        return StepResult(math.inf, False)


class Boastful(Walk):
    """Lists what is not possible."""

    def possible(self, action: Any, /) -> bool:
        """Never."""
        return False


class Mute(Walk):
    """Has no words."""

    def text(self, action: Any, /) -> str:
        """Nothing."""
        return ""


def test_a_good_model_passes_and_is_left_where_it_was() -> None:
    """Whatever is drawn."""
    model = Walk()
    check_model(model, rng=np.random.default_rng(0), rounds=8)
    assert model.at == 0


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Forgetful(), "does not hold all of the state"),
        (Endless(), "still lists actions"),
        (Infinite(), "finite reward"),
        (Boastful(), "says that it is not possible"),
        (Mute(), "takes a text"),
    ],
)
def test_a_broken_promise_is_named(model: Walk, reason: str) -> None:
    """With its likely cause."""
    with pytest.raises(ContractError, match=reason):
        check_model(model, rng=np.random.default_rng(1), rounds=16)


@pytest.mark.parametrize("name", ["virtualhome", "shop", "minigrid"])
def test_models_of_environments_keep_it(name: str) -> None:
    """Their own, and the one of any snapshotable environment."""
    task = get_env(name).generate_tasks(1, 0)[0]
    env = contract.make(task)
    observation, info = contract.reset(env, task)
    check_model(model_of(env, info, observation=observation), steps=10, rng=np.random.default_rng(0), rounds=2)
    env.close()
