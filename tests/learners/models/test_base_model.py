"""The embedded base: its text, that it is made once and whole or not at all, and models loaded by name."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.errors import DataError, ModelError
from pathei.learners.models.base import RECIPE_FILE, BaseRecipe, tiny_base
from pathei.learners.models.load import context_of, load_model
from pathei.learners.models.stdlib_text import is_held_out, sources_hash, stdlib_text
from pathei.tests.support.tiny_language import small_model

pytest.importorskip("torch")

TINY = BaseRecipe(layers=1, width=32, heads=2, vocabulary=512, context=64, steps=4, batch=2, text=300)

LIBRARY = {
    "alpha.py": '"""Alpha is the first of the modules that are here."""\n\ndef f():\n    """Short."""\n',
    "beta/one.py": '"""Beta has a documentation string of its own, too."""\n',
    "beta/two.py": '"""Alpha is the first of the modules that are here."""\n',
    "test/unread.py": '"""This belongs to a test and is read by no one."""\n',
    "broken.py": '"""This one does not parse because of what follows."""\nprint "old"\n',
    "pydoc_data/topics.py": 'topics = {"if": "  The if statement decides which of two ways is gone.\\n"}\n',
}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A standard library of six files, and as many held-out modules as it takes."""
    held_out = [name for name in (f"module{n}" for n in range(100)) if is_held_out(name)][:2]
    files = LIBRARY | {f"{name}.py": f'"""{name} is kept for the evaluation of models."""\n' for name in held_out}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_documentation_strings_are_read_in_order_and_kept_apart(library: Path) -> None:
    texts = stdlib_text(library)
    assert set(texts.train) == {
        "Alpha is the first of the modules that are here.",
        "Beta has a documentation string of its own, too.",
        "The if statement decides which of two ways is gone.",
    }
    assert len(texts.held_out) == 2
    assert all("kept for the evaluation" in text for text in texts.held_out)
    assert list(texts.train[:2]) == sorted(texts.train[:2]), "files are read in the order of their names"


def test_the_hash_follows_the_sources(library: Path) -> None:
    before = sources_hash(library)
    assert sources_hash(library) == before
    (library / "alpha.py").write_text('"""Alpha has changed, and so has the length of the file."""')
    assert sources_hash(library) != before


def test_a_library_without_sources_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no documentation strings"):
        stdlib_text(tmp_path)


def test_this_library_is_large_and_its_parts_share_nothing() -> None:
    texts = stdlib_text()
    assert sum(map(len, texts.train)) > 1_000_000
    assert sum(map(len, texts.held_out)) > 50_000
    assert not set(texts.train) & set(texts.held_out)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def tiny(cache: Path) -> Path:
    """A model of the tiny recipe."""
    return tiny_base(cache, recipe=TINY)


def test_the_model_is_made_once(cache: Path, tiny: Path) -> None:
    told: list[tuple[int, int]] = []
    assert tiny_base(cache, lambda *step: told.append(step), TINY) == tiny
    assert told == [], "a second run trains nothing"
    other = BaseRecipe(**{**{name: getattr(TINY, name) for name in TINY.__slots__}, "steps": 2})
    assert tiny_base(cache, lambda *step: told.append(step), other) != tiny
    assert told == [(1, 2), (2, 2)]
    assert (tiny / RECIPE_FILE).is_file()


def test_the_recipe_decides_the_model(tmp_path: Path, tiny: Path) -> None:
    import torch

    again = tiny_base(tmp_path, recipe=TINY)
    assert again.name == tiny.name
    (first, _), (second, _) = load_model(tiny), load_model(again)
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4)
    assert (tiny / "tokenizer.json").read_bytes() == (again / "tokenizer.json").read_bytes()


def test_the_model_knows_its_own_shape(tiny: Path) -> None:
    model, tokenizer = load_model(tiny)
    assert not model.training
    assert context_of(model) == TINY.context
    assert context_of(model, limit=10) == 10
    assert len(tokenizer) == TINY.vocabulary
    assert tokenizer.pad_token == tokenizer.eos_token


@settings(max_examples=50)
@given(text=st.text())
def test_every_text_comes_back_from_its_tokens(text: str) -> None:
    _, tokenizer = small_model()
    written = text.encode("utf-8", "replace").decode()
    assert tokenizer.decode(tokenizer(written)["input_ids"]) == written


KILLED = """
import sys
from pathlib import Path
from pathei.learners.models.base import BaseRecipe, tiny_base
recipe = BaseRecipe(layers=1, width=32, heads=2, vocabulary=512, context=64, steps=10**6, batch=2, text=300)
tiny_base(Path(sys.argv[1]), lambda done, of: (Path(sys.argv[1]) / "begun").touch(), recipe)
"""


@pytest.mark.integration
def test_killing_the_training_leaves_nothing_half(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], env=os.environ | {"OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    assert (tmp_path / "begun").exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    whole = [path for path in tmp_path.iterdir() if path.is_dir() and not path.name.endswith(".making")]
    assert whole == []
    assert (tiny_base(tmp_path, recipe=TINY) / "model.safetensors").is_file(), "the lock died with its holder"


@pytest.mark.parametrize("name", ["./nowhere", "/no/where", "a/b/c"])
def test_a_folder_without_a_model_is_told(name: str) -> None:
    with pytest.raises(ModelError, match="There is no model at") as told:
        load_model(name)
    assert "tiny" in str(told.value)


def test_a_torn_model_is_told(tmp_path: Path, tiny: Path) -> None:
    for path in tiny.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="cannot be loaded as a causal language model"):
        load_model(tmp_path)


def test_a_device_that_is_not_there_is_told(tiny: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelError, match="cannot be put on 'cuda'"):
        load_model(tiny, "cuda")
