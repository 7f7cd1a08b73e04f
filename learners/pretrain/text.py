"""Transcripts as tokens: a WordPiece tokenizer that is trained on a store's own words, as BERT's was on its books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from .reader import ExperienceReader

_SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_EPISODES: Final = 2_000
"""The number of episodes that the tokenizer is trained on."""


def train_tokenizer(experience: ExperienceReader, vocabulary: int, longest: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer for the transcripts of a store."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    count = min(_EPISODES, len(experience.episodes))
    texts = (experience.transcript(n).text for n in range(count))
    made.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=list(_SPECIAL), show_progress=False)
    )
    made.post_processor = processors.BertProcessing(
        ("[SEP]", _SPECIAL.index("[SEP]")), ("[CLS]", _SPECIAL.index("[CLS]"))
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), _SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=longest, **names)  # type: ignore[no-untyped-call]


def windows(tokenizer: PreTrainedTokenizerFast, experience: ExperienceReader, episode: int) -> np.ndarray[Any, Any]:
    """Return the ids of one episode's transcript, without special tokens, shape `[tokens]`."""
    ids = tokenizer.backend_tokenizer.encode(experience.transcript(episode).text, add_special_tokens=False).ids
    return np.array(ids, np.int64)
