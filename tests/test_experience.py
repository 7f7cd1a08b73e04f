"""Records: what is encoded comes back equal, and what is not plain JSON is refused."""

import dataclasses

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.errors import RecordError
from pathei.experience import (
    SCHEMA_VERSION,
    Failure,
    Goal,
    Observation,
    Parent,
    Step,
    Task,
    Tokens,
    Trajectory,
    decode,
    encode,
    fields_of,
    task_from_json,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
reals = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | reals | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(texts, plain, max_size=3)


def tuples(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(inner, max_size=3).map(tuple)


tasks = st.builds(
    Task, texts, texts, st.integers(-(2**63), 2**64 - 1), st.builds(Goal, texts, tuples(mappings)), mappings
)
observations = st.builds(Observation, texts, tuples(texts), st.none() | tuples(texts), st.none() | mappings)
ids = tuples(st.integers(0, 2**40))
tokens = st.none() | st.builds(Tokens, ids, ids, st.none() | tuples(reals))
steps = st.builds(Step, observations, texts, reals, st.booleans(), st.booleans(), mappings, tokens)
parents = st.none() | st.builds(Parent, texts, st.integers(0, 9))
trajectories = st.builds(Trajectory, texts, tasks, tuples(steps), observations, texts, parents, mappings)
failures = st.builds(Failure, tasks, texts, texts)


@given(trajectories | failures)
def test_a_decoded_record_equals_the_encoded_one(record: Trajectory | Failure) -> None:
    assert decode(encode(record)) == record
    assert decode(encode(record).decode()) == record


@given(trajectories | failures)
def test_equal_records_are_encoded_equally(record: Trajectory | Failure) -> None:
    line = encode(record)
    assert encode(decode(line)) == line
    assert fields_of(line) == (orjson.loads(line)["kind"], orjson.loads(line)["record"])


@given(trajectories | st.builds(Failure, tasks, texts, texts, mappings, st.none() | trajectories))
def test_what_schema_1_wrote_step_by_step_is_read_and_migrated(record: Trajectory | Failure) -> None:
    kind = "trajectory" if isinstance(record, Trajectory) else "failure"
    line = orjson.dumps({"kind": kind, "schema": 1, "record": record})
    found = decode(line)
    assert found == record
    if isinstance(record, Failure):
        assert isinstance(found, Failure)
        assert (found.notes, found.played) == (record.notes, record.played)
    else:
        assert orjson.loads(orjson.dumps(fields_of(line)[1])) == orjson.loads(encode(record))["record"]


def test_each_action_and_each_list_of_actions_is_written_once_and_nothing_that_is_absent() -> None:
    task, info = Task("t", "e", 0, Goal("g")), {"success": True}
    seen = [
        Observation(text, (), actions) for text, actions in (("a", ("x", "y")), ("b", ("y", "z")), ("c", ("x", "y")))
    ]
    steps = tuple(Step(one, "x", 0.5, info=info) for one in seen[:2])
    assert orjson.loads(encode(Trajectory("1", task, steps, seen[2], "explore"))) == {
        "kind": "trajectory",
        "schema": 2,
        "record": {
            "id": "1",
            "task": {"id": "t", "env": "e", "seed": 0, "goal": {"text": "g", "conditions": []}, "options": {}},
            "collector": "explore",
            "provenance": {},
            "seen": {"text": ["a", "b", "c"], "actions": [0, 1, 0]},
            "steps": {
                "action": ["x", "x"],
                "reward": [0.5, 0.5],
                "terminated": [False, False],
                "truncated": [False, False],
                "info": [info, info],
            },
            "lists": [[0, 1], [1, 2]],
            "actions": ["x", "y", "z"],
        },
    }


@given(trajectories)
def test_an_encoded_record_is_one_line(record: Trajectory) -> None:
    assert b"\n" not in encode(record)


def make(**changes: object) -> Trajectory:
    task = Task("t", "e", 0, Goal("g"))
    return Trajectory("a", task, (Step(Observation("o"), "act", 1.0, **changes),), Observation("end"), "explore")  # type: ignore[arg-type]


def test_numpy_values_become_plain_numbers() -> None:
    record = decode(encode(make(info={"score": np.float32(0.5), "grid": np.arange(3)})))
    assert isinstance(record, Trajectory)
    assert record.steps[0].info == {"score": 0.5, "grid": [0, 1, 2]}


@pytest.mark.parametrize("value", [{1, 2}, object(), "\ud800"])
def test_a_value_that_is_not_json_is_refused_with_the_task_named(value: object) -> None:
    with pytest.raises(RecordError, match="task 't'"):
        encode(make(info={"x": value}))


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b'{"kind":"trajectory","schema":1,"record":{}}'])
def test_a_malformed_line_is_refused(line: bytes) -> None:
    with pytest.raises(RecordError):
        decode(line)


def test_a_newer_schema_is_refused_with_advice() -> None:
    line = encode(make()).replace(f'"schema":{SCHEMA_VERSION}'.encode(), b'"schema":99')
    with pytest.raises(RecordError, match="upgrade pathei"):
        decode(line)


def test_an_agent_never_sees_the_facts() -> None:
    seen = Observation("o", ("i",), ("a",), {"secret": 1}).seen()
    assert seen == Observation("o", ("i",), ("a",))


@pytest.mark.parametrize(("info", "success"), [({"success": True}, True), ({"success": 0}, False), ({}, None)])
def test_success_is_what_the_last_step_says(info: dict[str, object], success: bool | None) -> None:
    assert make(info=info).success is success


def test_a_trajectory_without_steps_has_no_success_and_no_reward() -> None:
    empty = Trajectory("a", Task("t", "e", 0, Goal("g")), (), Observation("o"), "explore")
    assert empty.success is None
    assert empty.total_reward == 0


@given(tasks)
def test_a_task_comes_back_from_its_json(task: Task) -> None:
    assert task_from_json(dataclasses.asdict(task)) == task


@given(st.text(max_size=400))
def test_records_are_shown_in_one_short_line_and_escaped_in_a_notebook(text: str) -> None:
    hostile = f"{text}<script>x</script>"
    seen = Observation(hostile, actions=("a", hostile))
    task = Task("t/1", "pathei/X-v0", 3, Goal(hostile, ({"text": hostile},)), {"scene": hostile})
    step = Step(seen, hostile, 0.5, info={"error": hostile})
    played = Trajectory("e1", task, (step,) * 60, seen, "explore")
    for record in (task, task.goal, seen, step, played, Failure(task, "step", hostile, played=played)):
        assert type(record).__name__ in repr(record)
        assert len(repr(record)) < 500
        assert "\n" not in repr(record)
        assert "<script>" not in record._repr_html_()
        assert "<table>" in record._repr_html_()
    assert "and 10 more steps" in played._repr_html_()
