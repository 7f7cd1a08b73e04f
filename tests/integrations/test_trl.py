"""The environment for TRL's trainers: what the model is shown, and a step of the real trainer that uses its tools."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import pytest

from pathei.errors import ConfigError, UnknownNameError
from pathei.integrations.trl import TrlEnvironment, environment
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


@pytest.mark.integration
def test_a_step_of_the_real_trainer_plays_the_environment(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    import torch
    from datasets import Dataset  # type: ignore[import-untyped]
    from transformers.utils import get_json_schema

    from pathei.tests.support.tiny_language import END, tiny_model, tiny_tokenizer

    factory = environment("virtualhome", tasks=2, seed=3)
    for method in (TrlEnvironment.act, TrlEnvironment.actions):
        assert get_json_schema(method)["function"]["description"]
    tokenizer = tiny_tokenizer()
    templates = Path(trl.__file__).parent / "chat_templates"
    tokenizer.chat_template = (templates / "qwen3.jinja").read_text("utf-8")
    model = tiny_model("llama", max_position_embeddings=16_384)
    calls = iter(range(100))

    def generate(input_ids: torch.Tensor, **_: Any) -> torch.Tensor:
        # In place of an untrained model's noise: the first turn calls a tool, the next one ends.
        first = next(calls) == 0
        call = '<tool_call>\n{"name": "act", "arguments": {"action": "[Wait]"}}\n</tool_call>'
        said = tokenizer((call if first else "done") + END)["input_ids"]
        return torch.cat([input_ids, torch.tensor([said] * len(input_ids))], dim=1)

    model.generate = generate
    trainer = trl.GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        environment_factory=factory,
        train_dataset=Dataset.from_list(factory.rows()),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=1,
            per_device_train_batch_size=2,
            num_generations=2,
            max_completion_length=4096,
            report_to=[],
            use_cpu=True,
        ),
    )
    trainer.train()
    [logged, *_] = trainer.state.log_history
    assert logged["tools/call_frequency"] == 1.0
    assert logged["tools/failure_frequency"] == 0.0
    assert "rewards/TrlEnvironment/mean" in logged
    assert all(rollout.get_reward() is not None for rollout in trainer.environments)
