"""The agent that asks a language model what to do, in any environment.

It either chooses the likeliest of the admissible actions, or lets the model write and reads its answer (`reading`). An
unusable answer is reported back to the model and counted; it is never replaced by another action. After some of them
the episode is a failure, with what they took. The notes of each step record how the action came about: the thought, the
scores, what was shortened, tokens and cost. An action that changed nothing is barred until something changes.

What the agent does between two requests is a generator (`turn`), so that the same code plays one episode or, with
a `Rollout` with a batch, many at once. Not here: memory, which wraps an agent, and training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from ...errors import AnswerError, ModelError, at_least, check, of_type
from ...experience import Goal, Json, Observation
from ..barring import BarredActions
from ..protocol import Decision, Finished, check_seen
from .backends import (
    Answer,
    Backend,
    Choice,
    Conversation,
    Message,
    ModelReply,
    ModelRequest,
    RatedChoices,
    Request,
    Usage,
)
from .prompts import PromptContext, Prompts, Turn, fit, get_prompts
from .reading import AnswerReading, breaks_off, cut_thinking, normal, read_answer

_KEPT: Final = 2000
"""The number of characters kept of a thought, or of an unusable answer."""
_STYLE: Final = {"choose": "experience", "generate": "react", "call": "call"}
"""The style of each way of asking."""


@dataclass(frozen=True, slots=True)
class LmConfig:
    """How a language model is asked for actions."""

    way: Literal["auto", "choose", "generate", "call"] = "auto"
    """"choose": the likeliest of the admissible actions; "generate": the model writes; "call": it calls a tool whose
    argument is the action, at a chat endpoint that knows tools; "auto": generate at a chat endpoint, which rates no
    given words, else choose."""
    style: str = ""
    """A style of `prompts.STYLES`, or a TOML file; empty for "experience" to choose, "react" to generate, "call" to
    call."""
    temperature: float = 0.0
    """0 for the likeliest; else actions, or tokens, are drawn in proportion to p ** (1 / temperature)."""
    per_token: bool = True
    """Whether the log-likelihood of an action is divided by its number of tokens, so that long ones stand a chance."""
    max_tokens: int = 256
    """The longest answer, in tokens."""
    budget: int | None = None
    """The longest prompt, in tokens; None for what the model's context allows."""
    history: int | None = None
    """The maximum number of earlier steps in the prompt; None for as many as fit. Use 0 for a model that was trained on
    an export without history."""
    cut: bool = False
    """Whether an observation that is too long by itself is truncated; otherwise the episode fails with an error."""
    list_actions: bool = True
    """Whether the prompt lists the admissible actions when the model writes; where it chooses they are never listed."""
    listed_only: bool = True
    """Whether an action that is not listed is refused. False where an environment lists suggestions and accepts more (a
    shop's searches, a terminal's commands): the environment then refuses by itself."""
    tries: int = 3
    """The maximum number of requests for one action."""
    give_up: Literal["send", "end"] = "send"
    """What to do when the last answer that is tried names an action that is not listed: "send" it as it is, so that the
    environment refuses it, or "end" the episode as a failure, as an answer without an action always does."""
    bar: bool = True
    """Whether an action that changed nothing is barred until something changes."""
    finish: str = "finish"
    """The answer with which a model that writes ends the episode, unless it is an action here."""
    images: bool = False
    """Whether the model is shown the images of the last observation."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: at least one is out of range; all are named.
        """
        check(of_type(self), "language model agent")
        rules = {
            "way must be 'auto', 'choose', 'generate' or 'call'": self.way in ("auto", *_STYLE),
            **at_least(self, temperature=0, max_tokens=1, budget=1, history=0, tries=1),
            "give_up must be 'send' or 'end'": self.give_up in ("send", "end"),
        }
        check(rules, "language model agent")


class LmAgent:
    """The agent; see the head of this file. Agents may share a back end."""

    def __init__(self, backend: Backend, config: LmConfig | None = None, *, prompts: Prompts | None = None) -> None:
        """Prepare to act.

        Args:
            backend: The model: `LocalModel(model, tokenizer)`, `LocalModel.load(path)`, or `Endpoint(name)`.
            config: How it is asked.
            prompts: The prompt templates, instead of the style that the configuration names.

        Raises:
            UnknownNameError, ConfigError: the style does not exist or is invalid; see `get_prompts`.
        """
        self.backend = backend
        self.config = config or LmConfig()
        if self.config.way == "auto":
            way: Literal["choose", "generate"] = "choose" if getattr(backend, "rates", True) else "generate"
            self.config = dataclasses.replace(self.config, way=way)
        self.prompts = prompts or get_prompts(self.config.style or _STYLE[self.config.way])
        self._patient = False
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin an episode; whatever is drawn follows from the seed."""
        self._rng = np.random.default_rng(seed)
        self._history: list[Turn] = []
        self._barred = BarredActions()

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Ask the model.

        Raises:
            Finished: the model ends the episode, nothing can be done here, or it insists on an action that is barred.
            AnswerError: no answer could be used, or one did not come after others had; with what they took.
            ModelError: the model does not answer, or cannot read what it would have to.
        """
        check_seen(observation, goal)
        turn = self.turn(observation, goal)
        try:
            request = next(turn)
            while True:
                try:
                    answer = answers(self.backend, [request])[0]
                except ModelError as error:
                    request = turn.throw(error)
                else:
                    request = turn.send(answer)
        except StopIteration as done:
            chosen: Decision = done.value
            return chosen

    def turn(self, observation: Observation, goal: Goal) -> Generator[Request, Answer, Decision]:
        """Find the next action: yields what the model is to be asked, is sent its answers, returns the action.

        Raises:
            Finished, AnswerError, ModelError: as `act`.
        """
        if self.config.bar:
            self._barred.see(observation)
            if observation.actions:
                observation = dataclasses.replace(observation, actions=self._barred.left(observation.actions))
        if self.config.way == "choose":
            chosen, said = yield from self._choose(observation, goal)
        else:
            chosen, said = yield from self._write(observation, goal)
        self._history.append(Turn(observation.text, said))
        self._barred.chose(chosen.action)
        return chosen

    # --- choosing

    def _choose(self, observation: Observation, goal: Goal) -> Generator[Request, Answer, tuple[Decision, str]]:
        actions = observation.actions
        if actions is None:
            raise ModelError("There is no list of actions to choose from: let the model write (--lm.way generate).")
        if not actions:
            raise Finished("there is nothing to be done here")
        longest = max(actions, key=lambda action: len(action.encode()))
        room = self.backend.count(Conversation((Message("user", longest),))) + 4
        asked, notes = self._fitted(observation, goal, room, listed=False, whole=True)
        rated = yield Choice(asked, actions)
        assert isinstance(rated, RatedChoices), "a choice is answered by ratings"
        scores = rated.scores(self.config.per_token)
        if self.config.temperature > 0:
            weights = np.exp((np.array(scores) - max(scores)) / self.config.temperature)
            pick = int(self._rng.choice(len(actions), p=weights / weights.sum()))
        else:
            pick = int(np.argmax(scores))
        notes |= {"score": scores[pick], "among": len(actions), "usage": rated.usage.json()}
        return Decision(actions[pick], rated.tokens(pick), notes), actions[pick]

    # --- writing

    def _write(self, observation: Observation, goal: Goal) -> Generator[Request, Answer, tuple[Decision, str]]:
        config, usage, refused = self.config, Usage(requests=0), list[dict[str, Json]]()
        retold: tuple[Message, ...] = ()
        for _ in range(config.tries):
            asked, notes = self._fitted(observation, goal, config.max_tokens, listed=config.list_actions, retold=retold)
            try:
                reply, parsed, usage = yield from self._ask(asked, observation, usage)
            except ModelError as error:
                raise AnswerError(str(error), notes | {"usage": usage.json(), "refused": list(refused)}) from error
            action, reason = self._checked(parsed, reply, observation.actions, usage)
            notes |= {"thought": parsed.thought[:_KEPT]} if parsed.thought else {}
            notes |= {"usage": usage.json()} | ({"refused": list(refused)} if refused else {})
            if reason is None:
                if action != parsed.action:
                    notes["said"] = parsed.action
                return self._settled(action, reply, notes)
            refused.append({"said": reply.text[:_KEPT], "reason": reason})
            said = Message("assistant", _answered(reply) or "(nothing)")
            retold = (*retold, said, Message("user", self.prompts.refused.format(reason=reason)))
        notes["refused"] = list(refused)
        text = f"no answer could be used in {config.tries} tries; the last: {reason}"
        if action and action in self._barred:
            raise Finished(text, notes)
        if config.give_up == "end" or not action:
            raise AnswerError(text, notes)
        return self._settled(action, reply, notes)

    def _ask(
        self, asked: Conversation, observation: Observation, usage: Usage
    ) -> Generator[Request, Answer, tuple[ModelReply, AnswerReading, Usage]]:
        """Ask for one answer; again, without stop strings, if one of these has cut it before it says anything.

        Chat models begin with an empty line, a tag of thinking, a fence or `Action:` on a line by itself.
        """
        config, call = self.config, None
        if config.way == "call":
            call = (*(observation.actions or ()), config.finish) if config.listed_only and observation.actions else ()
        while True:
            stop = () if self._patient else self.prompts.stop
            request = ModelRequest(asked, config.max_tokens, stop, config.temperature, self._seed(), call=call)
            reply = yield request
            assert isinstance(reply, ModelReply), "an ask is answered in words"
            usage += reply.usage
            parsed = read_answer(reply.text, thought=self.prompts.thought)
            parsed = parsed._replace(thought="\n".join(filter(None, (reply.thought, parsed.thought))))
            if not stop or reply.cut or not breaks_off(reply.text):
                return reply, parsed, usage
            self._patient = True

    def _seed(self) -> int:
        return int(self._rng.integers(2**31))

    def _settled(self, action: str, reply: ModelReply, notes: dict[str, Json]) -> tuple[Decision, str]:
        if reply.tokens is None and reply.logprobs is not None:
            notes["logprobs"] = list(reply.logprobs)
        return Decision(action, reply.tokens, notes), _answered(reply)

    def _checked(
        self, parsed: AnswerReading, reply: ModelReply, actions: Sequence[str] | None, usage: Usage
    ) -> tuple[str, str | None]:
        """Return the action that is meant, and why it cannot be done, if it cannot.

        Raises:
            Finished: the model ends the episode.
        """
        said = parsed.action
        for one in (reply.text.strip(), said, *parsed.others):
            meant = [action for action in actions or () if action == one] or [
                action for action in actions or () if one and normal(action) == normal(one)
            ]
            if len(meant) == 1:
                return meant[0], None
        if not said and reply.cut:
            where = "its thinking" if parsed.unfinished else "the answer"
            return "", f"{where} was cut off after {self.config.max_tokens} tokens (max_tokens)."
        if not said:
            return "", "the answer names no action."
        if self.config.finish and normal(said) == normal(self.config.finish):
            raise Finished("the model said so", {"usage": usage.json()})
        if said in self._barred:
            return said, f"{said[:200]!r} was done already and changed nothing: do something else first."
        if actions is None or not self.config.listed_only:
            return said, None
        return said, f"{said[:200]!r} is not among the actions that are possible now."

    # --- both

    def _fitted(
        self,
        observation: Observation,
        goal: Goal,
        room: int,
        *,
        listed: bool,
        retold: tuple[Message, ...] = (),
        whole: bool = False,
    ) -> tuple[Conversation, dict[str, Json]]:
        config, context = self.config, self.backend.context
        budget = config.budget
        if context is not None:
            # An answer that may be longer than half the context gives way; an action that is rated is needed `whole`.
            left = context - (room if whole else min(room, context // 2))
            budget = left if budget is None else min(budget, left)
        shown = len(self._history) if config.history is None else config.history
        past = self._history[max(0, len(self._history) - shown) :]
        scene = PromptContext(goal, past, observation, listed, config.images, retold)
        fitted = fit(self.prompts, scene, budget, self.backend.count, cut=config.cut)
        notes: dict[str, Json] = {"model": self.backend.name, "way": config.way}
        for what in ("shortened", "dropped", "cut"):
            if number := getattr(fitted, what):
                notes[what] = number
        return fitted.conversation, notes


class Parsed(NamedTuple):
    """What an answer says."""

    thought: str
    action: str
    """Empty if it names none."""


def parse(text: str, *, thought: bool) -> Parsed:
    """Return the thought and the action of an answer; see `reading.read_answer`."""
    return Parsed(*read_answer(text, thought=thought)[:2])


def answers(backend: Backend, requests: Sequence[Request]) -> list[Answer]:
    """Answer requests of both kinds, each kind together, in order.

    Raises:
        ModelError: see `Backend`.
    """
    asks = [one for one in requests if isinstance(one, ModelRequest)]
    choices = [one for one in requests if isinstance(one, Choice)]
    replies = iter(backend.generate(asks) if asks else [])
    rated = iter(backend.rate(choices) if choices else [])
    return [next(replies) if isinstance(one, ModelRequest) else next(rated) for one in requests]


def _answered(reply: ModelReply) -> str:
    """Return an answer as the history has it: without its thinking."""
    return cut_thinking(reply.text)[1] or ""
