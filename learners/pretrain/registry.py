"""The objectives by name. Other packages add rows through the Python entry point group `pathei.objectives`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...registry import Lazy, Registry
from .config import PretrainConfig
from .protocol import Objective
from .reader import ExperienceReader

MakeObjective = Callable[[ExperienceReader, PretrainConfig], Objective]
"""Makes an objective from the training part of a store and the run's configuration."""
_HERE: Final = f"{__package__}.objectives"

OBJECTIVES: Final[Registry[MakeObjective]] = Registry(
    "objective",
    {
        "masked-language": Lazy(f"{_HERE}.masked_language:MaskedLanguage", "fill in masked words of transcripts"),
        "sentence-pairs": Lazy(f"{_HERE}.sentence_pairs:SentencePairs", "does this observation follow that one"),
        "masked-image": Lazy(f"{_HERE}.masked_image:MaskedImage", "fill in masked patches of frames (MAE)"),
        "relative-position": Lazy(f"{_HERE}.relative_position:RelativePosition", "where one patch lies from another"),
        "colorization": Lazy(f"{_HERE}.colorization:Colorization", "the colours of a grey frame"),
        "exemplars": Lazy(f"{_HERE}.exemplars:Exemplars", "which frame a distorted view is of"),
        "order": Lazy(f"{_HERE}.order:SequenceOrder", "whether three frames are in order"),
        "arrow-of-time": Lazy(f"{_HERE}.order:ArrowOfTime", "whether a clip runs forward"),
        "tracking": Lazy(f"{_HERE}.tracking:Tracking", "copy colours from an earlier frame to follow things"),
    },
)
"""What makes each objective."""
