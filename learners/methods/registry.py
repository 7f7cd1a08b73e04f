"""The learning methods by name; names are joined by `+`: `"ewc+replay"`.

Every module of this folder that defines `METHODS` is found here, so a new method needs no change in this file.
Not here: the methods themselves, and what they need beforehand (reference text, Fisher information), which
`finetuning` prepares.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigError, unknown
from .protocol import Method, MethodContext, Regularizer


def _find_methods() -> Iterator[Method]:
    """Yield the methods of all modules in this folder."""
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if info.name != "registry":
            yield from getattr(importlib.import_module(f".{info.name}", __package__), "METHODS", ())


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {method.name: method for method in sorted(_find_methods(), key=lambda one: (one.config is not None, one.name))}
)
"""All methods by name: those without a configuration first, then by the alphabet."""

METHOD_HELP: Final = "; ".join(f"{method.name}: {method.what}" for method in METHODS.values())
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
            for method in METHODS.values()
            if method.config is not None and not method.shares
        ],
        frozen=True,
        namespace={"__module__": __name__, "__doc__": "The configuration of every method."},
    )


def get_method(name: str) -> Method:
    """Return one method.

    Raises:
        UnknownNameError: there is none of that name; suggests the nearest.
    """
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]


def parse_methods(names: str) -> tuple[Method, ...]:
    """Return the methods of a combination, `"ewc+replay"`, in its order.

    Raises:
        ConfigError: one is named twice.
        UnknownNameError: there is none of that name.
    """
    parts = [part.strip() for part in names.split("+")]
    if twice := [part for part in parts if parts.count(part) > 1]:
        raise ConfigError(f"The combination {names!r} names {twice[0]!r} twice: once is enough.")
    return tuple(get_method(part) for part in parts)


def make_regularizers(
    methods: Sequence[Method], context: MethodContext, configs: MethodConfigs | None = None
) -> tuple[Regularizer, ...]:
    """Make the regularizers of some methods; plain fine-tuning has none.

    Args:
        methods: In the order in which they will add their gradients.
        context: What they are made from.
        configs: Their configurations; the defaults if None. A method of another package that is no field of it gets
            its default.

    Raises:
        LearningError: something that a method needs was not prepared.
    """
    configs = configs or MethodConfigs()
    return tuple(method.make(context, _config_of(method, configs)) for method in methods if method.make is not None)


def _config_of(method: Method, configs: MethodConfigs) -> Any:
    default = None if method.config is None else method.config()
    return getattr(configs, method.group, default)


__all__ = [
    "METHODS",
    "METHOD_HELP",
    "Method",
    "MethodConfigs",
    "MethodContext",
    "get_method",
    "make_regularizers",
    "parse_methods",
]
