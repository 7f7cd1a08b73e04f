"""The linear probe: what a linear reader of frozen features can tell, measured alike for every objective.

For pictures the labels are the words of the observation's own text (the goal's words left out): does the picture show
a `ball`, a `door`? For texts, an observation and the action that followed, the labels are the words that come and go:
what does the action do? The readers get few labelled examples, which is what pre-training is for: with many, random
features do nearly as well. The score is the area under the ROC curve, averaged over labels and over draws of the
labelled examples: 0.5 is chance. Labels come with the experience; no world is named here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ...errors import ConfigError
from .encoders import grey, layers_of_picture, layers_of_text, to_input
from .protocol import Objective
from .reader import ExperienceReader, Transcript

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_WORD: Final = re.compile(r"[a-z]{3,}")
_WORD_OR_NUMBER: Final = re.compile(r"[a-z]{3,}|\d+")
_RARE: Final = 0.05
"""A label is asked for if this share of the examples has it, and this share has not."""
_LABELLED: Final = 200
"""The number of labelled examples."""
_DRAWS: Final = 5
"""How many times they are drawn."""
_PENALTIES: Final = (1e-1, 1e0, 1e1, 1e2, 1e3, 1e4)
"""Ridge penalties, of which a quarter of the training examples chooses."""
_AT_ONCE: Final = 128


class ProbeExamples(NamedTuple):
    """Examples of one part of a store."""

    inputs: Any
    """Pictures `[n, size, size, 3]`, or a list of texts."""
    words: list[set[str]]
    """The labels of each, by name."""


def probe_examples(experience: ExperienceReader, modality: str, count: int, rng: np.random.Generator) -> ProbeExamples:
    """Draw examples with their labels; `rng` is consumed.

    Raises:
        ConfigError: there is none.
    """
    if modality != "text":
        experience.require_frames(2)
        chosen = rng.permutation(len(experience.places))[:count]
        places = [experience.places[n] for n in chosen]
        return ProbeExamples(experience.pictures(places), [_words_at(experience, *place) for place in places])
    moments = [(n, t) for n, one in enumerate(experience.episodes) for t in range(one.steps)]
    chosen = rng.permutation(len(moments))[:count]
    scripts = [(experience.transcript(moments[n][0]), moments[n][1]) for n in chosen]
    texts = [f"{one.observations[t]} > {one.actions[t]}" for one, t in scripts]
    return ProbeExamples(texts, [_changed_words(one, t) for one, t in scripts])


def probe(encoder: PreTrainedModel, objective: Objective, train: ProbeExamples, test: ProbeExamples) -> float:
    """Return the mean area under the ROC curve of ridge regressions on frozen features.

    Args:
        encoder: As `AutoModel.from_pretrained` loads it.
        objective: Whose encoder it is: it says how pictures are shown, or holds the tokenizer.
        train: Of these some are drawn to fit the regressions.
        test: What they are asked.

    Raises:
        ConfigError: no label is common enough in both.
    """
    known, asked = (encoded(encoder, objective, one.inputs) for one in (train, test))
    count = min(_LABELLED, len(known))
    found = []
    for n in range(_DRAWS):
        drawn = np.random.default_rng(n).choice(len(known), count, replace=False)
        found.append(linear_probe([known[drawn], asked], [train.words[k] for k in drawn], test.words))
    return float(np.mean(found))


def linear_probe(
    features: Sequence[np.ndarray[Any, Any]], train: Sequence[set[str]], test: Sequence[set[str]]
) -> float:
    """Return what `probe` does, of features `[n, width]` of the training examples and of those that are asked.

    Raises:
        ConfigError: no label is common enough in both.
    """
    common = [name for name, n in Counter(w for one in train for w in one).items() if _usable(n, len(train))]
    held = Counter(w for one in test for w in one)
    names = sorted(name for name in common if 0 < held[name] < len(test))
    if not names:
        raise ConfigError("The probe has nothing to ask: no label is common enough; collect more episodes.")
    labels = [np.array([[name in one for name in names] for one in part], np.float64) for part in (train, test)]
    mean, spread = features[0].mean(0), features[0].std(0) + 1e-6
    x, asked = ((one - mean) / spread for one in features)
    fit = 3 * len(x) // 4
    scores = [auc(_ridge(x[:fit], labels[0][:fit], penalty, x[fit:]), labels[0][fit:]) for penalty in _PENALTIES]
    return auc(_ridge(x, labels[0], _PENALTIES[int(np.argmax(scores))], asked), labels[1])


def encoded(encoder: PreTrainedModel, objective: Objective, inputs: Any) -> np.ndarray[Any, Any]:
    """Return the features of pictures `[n, size, size, 3]` or of texts, `[n, width]`."""
    import torch

    rows = []
    with torch.no_grad():
        for start in range(0, len(inputs), _AT_ONCE):
            part = inputs[start : start + _AT_ONCE]
            if objective.modality == "text":
                found = _pooled_texts(encoder, objective, part)
            else:
                pixels = to_input(part).to(encoder.device)
                found = layers_of_picture(encoder, grey(pixels) if objective.is_grey else pixels)
            rows.append(found.float().cpu().numpy())
    return np.concatenate(rows)


def auc(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """Return the mean area under the ROC curve over the labels, 0 or 1, that some examples have and others have not.

    Both arrays have the shape `[n, labels]`.
    """
    found = []
    for score, label in zip(scores.T, labels.T, strict=True):
        positive = label.sum()
        if 0 < positive < len(label):
            _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
            ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # ties share their mean rank
            wins = ranks[label == 1].sum() - positive * (positive + 1) / 2
            found.append(wins / (positive * (len(label) - positive)))
    return float(np.mean(found)) if found else 0.5


def _pooled_texts(encoder: Any, objective: Any, texts: Sequence[str]) -> Any:
    made = objective.tokenizer(list(texts), truncation=True, padding=True, return_tensors="pt").to(encoder.device)
    return layers_of_text(encoder, made["input_ids"], made["attention_mask"])


def _ridge(x: Any, y: Any, penalty: float, asked: Any) -> np.ndarray[Any, Any]:
    x, asked = x.astype(np.float64), asked.astype(np.float64)
    centre = y.mean(0)
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (y - centre))
    return np.asarray(asked @ weights + centre)


def _words_at(experience: ExperienceReader, episode: int, moment: int) -> set[str]:
    script = experience.transcript(episode)
    return set(_WORD.findall(script.observations[moment].replace(script.goal, " ").lower()))


def _changed_words(script: Transcript, moment: int) -> set[str]:
    """Return the words and numbers that come (`+ball`) and go (`-3`) with an action."""
    before, after = (set(_WORD_OR_NUMBER.findall(script.observations[t].lower())) for t in (moment, moment + 1))
    return {f"+{word}" for word in after - before} | {f"-{word}" for word in before - after}


def _usable(count: int, of: int) -> bool:
    return _RARE * of <= count <= (1 - _RARE) * of
