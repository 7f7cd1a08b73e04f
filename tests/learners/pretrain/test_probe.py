"""The probe: its score against counting pairs, and that it finds what features hold and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pathei.errors import ConfigError
from pathei.learners.pretrain.probe import _changed_words, auc, linear_probe
from pathei.learners.pretrain.reader import Transcript


@given(arrays(np.int64, (12, 1), elements=st.integers(-3, 3)), arrays(np.int64, (12, 1), elements=st.integers(0, 1)))
def test_the_area_is_the_share_of_pairs_in_order(scores: np.ndarray, labels: np.ndarray) -> None:
    pairs = [
        (one > other) + 0.5 * (one == other)
        for one, yes in zip(scores[:, 0], labels[:, 0], strict=True)
        for other, no in zip(scores[:, 0], labels[:, 0], strict=True)
        if yes and not no
    ]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs) if pairs else 0.5)


def test_the_probe_reads_what_features_hold() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=(2, 200))
    words = [[{"ball"} if one else set[str]() for one in row] for row in labels]
    known = [np.stack([row + 0.01 * rng.normal(size=200), rng.normal(size=200)], 1) for row in labels]
    unknown = list(rng.normal(size=(2, 200, 2)))
    assert linear_probe(known, *words) == 1
    assert linear_probe(unknown, *words) == pytest.approx(0.5, abs=0.15)


def test_without_a_common_label_there_is_nothing_to_ask() -> None:
    with pytest.raises(ConfigError, match="no label is common enough"):
        linear_probe(list(np.zeros((2, 50, 2))), [{"wall"}] * 50, [{"wall"}] * 50)


def test_the_labels_of_a_text_are_what_its_action_changes() -> None:
    script = Transcript("find it", ("You see 3 balls.", "You see 2 balls and a Box."), ("take one",))
    assert _changed_words(script, 0) == {"+2", "+and", "+box", "-3"}
