"""`check_env` and `check_snapshot`: they accept what keeps the contract, and name what is broken and why."""

import random
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers

from pathei.envs.checks import check_env, check_snapshot
from pathei.envs.replay import VerifiedReplay
from pathei.envs.spaces import UnicodeText
from pathei.errors import ContractError

Env = gymnasium.Env[Any, Any]
Result = tuple[Any, float, bool, bool, dict[str, Any]]


class Hall(gymnasium.Env[str, str]):
    """A hall with a lamp and a door that sticks now and then: a small text world that keeps every convention."""

    observation_space = UnicodeText(500)
    action_space = UnicodeText(100)

    def __init__(self) -> None:
        self.lit = self.open = False
        self.pulls = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Start in the dark, before a closed door."""
        super().reset(seed=seed)
        self.lit = bool(self.np_random.integers(2))
        self.open, self.pulls = False, 0
        return self.text(), self.info()

    def step(self, action: str) -> Result:
        """Do it, or say why not."""
        if action not in self.actions():
            error = f"You cannot {action!r} here."
            return f"{error} {self.text()}", 0.0, False, False, self.info() | {"error": error}
        if action == "pull the door":
            self.pulls += 1
            self.open = bool(self.np_random.integers(3) == 0)
        else:
            self.lit = not self.lit
        return self.text(), float(self.open), self.open, False, self.info()

    def actions(self) -> tuple[str, ...]:
        """Return what is admissible."""
        if self.open:
            return ()
        return ("pull the door", "switch the lamp off" if self.lit else "switch the lamp on")

    def text(self) -> str:
        """Return what is seen."""
        return f"The lamp is {'on' if self.lit else 'off'}. The door is {'open' if self.open else 'closed'}. 門"

    def facts(self) -> dict[str, Any]:
        """Return what is not seen."""
        return {"pulls": self.pulls, "lit": self.lit}

    def info(self) -> dict[str, Any]:
        """Return everything beside the observation."""
        return {
            "actions": self.actions(),
            "facts": self.facts(),
            "success": self.open,
            "progress": float(self.open),
        }

    def snapshot(self) -> tuple[Any, ...]:
        """Return all of the state."""
        return self.lit, self.open, self.pulls, self.np_random.bit_generator.state

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back."""
        self.lit, self.open, self.pulls, self.np_random.bit_generator.state = state


# The hall, broken in one way each.


class ListsTooMuch(Hall):
    """Lists an action that it then refuses."""

    def info(self) -> dict[str, Any]:
        """Add one."""
        return super().info() | {"actions": (*self.actions(), "fly")}


class ListsTwice(Hall):
    """Lists an action twice."""

    def info(self) -> dict[str, Any]:
        """Double them."""
        return super().info() | {"actions": self.actions() * 2}


class ListsInAList(Hall):
    """Lists its actions in a list, which somebody may change."""

    def info(self) -> dict[str, Any]:
        """Make it a list."""
        return super().info() | {"actions": list(self.actions())}


class ListsTheImpossible(Hall):
    """Lists what its own action space does not hold."""

    action_space = UnicodeText(15)


class ShowsFacts(Hall):
    """Lets the agent see what it must not."""

    def text(self) -> str:
        """Tell everything."""
        return f"{super().text()} {self.facts()}"


class HidesReasons(Hall):
    """Refuses without telling the agent why."""

    def step(self, action: str) -> Result:
        """Drop the explanation from the observation."""
        _, *rest = super().step(action)
        return self.text(), *rest


class Swallows(Hall):
    """Takes nonsense for an action."""

    def step(self, action: str) -> Result:
        """Do nothing, and say nothing."""
        observation, *rest, info = super().step(action)
        info.pop("error", None)
        return observation, *rest, info


class Raises(Hall):
    """Raises on nonsense, once it was started from outside gymnasium's check."""

    def step(self, action: str) -> Result:
        """Look the action up."""
        if action.startswith("zyx"):
            raise KeyError(action)
        return super().step(action)


class CountsSuccess(Hall):
    """Says 1 for success."""

    def info(self) -> dict[str, Any]:
        """Make it a number."""
        return super().info() | {"success": int(self.open)}


class ProgressInPercent(Hall):
    """Says 100 for all of it."""

    def info(self) -> dict[str, Any]:
        """Make it percent."""
        return super().info() | {"progress": 50.0}


class FactsOfObjects(Hall):
    """Tells facts that no store can write."""

    def facts(self) -> dict[str, Any]:
        """Tell them as a set."""
        return {"lit": {self.lit}}


class EmptyError(Hall):
    """Sets an empty error where nothing went wrong."""

    def info(self) -> dict[str, Any]:
        """Add it."""
        return super().info() | {"error": ""}


class TooLong(Hall):
    """Says more than its observation space allows."""

    observation_space = UnicodeText(20)


class Unseeded(Hall):
    """The door opens by a chance of its own, but only when it is pulled a second time."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = random.Random()

    def facts(self) -> dict[str, Any]:
        """Tell a chance after some pulls."""
        return super().facts() | {"wind": self.chance.random() if self.pulls > 1 else 0.0}


BROKEN = {
    ListsTooMuch: r"'fly' was listed as admissible and then refused \(You cannot",
    ListsTwice: "lists an action twice",
    ListsInAList: "must be a tuple of strings, not a list",
    ListsTheImpossible: r"action 'switch the lamp o\w+' is not in the action space UnicodeText\(15",
    ShowsFacts: "holds the privileged facts",
    HidesReasons: "is in info and not in the observation",
    Swallows: "was not refused",
    Raises: "raised KeyError",
    CountsSuccess: "'success'.* must be a bool",
    ProgressInPercent: "'progress'.* from 0 to 1, not 50.0",
    FactsOfObjects: "must be plain JSON",
    EmptyError: "must say why",
    TooLong: "not within the observation space",
    Unseeded: "some randomness is not seeded",
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", BROKEN)
def test_check_env_names_what_is_broken(kind: type[Hall]) -> None:
    with pytest.raises(ContractError, match=BROKEN[kind]):
        check_env(kind(), steps=40)


def test_check_env_accepts_a_text_world_bare_and_wrapped() -> None:
    check_env(Hall())
    check_env(wrappers.TimeLimit(wrappers.OrderEnforcing(wrappers.PassiveEnvChecker(Hall())), 30))
    check_env(VerifiedReplay(wrappers.TimeLimit(Hall(), 30)))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["FrozenLake-v1", "CartPole-v1", "Blackjack-v1", "CliffWalking-v1"])
def test_check_env_accepts_gymnasiums_own_environments(name: str) -> None:
    check_env(gymnasium.make(name))
    check_env(VerifiedReplay(gymnasium.make(name)))


def test_check_snapshot_accepts_a_text_world_bare_and_wrapped() -> None:
    check_snapshot(Hall(), rng=np.random.default_rng(0))
    check_snapshot(wrappers.RecordEpisodeStatistics(wrappers.TimeLimit(Hall(), 9)), rng=np.random.default_rng(0))
    check_snapshot(wrappers.Autoreset(wrappers.TimeLimit(Hall(), 5)), rng=np.random.default_rng(0))


class ForgetsTheGenerator(Hall):
    """Saves all but the random state."""

    def snapshot(self) -> tuple[Any, ...]:
        """Return too little."""
        return super().snapshot()[:3]

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back."""
        self.lit, self.open, self.pulls = state


class ForgetsAFact(Hall):
    """Saves all but the count that only the facts show."""

    def restore(self, state: tuple[Any, ...]) -> None:
        """Leave the count."""
        self.lit, self.open, _, self.np_random.bit_generator.state = state


class Walker(gymnasium.Env[int, int]):
    """Remembers the squares it was on; the observation is how many there are. Saved in the way a subclass says."""

    observation_space = gymnasium.spaces.Discrete(1000)
    action_space = gymnasium.spaces.Discrete(50)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Forget them; the world is as large as the seed says."""
        super().reset(seed=seed)
        self.size = int(self.np_random.integers(5, 50))
        self.squares: set[int] = set()
        self.undo: list[int] = []
        return 0, {}

    def step(self, action: int) -> Result:
        """Visit a square."""
        square = int(action) % self.size
        if square not in self.squares:
            self.undo.append(square)
        self.squares.add(square)
        return len(self.squares), 0.0, False, False, {}


class SharesWhenSaving(Walker):
    """Saves the set that it goes on changing."""

    def snapshot(self) -> Any:
        """Return the living set."""
        return self.squares, self.size, self.np_random.bit_generator.state

    def restore(self, state: Any) -> None:
        """Go back to a copy."""
        self.squares, self.size, self.np_random.bit_generator.state = set(state[0]), state[1], state[2]


class SharesWhenRestoring(SharesWhenSaving):
    """Saves a copy, but goes on with that very copy."""

    def snapshot(self) -> Any:
        """Return a copy."""
        return set(self.squares), self.size, self.np_random.bit_generator.state

    def restore(self, state: Any) -> None:
        """Go back, and change it from then on."""
        self.squares, self.size, self.np_random.bit_generator.state = state


class Unwinds(Walker):
    """Saves a place in its undo log, to which it can go back, but not forward."""

    def snapshot(self) -> Any:
        """Return the place."""
        return len(self.undo), self.size, self.np_random.bit_generator.state

    def restore(self, state: Any) -> None:
        """Undo down to it."""
        place, self.size, self.np_random.bit_generator.state = state
        while len(self.undo) > place:
            self.squares.discard(self.undo.pop())


class ForgetsTheWorld(SharesWhenSaving):
    """Saves all that steps change, but not what the reset chose."""

    def snapshot(self) -> Any:
        """Return a copy of the squares."""
        return frozenset(self.squares), self.np_random.bit_generator.state

    def restore(self, state: Any) -> None:
        """Go back in whatever world there is."""
        self.squares, self.np_random.bit_generator.state = set(state[0]), state[1]


FORGETFUL = {
    ForgetsTheGenerator: r"random state: save np_random\.bit_generator\.state",
    ForgetsAFact: "facts differ.*rewards or infos are computed from",
    SharesWhenSaving: "the very object that later steps change",
    SharesWhenRestoring: "second time.*copy them in snapshot",
    Unwinds: "newer snapshot after the older.*order of a stack",
    ForgetsTheWorld: "after a reset.*what reset",
}


@pytest.mark.parametrize("kind", FORGETFUL)
def test_check_snapshot_names_the_likely_cause(kind: type[Env]) -> None:
    with pytest.raises(ContractError, match=FORGETFUL[kind]):
        check_snapshot(kind(), rng=np.random.default_rng(0), rounds=10)
