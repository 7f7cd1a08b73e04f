"""The contract of environments as something to run: `check_env`, `check_snapshot` and `check_model`.

Call them from the tests of an environment, as one calls gymnasium's `check_env`. They raise `ContractError` at the
first problem, with its likely cause. Not here: speed, rendering (unless asked for), and anything that needs a goal of
the environment's own, since a check knows no tasks.
"""

from __future__ import annotations

import math
import reprlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import orjson
from gymnasium.utils import env_checker

from ..errors import ContractError
from ..stable_random import StableRandom
from .contract import plain
from .model import Model, StepResult
from .replay import fingerprint
from .snapshots import Snapshotter

_NONSENSE = "zyx wvut 42 \u00e9\u6f22!"
"""An action that no environment knows."""

_SAMPLED = 8
"""How many of the first admissible actions are tried, each from the same start."""


class _Seen(NamedTuple):
    """What one call returned, reduced at once to what can be compared, since an environment may reuse its objects."""

    observation: bytes
    reward: str
    terminated: bool
    truncated: bool
    actions: tuple[Any, ...] | None
    facts: bytes
    info: bytes
    shown: str
    """The observation, shortened, for a message; not compared."""
    over: bool
    """Whether the episode ended here, so that no further step may be taken; not compared."""


_COMPARED = _Seen._fields[:-2]


def check_env(env: gymnasium.Env[Any, Any], *, steps: int = 20, seed: int = 0, remake: bool = False) -> None:
    """Check that an environment keeps gymnasium's contract and the conventions of `pathei.envs.contract`.

    What is tested: gymnasium's own `check_env`; types in `info`; that the facts are not observed; that admissible
    actions are in the action space and are not refused; that nonsense is refused with a reason which the observation
    repeats; that the same seed and actions make the same episode. The environment is used up: reset it afterwards.

    Args:
        env: The environment, wrapped or not.
        steps: How long the walks are.
        seed: Seeds the environment and the choice of actions.
        remake: Whether gymnasium's check also makes the environment again from its spec, to render in each mode and to
            close it twice.

    Raises:
        ContractError: the first problem found.
    """
    _check_gymnasium(env, remake)
    rng = np.random.default_rng(seed)
    env.action_space.seed(seed)
    observation, info = env.reset(seed=seed)
    _check_step(env, observation, info, "reset")
    for action in rng.permutation(np.array(info.get("actions") or (), dtype=object))[:_SAMPLED]:
        env.reset(seed=seed)
        _check_admissible(env, action)
    if info.get("actions") is not None:
        _check_nonsense(env, seed)
    start = _start(env, seed)
    actions, trace = _walk(env, start, steps, rng, conventions=True)
    again = [_start(env, seed), *_play(env, actions)]
    _require_equal(
        [start, *trace], again, "The same seed and actions made another episode", "some randomness is not seeded"
    )


def check_snapshot(env: gymnasium.Env[Any, Any], *, steps: int = 20, rng: np.random.Generator, rounds: int = 4) -> None:
    """Check that snapshots of an environment and its wrappers hold all of its state, in any order of restoring.

    Each round walks to a random place, takes a snapshot there and another one further on, and then demands that every
    continuation be repeated exactly: after restoring once, twice, the older after the newer, the newer after another
    branch, and both after a reset.

    Args:
        env: The environment, wrapped as it is to be used.
        steps: How long a walk is; an episode that ends earlier ends the walk.
        rng: Chooses seeds and actions; it is consumed.
        rounds: How many episodes are walked.

    Raises:
        SnapshotError: a wrapper, or the environment, says that it cannot be saved.
        ContractError: after restoring, something else happened than the first time; the message names the likely cause.
    """
    snapshotter = Snapshotter(env)
    for _ in range(rounds):
        _check_round(env, snapshotter, steps, rng)


def check_model(model: Model[Any, Any], *, steps: int = 20, rng: np.random.Generator, rounds: int = 4) -> None:
    """Check that a model keeps the contract of `pathei.envs.model.Model`.

    What is tested: actions are listed in a fixed order, can be hashed, are possible and have a text; `sample` draws
    among what is possible; a step returns a finite reward; nothing can be done at the end of an episode; and after
    restoring, in any order, the same actions lead to the same rewards, keys, lists of actions and success. The model is
    left where it was.

    Args:
        model: The model, at the beginning of an episode that has not ended.
        steps: How long a walk is.
        rng: Chooses actions; it is consumed.
        rounds: How many walks are made.

    Raises:
        ContractError: the first problem found, with its likely cause.
    """
    start, draws = model.snapshot(), StableRandom(rng, 4096)
    for _ in range(rounds):
        first = _model_walk(model, steps, draws)
        middle, place = model.snapshot(), len(first)
        rest = _model_walk(model, steps, draws)
        for state, walk, which in ((start, first + rest, "start"), (middle, rest, "middle"), (start, first, "start")):
            model.restore(state)
            for number, (action, seen) in enumerate(walk, 1):
                again = _model_step(model, action)
                if again != seen:
                    raise ContractError(
                        f"Restored to the {which} of a walk of {place + len(rest)} steps, step {number} led to {again} "
                        f"and not to {seen} as before. Likely cause: a snapshot does not hold all of the state."
                    )
        model.restore(start)


def _model_walk(model: Model[Any, Any], steps: int, draws: StableRandom) -> list[tuple[Any, tuple[Any, ...]]]:
    """Walk at random, check what is offered on the way, and return each action with what it led to."""
    walk: list[tuple[Any, tuple[Any, ...]]] = []
    for _ in range(steps):
        actions = list(model.actions())
        if actions != list(model.actions()):
            raise ContractError("Asked twice, the model lists its actions in another order: the order has to be fixed.")
        for action in actions:
            hash(action)
            if not model.possible(action):
                raise ContractError(f"The model lists {action!r} and says that it is not possible.")
            if not isinstance(model.text(action), str) or not model.text(action):
                raise ContractError(f"The text of {action!r} is {model.text(action)!r}; `step` takes a text.")
        sampled = model.sample(draws)
        if sampled is not None and not model.possible(sampled):
            raise ContractError(f"`sample` drew {sampled!r}, which is not possible.")
        if not actions:
            break
        action = actions[draws.below(len(actions))]
        seen = _model_step(model, action)
        walk.append((action, seen))
        if seen[1]:
            if list(model.actions()):
                raise ContractError("The episode has ended and the model still lists actions: it has to list none.")
            break
    return walk


def _model_step(model: Model[Any, Any], action: Any) -> tuple[Any, ...]:
    result = model.step(action)
    if not isinstance(result, StepResult) or not math.isfinite(result.reward) or not isinstance(result.done, bool):
        raise ContractError(f"`step` returned {result!r}; it returns a StepResult with a finite reward.")
    return result.reward, result.done, model.key(), model.success(), tuple(model.actions())


def _check_round(env: Any, snapshotter: Snapshotter, steps: int, rng: np.random.Generator) -> None:
    seed = int(rng.integers(2**31))
    env.action_space.seed(seed)
    here = _start(env, seed)
    _, trace = _walk(env, here, int(rng.integers(steps)), rng)
    here = trace[-1] if trace else here
    if here.over:
        here = _start(env, seed)
    older, random_state = snapshotter.snapshot(), _random_state(env)
    first, seen_first = _walk(env, here, max(1, steps // 2), rng)
    newer = snapshotter.snapshot()
    rest, seen_rest = _walk(env, seen_first[-1] if seen_first else here, max(1, steps // 2), rng)
    actions, seen = first + rest, seen_first + seen_rest

    snapshotter.restore(older)
    if _random_state(env) != random_state:
        raise ContractError(
            "Restoring did not bring back the random state: save np_random.bit_generator.state in snapshot() "
            "and set it in restore()."
        )
    _require_equal(seen, _play(env, actions), "After restoring, the same actions led elsewhere")
    snapshotter.restore(older)
    _require_equal(seen, _play(env, actions), "After restoring a second time, the same actions led elsewhere", _SHARED)
    # At once, so that going back to the older one would have to be undone.
    snapshotter.restore(older)
    snapshotter.restore(newer)
    _require_equal(seen_rest, _play(env, rest), "Restoring the newer snapshot after the older led elsewhere", _STACK)
    snapshotter.restore(older)
    _walk(env, here, steps, rng)
    snapshotter.restore(newer)
    _require_equal(seen_rest, _play(env, rest), "Restoring a snapshot after another branch led elsewhere", _STACK)
    _walk(env, _start(env, seed + 1), steps, rng)
    snapshotter.restore(older)
    _require_equal(seen, _play(env, actions), "Restoring after a reset led elsewhere", _RESET)
    _start(env, seed + 2)
    snapshotter.restore(newer)
    _require_equal(seen_rest, _play(env, rest), "Restoring after a reset led elsewhere", _RESET)


_SHARED = "the snapshot shares mutable objects with the environment: copy them in snapshot() and again in restore()"
_STACK = "snapshots hold only in the order of a stack, or share mutable objects: each must hold its state by itself"
_RESET = "the snapshot lacks what reset() chooses (a scene, a seed, a goal): save that as well"


def _check_gymnasium(env: gymnasium.Env[Any, Any], remake: bool) -> None:
    with warnings.catch_warnings():
        # A wrapped environment is checked on purpose.
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")
        warnings.filterwarnings("ignore", message=".*Not able to test alternative render modes.*")
        try:
            env_checker.check_env(env, skip_render_check=not remake, skip_close_check=not remake)
        except (AssertionError, AttributeError, TypeError, ValueError, gymnasium.error.Error) as error:
            raise ContractError(f"gymnasium's check_env refuses {env}: {error}") from error


def _check_step(env: Any, observation: Any, info: Mapping[str, Any], call: str) -> None:
    """Check what `reset` or `step` returned against the conventions."""
    if observation not in env.observation_space:
        raise ContractError(
            f"The observation of {call} is not in the observation space {env.observation_space}: "
            f"{reprlib.repr(observation)}."
        )
    if "success" in info and not isinstance(info["success"], bool):
        raise ContractError(f"info['success'] of {call} must be a bool, not {info['success']!r}.")
    progress = info.get("progress", 0.0)
    if isinstance(progress, bool) or not isinstance(progress, int | float) or not 0 <= progress <= 1:
        raise ContractError(f"info['progress'] of {call} must be a number from 0 to 1, not {progress!r}.")
    if "error" in info and not (isinstance(info["error"], str) and info["error"]):
        raise ContractError(
            f"info['error'] of {call} must say why the action was refused, not {info['error']!r}: "
            "leave it out where nothing was."
        )
    actions = info.get("actions")
    if actions is not None:
        if not isinstance(actions, tuple):
            raise ContractError(
                f"info['actions'] of {call} must be a tuple of strings, not a {type(actions).__name__}."
            )
        strange = [action for action in actions if not isinstance(action, str) or action not in env.action_space]
        if strange:
            raise ContractError(f"The admissible action {strange[0]!r} is not in the action space {env.action_space}.")
        if len(set(actions)) < len(actions):
            raise ContractError(f"info['actions'] of {call} lists an action twice.")
    _check_facts(observation, info, call)


def _check_facts(observation: Any, info: Mapping[str, Any], call: str) -> None:
    facts = info.get("facts")
    if facts is None:
        return
    try:
        written = orjson.dumps(facts).decode()
    except TypeError as error:
        raise ContractError(f"info['facts'] of {call} must be plain JSON: {error}.") from error
    if not isinstance(facts, dict):
        raise ContractError(f"info['facts'] of {call} must be a dict, not a {type(facts).__name__}.")
    leaked = isinstance(observation, Mapping) and "facts" in observation
    text = _text(observation)
    if leaked or (facts and (written in text or repr(facts) in text)):
        raise ContractError(
            f"The observation of {call} holds the privileged facts: an agent must never see them, leave them in info."
        )


def _check_admissible(env: Any, action: str) -> None:
    """Take an action that the reset listed as admissible."""
    observation, _, _, _, info = env.step(action)
    _check_step(env, observation, info, f"step({action!r})")
    _check_accepted(action, info)


def _check_accepted(action: Any, info: Mapping[str, Any]) -> None:
    if "error" in info:
        raise ContractError(
            f"The action {action!r} was listed as admissible and then refused ({info['error']}): "
            "list what the rules allow, or say in the rules what the list says."
        )


def _check_nonsense(env: Any, seed: int) -> None:
    """Take an action that cannot be admissible."""
    if _NONSENSE not in env.action_space:
        return
    env.reset(seed=seed)
    try:
        observation, _, _, _, info = env.step(_NONSENSE)
    except Exception as error:
        raise ContractError(
            f"An action that makes no sense raised {type(error).__name__} ({error}): "
            "the step must change nothing and the observation say why."
        ) from error
    _check_step(env, observation, info, "step(nonsense)")
    if "error" not in info:
        raise ContractError(f"The nonsense action {_NONSENSE!r} was not refused: info['error'] must say why it is.")
    if info["error"] not in _text(observation):
        raise ContractError(
            f"The reason for refusing an action ({info['error']!r}) is in info and not in the observation: "
            "an agent could not learn from it."
        )


def _walk(
    env: Any, seen: _Seen, steps: int, rng: np.random.Generator, *, conventions: bool = False
) -> tuple[list[Any], list[_Seen]]:
    """Take up to `steps` random actions on from where `seen` was returned, on demand checking the conventions at each.

    Returns:
        The actions and what each led to, both of the same length; shorter than `steps` if the episode ended.
    """
    actions: list[Any] = []
    trace: list[_Seen] = []
    while len(actions) < steps and not seen.over:
        action = seen.actions[int(rng.integers(len(seen.actions)))] if seen.actions else env.action_space.sample()
        result = env.step(action)
        if conventions:
            _check_step(env, result[0], result[4], f"step({action!r})")
            if seen.actions:
                _check_accepted(action, result[4])
        seen = _seen(env, *result)
        actions.append(action)
        trace.append(seen)
    return actions, trace


def _start(env: Any, seed: int) -> _Seen:
    observation, info = env.reset(seed=seed)
    return _seen(env, observation, 0.0, False, False, info)


def _play(env: Any, actions: Sequence[Any]) -> list[_Seen]:
    """Take these actions, and stop where an episode ends that did not end there the first time."""
    trace: list[_Seen] = []
    for action in actions:
        trace.append(_seen(env, *env.step(action)))
        if trace[-1].over:
            break
    return trace


def _seen(env: Any, observation: Any, reward: Any, terminated: Any, truncated: Any, info: Mapping[str, Any]) -> _Seen:
    rest = plain(info)
    if env.has_wrapper_attr("_stats_key"):
        # RecordEpisodeStatistics adds the time that the episode took, which differs each time.
        rest.get(env.get_wrapper_attr("_stats_key"), {}).pop("t", None)
    return _Seen(
        fingerprint(observation),
        repr(float(reward)),
        bool(terminated),
        bool(truncated),
        None if info.get("actions") is None else tuple(info["actions"]),
        orjson.dumps(info.get("facts"), default=str),
        orjson.dumps(rest),
        reprlib.repr(observation),
        # Autoreset goes on by itself after an end.
        bool(terminated or truncated) and not env.has_wrapper_attr("autoreset"),
    )


def _require_equal(expected: Sequence[_Seen], actual: Sequence[_Seen], what: str, cause: str | None = None) -> None:
    # `_play` may have stopped early, but then the flags of its last step differ.
    for index, (before, now) in enumerate(zip(expected, actual, strict=False)):
        fields = [name for name in _COMPARED if getattr(before, name) != getattr(now, name)]
        if fields:
            shown = f" ({before.shown} before, {now.shown} now)" if "observation" in fields else ""
            raise ContractError(
                f"{what}: {', '.join(fields)} differ at step {index + 1} of {len(expected)}{shown}; "
                f"likely cause: {cause or _cause(fields)}."
            )


def _cause(fields: Sequence[str]) -> str:
    if fields == ["truncated"]:
        return "a counter of steps is not in the snapshot"
    if set(fields) <= {"reward", "info", "facts"}:
        return "what rewards or infos are computed from (progress, statistics) is not in the snapshot"
    return (
        "part of the state is not in the snapshot (a counter, a random generator of its own, a cached observation), "
        "or it is there as the very object that later steps change"
    )


def _random_state(env: Any) -> bytes:
    generator = getattr(env.unwrapped, "_np_random", None)
    return fingerprint(None if generator is None else generator.bit_generator.state)


def _text(observation: Any) -> str:
    text = observation.get("text") if isinstance(observation, Mapping) else observation
    return text if isinstance(text, str) else ""
