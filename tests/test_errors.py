"""Errors: a configuration's problems are reported all at once, and a wrong name suggests the right one."""

from types import SimpleNamespace

import pytest

from pathei.errors import ConfigError, at_least, check, unknown


def test_check_lists_every_broken_rule_and_no_other() -> None:
    with pytest.raises(ConfigError, match=r"^Invalid search: a must be 1; c must be 3\.$"):
        check({"a must be 1": False, "b must be 2": True, "c must be 3": False}, "search")


def test_check_accepts_rules_that_hold() -> None:
    check({"a must be 1": True}, "search")


@pytest.mark.parametrize("value", [0, float("nan"), float("inf")])
def test_at_least_refuses_what_is_below_its_bound_or_not_finite(value: float) -> None:
    assert at_least(SimpleNamespace(steps=value), steps=1) == {"steps must be at least 1": False}


@pytest.mark.parametrize("value", [1, 2.5, None])
def test_at_least_accepts_its_bound_and_none(value: float | None) -> None:
    assert at_least(SimpleNamespace(steps=value), steps=1) == {"steps must be at least 1": True}


def test_a_wrong_name_suggests_the_nearest_one() -> None:
    assert "did you mean 'replay'?" in str(unknown("method", "repaly", ["ewc", "replay"]))
