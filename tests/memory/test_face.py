"""The face of `pathei.memory`: its names exist, are documented, and cost nothing until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pathei.memory
from pathei.errors import UnknownNameError


def test_every_name_of_the_face_exists_and_is_documented() -> None:
    assert sorted(pathei.memory.__all__) == dir(pathei.memory)
    for name in pathei.memory.__all__:
        assert getattr(pathei.memory, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'open_memori'"):
        _ = pathei.memory.open_memori


def test_the_face_imports_nothing_until_it_is_used() -> None:
    check = "import sys, pathei.memory; assert not {'numpy', 'faiss', 'gymnasium'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_embedders_and_builders_have_names_with_suggestions() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ngrams'"):
        pathei.memory.make_embedder("ngram")
    with pytest.raises(UnknownNameError, match="did you mean 'lessons'"):
        pathei.memory.make_builder("lesson")
