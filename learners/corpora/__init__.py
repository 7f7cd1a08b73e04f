"""Training and evaluation examples made of lived experience: see `docs/corpora.md`."""

from .building import build_corpora
from .config import KINDS, CorpusConfig

__all__ = ["KINDS", "CorpusConfig", "build_corpora"]
