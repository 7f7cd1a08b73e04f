"""Answers of language models: every harmless form of an action is read, and nothing in thinking is ever done."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents.lm.reading import breaks_off, clean, cut_thinking, read_answer

ACTIONS = ("walk", "go north", "[Walk] <cup> (12)", "put letter in box", "press 3", "open the door")
CALL = '{{"name": "act", "arguments": {{"action": {}}}}}'
FORMS = (
    "{}", "- {}", "* {}", '"{}"', "'{}'", "`{}`", "**{}**", "3. {}", "12) {}", "(3) {}", "> {}", "- `{}`", "1. **{}**",
    "“{}”", "Action: {}", "action:{}", "**Action:** {}", "Action: `{}`", "Action:\n{}", "Action:\n\n- {}",
    "### Action\n{}", "Action 1: {}", "My next action is: {}", "Final answer: {}", "Thought: Far.\nAction: {}",
    "Thought: Hm.\n\nAction:\n```\n{}\n```", "```\n{}\n```", "```text\n{}\n```", "<action>{}</action>", "\\boxed{{{}}}",
    "{}<|im_end|>", "\n\n{}\n", "<think>Action: stay\nAction: wait</think>\n{}", "Action: stay</think>\n\nAction: {}",
    "[THINK]Action: stay[/THINK]{}", "<thinking>\nAction: stay\n</thinking>\nAction: {}",
    "<think>a <think>Action: stay</think> Action: stay</think>Action: {}",
    "<|channel|>analysis<|message|>Action: stay<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
)  # fmt: skip
JSONS = (
    '{{"action": {}}}', '{{"thought": "hm", "action": {}}}', '```json\n{{"action": {}}}\n```',
    'Action: {{"action": {}}}', CALL, f"<tool_call>\n{CALL}\n</tool_call>", f"[{CALL}]",
    '{{"tool": "act", "args": {{"action": {}}}}}', '{{"function": {{"name": "act", "arguments": {{"action": {}}}}}}}',
    '{{"actions": [{}]}}', 'Sure.\n```json\n{{"action": {}}}\n```', '{{"action": "act", "action_input": {}}}',
    '{{\n  "reasoning": "hm",\n  "action": {}\n}}', '<think>{{"action": "stay"}}</think>{{"action": {}}}',
)  # fmt: skip


@pytest.mark.parametrize("thought", [False, True])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_read_in_every_harmless_form(action: str, thought: bool) -> None:
    written = [form.format(action) for form in FORMS] + [form.format(json.dumps(action)) for form in JSONS]
    for text in written:
        found = read_answer(text, thought=thought)
        assert action in (found.action, *found.others)[:2], text
        if not thought or any(word in text.lower() for word in ("action", "think", "boxed")):
            assert found.action == action, text
        assert "stay" not in (found.action, *found.others), text


def test_a_tools_name_and_words_are_readings_of_a_call() -> None:
    found = read_answer('{"name": "go", "arguments": "{\\"direction\\": \\"north\\"}"}', thought=False)
    assert (found.action, found.others) == ("go north", ("north", "go"))
    assert read_answer('{"name": "walk", "arguments": {}}', thought=False).action == "walk"
    assert read_answer("{'action': 'walk'}", thought=False).action == "walk"


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_in_thinking_is_done(inner: str, after: str) -> None:
    thinking = inner.replace("<", "(").replace("[", "(").replace("◁", "(")
    rest = after.replace("<", "(").replace("[", "(").replace("◁", "(")
    thought, answer = cut_thinking(f"<think>{thinking}\nAction: jump</think>{rest}")
    assert "Action: jump" in thought
    assert answer == rest.strip()
    assert read_answer(f"<think>{thinking}\nAction: jump", thought=False)[1:] == ("", (), True)


@given(st.text(max_size=80), st.booleans())
def test_any_text_is_read(text: str, thought: bool) -> None:
    found = read_answer(text, thought=thought)
    assert clean(clean(found.action)) == clean(found.action)
    breaks_off(text)


def test_what_a_stop_string_has_cut_too_early_is_seen() -> None:
    assert all(map(breaks_off, ("", "\n", "<think>\n", "```json", "{", "Action:", "**Action:**", "Thought: far away.")))
    assert not any(map(breaks_off, ("walk", "hm", "Action: walk", "Thought: x\nAction: walk", '{"action": "walk"}')))
