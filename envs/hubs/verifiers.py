"""The environment of a package for verifiers: `pathei/Verifiers-v0`, `--env verifiers:NAME`.

verifiers runs the episode and asks a model for each answer; here the agent answers in its place. So every kind of its
environments works, with tools too: single answers, several turns, tools with state. A task is a row of the data set.
The reward comes at the end, when verifiers' rubric gives it, and a metric called `success` says whether the goal was
reached. Episodes run in a thread of their own. Not here: images, whose place is named, and versions from 0.2 on.
"""

from __future__ import annotations

import asyncio
import json
import queue
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from ...errors import ConfigError, WorldError
from ...experience import Goal, Task
from ...extras import needed_by
from ..contract import Requirement
from ..registry import NO_GOAL
from ..text_env import TextEnv, explain, require_reset

ENV: Final = "pathei/Verifiers-v0"
_ANSWER_S: Final = 300.0
"""How long the environment may take between two answers, in seconds."""


class _Asked(NamedTuple):
    """What the model is asked for: the messages that are new, and the tools that it may call."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]


class _Ended(NamedTuple):
    """The end of a rollout."""

    messages: Sequence[Mapping[str, Any]]
    """What the environment said to the last answer."""
    reward: float
    success: bool | None
    error: str


class VerifiersEnv(TextEnv[str]):
    """An episode of a package for verifiers.

    Options of `reset`: `package`, its name, as `verifiers.load_environment` takes it; `arguments` for it; `row`, the
    number of a row, in place of the one that follows from the seed; and `goal`, which only the agent reads.

    An action is the model's answer. Where there are tools, `{"tool": NAME, "arguments": {...}}` calls one.
    """

    title = "The environment of verifiers"
    option_names = ("package", "arguments", "row", "goal")

    def __init__(self, *, render_mode: str | None = None, **defaults: Any) -> None:
        """Create the environment; options given here are the defaults of `reset`, which loads the package."""
        super().__init__(render_mode=render_mode, defaults=defaults)
        self._loaded: tuple[str, Any] | None = None
        self._rollout: _Rollout | None = None
        self._text: str | None = None
        self._tools: Sequence[Mapping[str, Any]] = ()
        self._success: bool | None = None
        self._error, self._over = "", False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the rollout of a row.

        Raises:
            ConfigError: an option is not known, or there is no such package or row.
            MissingDependencyError: verifiers is not installed.
            WorldError: the environment failed.
        """
        given = self.begin(seed, options)
        env, rows = self.load(given.get("package"), given.get("arguments"))
        number = given.get("row", int(self.np_random.integers(len(rows))) if seed is None else seed % len(rows))
        if type(number) is not int or not 0 <= number < len(rows):
            raise ConfigError(f"The data set has the rows 0 to {len(rows) - 1}, not {number!r}.")
        self._end()
        self._success, self._error, self._over = None, "", False
        self._rollout = _Rollout(env, rows[number])
        self._take(self._rollout.next())
        return self.text(), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Give an answer, and return what the environment says to it.

        Raises:
            WorldError: the environment failed.
        """
        rollout = require_reset(self._rollout)
        reward, self._error = 0.0, ""
        if self._over:
            self._error = "the episode is over"
        elif not action.strip():
            self._error = "an answer needs at least one word"
        else:
            rollout.answer(action, called=_tool_call(action) if self._tools else None)
            reward = self._take(rollout.next())
        return self.text(), reward, self._over, False, self._info()

    def text(self) -> str:
        """Return what was said last, and the tools that may be called."""
        return explain(self._error or None, require_reset(self._text) + _listed(self._tools))

    def load(self, package: object, arguments: Any = None) -> tuple[Any, Any]:
        """Return verifiers' environment and its rows; it is loaded once.

        Raises:
            ConfigError: there is no such package.
            MissingDependencyError: verifiers is not installed.
        """
        if not isinstance(package, str) or not package:
            raise ConfigError(f"A package for verifiers has a name, as in verifiers:NAME, not {package!r}.")
        key = json.dumps([package, arguments])
        if self._loaded is None or self._loaded[0] != key:
            with needed_by("A package for verifiers as environment", "verifiers"):
                import verifiers  # type: ignore[import-untyped]
            try:
                with _signals_kept():
                    self._loaded = (key, verifiers.load_environment(package, **(arguments or {})))
            except (ValueError, RuntimeError) as error:
                raise ConfigError(f"verifiers cannot load {package!r}: {error}") from error
        env = self._loaded[1]
        return env, env.get_dataset() if env.build_dataset() is not None else env.get_eval_dataset()

    def close(self) -> None:
        """End the rollout."""
        self._end()
        self._text = None

    def _end(self) -> None:
        if self._rollout is not None:
            self._rollout.close()
            self._rollout = None

    def _take(self, moment: _Asked | _Ended) -> float:
        """Show what the environment says, and return the reward."""
        if isinstance(moment, _Asked):
            self._text, self._tools = _said(moment.messages), moment.tools
            return 0.0
        if moment.error:
            raise WorldError(f"The environment of verifiers failed: {moment.error}")
        self._text, self._tools, self._over = _said(moment.messages) or "The episode is over.", (), True
        self._success = moment.success
        return moment.reward

    def _info(self) -> dict[str, Any]:
        known = {} if self._success is None else {"success": self._success}
        return {**known, **({"error": self._error} if self._error else {})}


class _Rollout:
    """One rollout, in a thread with a loop of its own; it asks, and waits for each answer."""

    def __init__(self, env: Any, row: Mapping[str, Any]) -> None:
        self._env, self._row = env, row
        self._asked: queue.Queue[_Asked | _Ended] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._answer: asyncio.Future[Any] | None = None
        self._before: list[Mapping[str, Any]] = []
        """The messages of the last prompt."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def next(self) -> _Asked | _Ended:
        """Return what the model is asked for next, or the end."""
        try:
            return self._asked.get(timeout=_ANSWER_S)
        except queue.Empty as error:
            raise WorldError(f"The environment of verifiers said nothing for {_ANSWER_S:g} s.") from error

    def answer(self, text: str, called: Mapping[str, Any] | None) -> None:
        """Give the answer that is waited for: words, or the call of a tool."""
        if self._answer is not None:
            self._loop.call_soon_threadsafe(self._answer.set_result, (text, called))

    def close(self) -> None:
        """End the rollout, whatever it is doing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(self._loop)])
            self._thread.join(10.0)

    def _run(self) -> None:
        try:
            self._asked.put(self._loop.run_until_complete(self._play()))
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001  # whatever a package raises, the episode has failed
            self._asked.put(_Ended((), 0.0, None, f"{type(error).__name__}: {error}"))
        finally:
            self._loop.close()

    async def _play(self) -> _Ended:
        ask = SimpleNamespace(create=self._create)
        client = SimpleNamespace(chat=SimpleNamespace(completions=ask), completions=ask)
        state = await self._env.rollout(self._row, client, "pathei", {})
        if self._env.score_rollouts:
            await self._env.rubric.score_rollout(state)
        said = _messages(state.get("completion") or [])
        last = max((n for n, one in enumerate(said) if one["role"] == "assistant"), default=-1)
        success = (state.get("metrics") or {}).get("success")
        error = "" if state.get("error") is None else repr(state["error"])
        return _Ended(
            said[last + 1 :], float(state.get("reward") or 0.0), None if success is None else success > 0, error
        )

    async def _create(self, *, messages: Any = None, prompt: Any = None, tools: Any = (), **_: Any) -> Any:
        """Answer as the client of a model does: with what the agent does."""
        seen = _messages(prompt if messages is None else messages)
        known = len(self._before) if seen[: len(self._before)] == self._before else 0
        self._before, self._answer = seen, self._loop.create_future()
        self._asked.put(_Asked([one for one in seen[known:] if one["role"] != "assistant"], list(tools or ())))
        text, called = await self._answer
        self._answer = None
        return _completion(text, called, chat=messages is not None, number=len(seen))


def _completion(text: str, called: Mapping[str, Any] | None, *, chat: bool, number: int) -> Any:
    from openai.types import Completion
    from openai.types.chat import ChatCompletion

    common = {"id": f"pathei-{number}", "created": 0, "model": "pathei"}
    if not chat:
        choice = {"index": 0, "text": text, "finish_reason": "stop"}
        return Completion.model_validate({**common, "object": "text_completion", "choices": [choice]})
    message: dict[str, Any] = {"role": "assistant", "content": text if called is None else ""}
    if called is not None:
        function = {"name": called["tool"], "arguments": json.dumps(called.get("arguments") or {})}
        message["tool_calls"] = [{"id": f"call-{number}", "type": "function", "function": function}]
    choice = {"index": 0, "message": message, "finish_reason": "stop" if called is None else "tool_calls"}
    return ChatCompletion.model_validate({**common, "object": "chat.completion", "choices": [choice]})


def _messages(given: Any) -> list[Mapping[str, Any]]:
    """Return messages as a list; a prompt for completion is one message."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def _said(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(filter(None, (_content(message.get("content")) for message in messages)))


def _content(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    parts = (part.get("text", f"[{part.get('type')}]") if isinstance(part, Mapping) else str(part) for part in content)
    return "\n".join(parts)


def _listed(tools: Sequence[Mapping[str, Any]]) -> str:
    """Return lines that say which tools there are."""
    if not tools:
        return ""
    lines = []
    for tool in tools:
        function = tool.get("function", tool)
        given = function.get("parameters", {}).get("properties", {})
        fields = ", ".join(f"{name}: {part.get('type', 'any')}" for name, part in given.items())
        what = (str(function.get("description") or "").strip().splitlines() or [""])[0]
        lines.append(f"{function.get('name')}({fields}) {what}".rstrip())
    return '\n\nTools, called by {"tool": NAME, "arguments": {...}}:\n' + "\n".join(lines)


def _tool_call(action: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(action)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("tool"), str) else None


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Put back what a signal did before: verifiers sets handlers of its own, which end the program."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def generate_tasks(n: int, seed: int, *, address: str | None = None) -> list[Task]:
    """Return tasks for `n` rows of a package's data set, from row `seed` on; after the last row comes the first.

    Args:
        n: How many, at most the number of rows.
        seed: The first row.
        address: The package's name.

    Raises:
        ConfigError: there is no such package, or it has fewer rows.
        MissingDependencyError: verifiers is not installed.
    """
    env = VerifiersEnv()
    _, rows = env.load(address)
    if n > len(rows):
        raise ConfigError(f"{address!r} has {len(rows)} rows, so at most as many tasks, not {n}.")
    numbers = [number % len(rows) for number in range(seed, seed + n)]
    options = {"package": address}
    return [
        Task(f"verifiers:{address}/{number}", ENV, number, _goal(rows[number]), {**options, "row": number})
        for number in numbers
    ]


def _goal(row: Mapping[str, Any]) -> Goal:
    """Return what the user asks for in a row's prompt."""
    asked = [one for one in _messages(row["prompt"]) if one["role"] == "user"]
    return Goal(_content(asked[-1]["content"])) if asked else NO_GOAL


def check_verifiers() -> list[Requirement]:
    """Look for what loading a package needs; packages are not looked for."""
    return [Requirement.packages("verifiers", "verifiers", extra="verifiers")]
