"""The learning methods by name; names are joined by `+`: `"ewc+replay"`.

Every module of this folder that defines `METHODS` is found here, so a new method needs no change in this file. Other
packages add rows through the Python entry point group `pathei.methods`.
Not here: the methods themselves, and what they need beforehand (reference text, Fisher information), which
`finetuning` prepares.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigError
from ...registry import Registry
from .protocol import Method, MethodContext, Regularizer


def _find_methods() -> Iterator[Method]:
    """Yield the methods of all modules in this folder."""
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if info.name != "registry":
            yield from getattr(importlib.import_module(f".{info.name}", __package__), "METHODS", ())


METHODS: Final[Registry[Method]] = Registry(
    "method",
    {method.name: method for method in sorted(_find_methods(), key=lambda one: (one.config is not None, one.name))},
)
"""The methods: those without a configuration first, then by the alphabet."""

_ALL: Final = [METHODS.get(name) for name in METHODS.names()]
METHOD_HELP: Final = "; ".join(f"{method.name}: {method.what}" for method in _ALL)
"""One line per method, for help texts."""


if TYPE_CHECKING:

    @dataclass(frozen=True)
    class MethodConfigs:
        """The configuration of every method, each in a field of the method's name (`-` becomes `_`)."""

        def __init__(self, **configs: Any) -> None: ...

        def __getattr__(self, name: str) -> Any: ...

else:
    MethodConfigs = dataclasses.make_dataclass(
        "MethodConfigs",
        [
            (method.group, method.config, dataclasses.field(default_factory=method.config))
            for method in _ALL
            if method.config is not None and not method.shares
        ],
        frozen=True,
        namespace={"__module__": __name__, "__doc__": "The configuration of every method."},
    )


def parse_methods(names: str) -> tuple[Method, ...]:
    """Return the methods of a combination, `"ewc+replay"`, in its order.

    Raises:
        ConfigError: one is named twice, or is no method.
        UnknownNameError: there is none of that name.
    """
    parts = [part.strip() for part in names.split("+")]
    if twice := [part for part in parts if parts.count(part) > 1]:
        raise ConfigError(f"The combination {names!r} names {twice[0]!r} twice: once is enough.")
    methods = tuple(METHODS.get(part) for part in parts)
    for name, method in zip(parts, methods, strict=True):
        if not isinstance(method, Method):
            raise ConfigError(f"{name!r} is no learning method: it has to name a Method, not {method!r:.80}.")
    return methods


def make_regularizers(
    methods: Sequence[Method], context: MethodContext, configs: MethodConfigs | None = None
) -> tuple[Regularizer, ...]:
    """Make the regularizers of some methods; plain fine-tuning has none.

    Args:
        methods: In the order in which they will add their gradients.
        context: What they are made from.
        configs: Their configurations; the defaults if None.

    Raises:
        LearningError: something that a method needs was not prepared.
    """
    configs = configs or MethodConfigs()
    return tuple(method.make(context, _config_of(method, configs)) for method in methods if method.make is not None)


def _config_of(method: Method, configs: MethodConfigs) -> Any:
    default = None if method.config is None else method.config()
    return getattr(configs, method.group, default)
