"""The environment for TRL's trainers: what the model is shown, and a step of the real trainer that uses its tools."""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pathei.errors import ConfigError, UnknownNameError
from pathei.integrations.trl import TrlEnvironment, TrlEnvironmentFactory, environment
from pathei.tests.interop.served import demonstrated


def test_the_model_sees_byte_for_byte_what_an_agent_of_pathei_sees() -> None:
    factory = environment("virtualhome", tasks=2, seed=3)
    rollout = pickle.loads(pickle.dumps(factory))()  # noqa: S301  # as TRL does with its workers
    assert rollout.get_reward() == 0.0
    for task, row in zip(factory.tasks, factory.rows(), strict=True):
        assert row["prompt"][0]["content"] == f"Goal: {task.goal.text}\n\n"
        actions, seen = demonstrated(task)
        assert rollout.reset(**row) == seen[0].text
        for action, before, after in zip(actions, seen, seen[1:], strict=False):
            assert rollout.actions().split("\n") == list(before.actions)
            assert rollout.act(action) == after.text
        assert (rollout.act("[Wait]"), rollout.actions()) == ("The episode is over.", "The episode is over.")
        assert rollout.get_reward() == rollout.get_reward() > 0
    assert rollout.reset(task=factory.tasks[0].id)
    assert rollout.get_reward() == 0.0


def test_what_cannot_be_trained_on_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'virtualhome'"):
        environment("virtualhom")
    with pytest.raises(ConfigError, match="at least one"):
        environment("virtualhome", tasks=[])
    with pytest.raises(ConfigError, match="at least one step"):
        environment("virtualhome", tasks=1, steps=0)
    with pytest.raises(UnknownNameError, match="task"):
        environment("virtualhome", tasks=1)().reset(prompt="no task in this row")


def test_resetting_is_not_among_the_tools() -> None:
    tools = [
        name
        for name, _ in inspect.getmembers(TrlEnvironment, inspect.isfunction)
        if not name.startswith("_") and name not in ("reset", "get_reward")
    ]
    assert tools == ["act", "actions"]


def plays_demonstrations(factory: TrlEnvironmentFactory, tokenizer: Any) -> Callable[..., Any]:
    """Return what generates in place of an untrained model's noise.

    The first of two rollouts does what was demonstrated, one action in a turn; the other ends at once.
    """
    import torch

    from pathei.tests.support.tiny_language import END

    left: list[str] = []

    def generate(input_ids: torch.Tensor, **_: Any) -> torch.Tensor:
        if len(input_ids) == 2:
            goal = tokenizer.decode(input_ids[0])
            left[:] = next(demonstrated(task)[0] for task in factory.tasks if f"Goal: {task.goal.text}" in goal)
        said = [left.pop(0) if row == 0 and left else "" for row in range(len(input_ids))]
        calls = [json.dumps({"name": "act", "arguments": {"action": one}}) if one else "" for one in said]
        texts = [f"<tool_call>\n{call}\n</tool_call>{END}" if call else f"done{END}" for call in calls]
        ids = [torch.tensor(tokenizer(text)["input_ids"]) for text in texts]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=tokenizer.pad_token_id)
        return torch.cat([input_ids, padded], dim=1)

    return generate


@pytest.mark.integration
def test_the_real_trainer_plays_the_environment_and_learns_under_ewc_from_its_reward(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    from datasets import Dataset  # type: ignore[import-untyped]
    from transformers.utils import get_json_schema

    from pathei.learners.methods.ewc import EWC
    from pathei.learners.methods.parameters import anchor_of
    from pathei.learners.training.callback import regularizer_callback
    from pathei.tests.support.ewc_models import made_up_fisher
    from pathei.tests.support.tiny_language import tiny_model, tiny_tokenizer

    factory = environment("virtualhome", tasks=2, seed=3)
    for method in (TrlEnvironment.act, TrlEnvironment.actions):
        assert get_json_schema(method)["function"]["description"]
    tokenizer = tiny_tokenizer()
    templates = Path(trl.__file__).parent / "chat_templates"
    tokenizer.chat_template = (templates / "qwen3.jinja").read_text("utf-8")
    model = tiny_model("llama", max_position_embeddings=16_384)
    before = anchor_of(model)

    model.generate = plays_demonstrations(factory, tokenizer)
    trainer = trl.GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        environment_factory=factory,
        train_dataset=Dataset.from_list(factory.rows()),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=2,
            logging_steps=1,
            learning_rate=1e-3,
            lr_scheduler_type="constant",
            per_device_train_batch_size=2,
            num_generations=2,
            max_completion_length=8192,
            report_to=[],
            use_cpu=True,
        ),
        callbacks=[regularizer_callback([EWC(made_up_fisher(model), before, 5.0)])],
    )
    trainer.train()
    first, second, *_ = trainer.state.log_history
    for logged in (first, second):
        assert logged["tools/failure_frequency"] == 0.0
        assert logged["tools/call_frequency"] >= 1.0
        assert logged["rewards/TrlEnvironment/mean"] == pytest.approx(logged["rewards/TrlEnvironment/std"] / 2**0.5)
        assert logged["rewards/TrlEnvironment/mean"] > 0  # one of the two has reached the goal
    assert first["ewc"] == 0.0 < second["ewc"]  # the reward has moved the weights
