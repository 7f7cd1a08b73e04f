"""A limit on processor time."""

import time

from pathei.collectors.search.deadline import Deadline


def test_without_a_limit_there_is_no_end() -> None:
    assert not Deadline(None).passed()


def test_it_passes_by_processor_time_and_stays_passed() -> None:
    deadline, begin = Deadline(0.02), time.process_time()
    assert not deadline.passed()
    while not deadline.passed():
        assert time.process_time() - begin < 10
    assert time.process_time() - begin >= 0.02
    assert deadline.passed()
    assert deadline.passed()
