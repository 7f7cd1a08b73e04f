"""Answers of language models: every harmless form of an action is read, and nothing in thinking is ever done."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.agents.lm.reading import breaks_off, clean, cut_thinking, normal, read_answer

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
    "__{}__", "Action: `{}`.", "Act: {}", "Action\uff1a{}", "<Action>{}</Action>", "$\\boxed{{\\text{{{}}}}}$",
    "- [ ] {}",
    "<|begin_of_thought|>Action: stay<|end_of_thought|>\n<|begin_of_solution|>{}<|end_of_solution|>",
    "<|START_THINKING|>Action: stay<|END_THINKING|><|START_RESPONSE|>{}<|END_RESPONSE|>",
    "<think >Action: stay</think >\n{}", "<|think|>Action: stay<|/think|>Action: {}", "Action: act\nAction Input: {}",
)  # fmt: skip
JSONS = (
    '{{"action": {}}}', '{{"thought": "hm", "action": {}}}', '```json\n{{"action": {}}}\n```',
    'Action: {{"action": {}}}', CALL, f"<tool_call>\n{CALL}\n</tool_call>", f"[{CALL}]",
    '{{"tool": "act", "args": {{"action": {}}}}}', '{{"function": {{"name": "act", "arguments": {{"action": {}}}}}}}',
    '{{"actions": [{}]}}', 'Sure.\n```json\n{{"action": {}}}\n```', '{{"action": "act", "action_input": {}}}',
    '{{"Action": {}}}', '{{"action": {}', "{{action: {}}}", f"[TOOL_CALLS] [{CALL}]", f"<|python_tag|>{CALL}",
    '[TOOL_CALLS]act[ARGS]{{"action": {}}}', '<function=act>{{"action": {}}}</function>',
    "act({})", "print(act(action={}))",
    '<invoke name="act"><parameter name="action">{}</parameter></invoke>', "```tool_code\nact({})\n```",
    "<tool_call>\n<function=act>\n<parameter=action>\n{}\n</parameter>\n</function>\n</tool_call>",
    "<tool_call>act\n<arg_key>action</arg_key>\n<arg_value>{}</arg_value>\n</tool_call>",
    '<\uff5ctool\u2581call\u2581begin\uff5c>act<\uff5ctool\u2581sep\uff5c>{{"action": {}}}',
    '<|channel|>commentary to=functions.act <|constrain|>json<|message|>{{"action": {}}}<|call|>',
    'Action: act\nAction Input: {{"action": {}}}', '{{\n  "reasoning": "hm",\n  "action": {}\n}}',
    '<think>{{"action": "stay"}}</think>{{"action": {}}}',
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


LOOSE = (
    "Step 1: {}", "Next step: {}", "I will {}.", "I'll now {}", "Let's {}", "Sure, here is the next action: \"{}\"",
    "Action: {} (it is near)", "{} because it is near", "[{}]", "_{}_", "assistant: {}", "$ {}", "a) {}", "A. {}",
)  # fmt: skip


@pytest.mark.parametrize("thought", [False, True])
@pytest.mark.parametrize("form", LOOSE)
def test_what_surrounds_an_action_may_be_left_out(form: str, thought: bool) -> None:
    for action in ACTIONS:
        found = read_answer(form.format(action), thought=thought)
        assert normal(action) in map(normal, (found.action, *found.others)), action
    for text in ("I will not go north", "Avoid: go north", "I cannot go north"):
        assert "go north" not in read_answer(text, thought=thought).others


def test_of_a_numbered_plan_the_first_step_is_done() -> None:
    found = read_answer("The way is clear.\n1. go north\n2. walk\n3. open the door", thought=True)
    assert found.others[:4] == ("go north", "walk", "open the door", "The way is clear.")


def test_spaces_next_to_brackets_do_not_matter() -> None:
    assert normal("Search [Red  mug].") == normal("search[red mug]")
    assert normal("[walk]<cup>(12)") == normal("[Walk] <cup> (12)")
    assert normal("press 3") != normal("press3")


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
