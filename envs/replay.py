"""Snapshots for any deterministic gymnasium environment, by replaying its actions and verifying every step.

A snapshot is the seed, the options and the actions since the reset, with a digest of everything that was returned.
Restoring resets, acts again, and compares: an environment that is not deterministic is found out at the step where it
drifts, instead of silently becoming another environment. Restoring costs as many steps as the snapshot is long (fewer
when the present state is a prefix of it). Not here: infos are not compared, since they may hold timings, and rendering.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Set
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from ..errors import ReplayDriftError, SnapshotError


class ReplaySnapshot(NamedTuple):
    """What one call led to, in a form that can be compared."""

    action: bytes
    """Digest of the action; for the reset, of its options."""
    observation: bytes
    """Digest of the observation returned."""
    reward: str
    """The reward in decimal, so that NaN equals itself; for the reset, the seed."""
    terminated: bool = False
    """The flag as returned."""
    truncated: bool = False
    """The flag as returned."""


class ReplayState(NamedTuple):
    """A snapshot of a `VerifiedReplay`: how to get there, and what must be seen on the way."""

    seed: int
    """The seed of the reset."""
    options: dict[str, Any] | None
    """The options of the reset."""
    actions: tuple[Any, ...]
    """The actions since, in order, length T."""
    marks: tuple[ReplaySnapshot, ...]
    """What the reset and each action led to, length T + 1."""


class VerifiedReplay(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Makes a deterministic environment, with all wrappers inside this one, `Snapshotable`.

    A reset without a seed draws one from the environment's generator, so that it can be repeated; the episodes are
    then other ones than without this wrapper, and still determined by the last seed that was given.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        """Wrap `env`, which must return the same for the same seed, options and actions."""
        RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)
        self._seed = 0
        self._options: dict[str, Any] | None = None
        self._actions: list[Any] = []
        self._marks: list[ReplaySnapshot] = []
        self._unknown = "it has not been reset"
        """Why the environment is not where the record says; empty when it is."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and with it a new record; see gymnasium's `Env.reset`."""
        self._unknown = "its reset failed"
        if seed is None:
            seed = int(self.env.np_random.integers(2**31))
        kept = copy.deepcopy(options)
        observation, info = self.env.reset(seed=seed, options=options)
        self._seed, self._options = seed, kept
        self._actions, self._marks = [], [_first_mark(seed, kept, observation)]
        self._unknown = ""
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act, and record it; see gymnasium's `Env.step`.

        Raises:
            SnapshotError: a restore or a step failed before, so the state is not known; reset or restore first.
        """
        self._require_known("step")
        kept = action if isinstance(action, str | int) else copy.deepcopy(action)
        self._unknown = "its last step raised an exception"
        observation, reward, terminated, truncated, info = self.env.step(action)
        # Digest what was kept: the environment was free to change the action that it was given.
        mark = ReplaySnapshot(
            fingerprint(kept), fingerprint(observation), _decimal(reward), bool(terminated), bool(truncated)
        )
        self._actions.append(kept)
        self._marks.append(mark)
        self._unknown = ""
        return observation, reward, terminated, truncated, info

    def snapshot(self) -> ReplayState:
        """Return how to come back to the present state.

        Raises:
            SnapshotError: there was no reset yet, or a restore or step failed.
        """
        self._require_known("snapshot")
        return ReplayState(self._seed, self._options, tuple(self._actions), tuple(self._marks))

    def restore(self, state: ReplayState, /) -> None:
        """Bring the environment to `state`: only the missing steps if it is on the way there, else from the reset on.

        Raises:
            ReplayDriftError: a step led to something else than when it was recorded. The environment is then in an
                unknown state, and refuses to step until it is reset or restored.
        """
        done = len(self._actions)
        if self._unknown or tuple(self._marks) != state.marks[: done + 1]:
            done = 0
            self._unknown = "restoring it failed"
            observation, _ = self.env.reset(seed=state.seed, options=copy.deepcopy(state.options))
            self._verify(state, 0, _first_mark(state.seed, state.options, observation))
        self._unknown = "restoring it failed"
        for index in range(done, len(state.actions)):
            action = state.actions[index]
            given = action if isinstance(action, str | int) else copy.deepcopy(action)
            observation, reward, terminated, truncated, _ = self.env.step(given)
            mark = state.marks[index + 1]
            seen = ReplaySnapshot(
                mark.action, fingerprint(observation), _decimal(reward), bool(terminated), bool(truncated)
            )
            self._verify(state, index + 1, seen)
        # Lists of its own: what is done from here on must be recorded here, and must not reach into the snapshot.
        self._seed, self._options = state.seed, state.options
        self._actions, self._marks = list(state.actions), list(state.marks)
        self._unknown = ""

    def _require_known(self, call: str) -> None:
        if self._unknown:
            raise SnapshotError(f"{self.env} cannot {call}, because {self._unknown}: reset it or restore it first.")

    def _verify(self, state: ReplayState, index: int, seen: ReplaySnapshot) -> None:
        expected = state.marks[index]
        if seen == expected:
            return
        what = next(name for name, a, b in zip(ReplaySnapshot._fields, expected, seen, strict=True) if a != b)
        total = len(state.actions)
        where = (
            f"step {index} of {total} (action {state.actions[index - 1]!r})"
            if index
            else f"the reset (seed {state.seed})"
        )
        values = "" if what == "observation" else f" ({getattr(expected, what)} before, {getattr(seen, what)} now)"
        raise ReplayDriftError(
            f"Replaying {self.env}, {where} led to another {what}{values}: either it is not "
            "deterministic (seed all its randomness, or give it a snapshot() and restore() of its own), or a wrapper "
            "keeps something over resets, such as a running mean (put that wrapper outside VerifiedReplay)."
        )


def fingerprint(value: Any) -> bytes:
    """Return a digest (16 bytes) of an observation, action or options, the same in every process.

    Numbers are compared bit by bit: a replay that is only close is another environment after enough steps.

    Accepted are None, numbers, strings, bytes, NumPy arrays and scalars, tensors that NumPy can read, and mappings,
    sequences and sets of these. Mappings are compared without regard to order, tuples and lists as equals.

    Raises:
        SnapshotError: there is something else in it, which can only be compared by identity.
    """
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(value, str):
        digest.update(b"s" + value.encode("utf-8", "surrogatepass"))
    else:
        digest.update(_canonical(value))
    return digest.digest()


def _canonical(value: Any) -> bytes:
    """Return bytes that are equal exactly for equal values of equal types, with lengths so that nothing runs on."""
    if isinstance(value, str):
        return _tagged(b"s", value.encode("utf-8", "surrogatepass"))
    if value is None or isinstance(value, bool | int | float):
        return _tagged(b"n", repr(value).encode())
    if isinstance(value, bytes | bytearray):
        return _tagged(b"b", bytes(value))
    if isinstance(value, Mapping):
        items = sorted(_canonical(key) + _canonical(item) for key, item in value.items())
        return _tagged(b"m", b"".join(items))
    if isinstance(value, list | tuple):
        return _tagged(b"l", b"".join(map(_canonical, value)))
    if isinstance(value, Set):
        return _tagged(b"u", b"".join(sorted(map(_canonical, value))))
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind != "O":
            return _tagged(b"a", f"{array.dtype.str}{array.shape}".encode() + b":" + array.tobytes())
        if array.ndim:
            return _tagged(b"l", b"".join(map(_canonical, array.tolist())))
    raise SnapshotError(
        f"A {type(value).__name__} in an observation, action or option cannot be compared by value: "
        "put a wrapper inside VerifiedReplay that makes numbers, arrays or strings of it."
    )


def _tagged(tag: bytes, content: bytes) -> bytes:
    return tag + len(content).to_bytes(8, "little") + content


def _decimal(reward: Any) -> str:
    return repr(float(reward))


def _first_mark(seed: int, options: dict[str, Any] | None, observation: Any) -> ReplaySnapshot:
    return ReplaySnapshot(fingerprint(options), fingerprint(observation), str(seed))
