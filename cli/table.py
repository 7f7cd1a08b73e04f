"""The table of commands: which class describes each and which function performs it, all imported when it is asked for.

`pathei --help` thereby imports no command, and a command only its own. Not here: the classes (`commands` and the
other modules named so), whose docstrings are the help texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import make_dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any, Final, Union

from tyro.conf import subcommand

COMMANDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "demo": (
            "commands:Demo",
            "The tour: agents act in generated houses, their experience is stored, and a small loop learns from it.",
        ),
        "run": ("commands:Run", "Watch an agent act."),
        "collect": ("collect_commands:Collect", "Play many tasks into a store."),
        "plan": ("commands:Plan", "Watch one search: find a plan for an instruction, show the tree, and do it."),
        "store": ("commands:Store", "What was collected."),
        "view": (
            "commands:View",
            "Look at a store in a browser, step by step, or write its episodes into one HTML file.",
        ),
        "verify": (
            "commands:Verify",
            "Do every episode of a result file again, and say what the agent has reached and what it took.",
        ),
        "serve": (
            "commands:Serve",
            "Let a program of others play an environment, over a protocol or in files that it knows.",
        ),
        "memory": (
            "memory.commands:MemoryGroup",
            "Build, query and maintain an external memory: episodes, skills and facts.",
        ),
        "corpora": (
            "learning.commands:Corpora",
            "Generate question-answer training and evaluation sets from a store.",
        ),
        "fisher": ("learning.commands:Fisher", "Estimate which weights what a model knows depends on."),
        "learn": ("learning.commands:Learn", "Tune a language model on experience, and keep what it knew."),
        "pretrain": (
            "learning.commands:Pretrain",
            "Learn to see or to read from collected experience, without labels.",
        ),
        "eval": ("learning.commands:Eval", "Ask tuned models what was held out, and measure what they forgot."),
        "loop": (
            "learning.commands:Loop",
            "Collect, learn, and collect again with the better agent, measured on held-out tasks.",
        ),
        "env": ("commands:Env", "Environments."),
        "list": (
            "plugins.commands:ListParts",
            "List the parts of one kind by name, those of other installed packages included.",
        ),
        "check-env": (
            "plugins.commands:CheckEnv",
            "Check an environment: gymnasium's contract, pathei's conventions, and snapshots.",
        ),
        "new": (
            "plugins.commands:NewPart",
            "Write the skeleton of a package that adds a part: `pathei new env NAME`.",
        ),
        "data": ("commands:Data", "Public data sets."),
    }
)
"""Each command's class, and the first sentence of its docstring."""

PERFORMED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "EnvList": "worlds:env_list",
        "EnvDoctor": "worlds:env_doctor",
        "EnvInstall": "worlds:env_install",
        "DataList": "worlds:data_list",
        "DataGet": "worlds:data_get",
        "Run": "worlds:run",
        "Plan": "worlds:plan",
        "Collect": "collecting:collect",
        "Verify": "sharing:verify",
        "Serve": "sharing:serve",
        "Demo": "tour:demo",
        "Corpora": "learning.learn:corpora",
        "Fisher": "learning.learn:fisher",
        "Learn": "learning.learn:learn",
        "Pretrain": "learning.pretrain:pretrain",
        "Eval": "learning.learn:evaluate",
        "StoreSummary": "stores:store_info",
        "StoreShow": "stores:store_show",
        "StoreVerify": "stores:store_verify",
        "StoreSalvage": "stores:store_salvage",
        "StoreMerge": "stores:store_merge",
        "StoreExport": "stores:store_export",
        "StoreImport": "stores:store_import",
        "StoreCard": "stores:store_card",
        "StorePush": "stores:store_push",
        "View": "stores:view",
        "Loop": "learning.loop:loop",
        "ListParts": "plugins.perform:list_parts",
        "CheckEnv": "plugins.perform:check_env",
        "NewPart": "plugins.perform:new_env",
        "MemoryBuild": "memory.change:build",
        "MemoryQuery": "memory.ask:query",
        "MemoryList": "memory.ask:list_items",
        "MemoryShow": "memory.ask:show",
        "MemoryIndexFrames": "memory.frames:index_frames",
        "MemoryFindFrames": "memory.frames:find_frames",
        "MemoryStats": "memory.ask:stats",
        "MemoryAdd": "memory.change:add",
        "MemoryUpdate": "memory.change:update",
        "MemoryForget": "memory.change:forget",
        "MemoryPurge": "memory.change:purge",
        "MemoryFeedback": "memory.change:feedback",
        "MemoryConsolidate": "memory.change:consolidate",
        "MemoryCompact": "memory.change:compact",
        "MemoryCheck": "memory.ask:check",
        "MemoryReembed": "memory.change:reembed",
        "MemoryExport": "memory.ask:export",
        "MemoryImport": "memory.change:import_items",
        "MemoryServe": "memory.ask:serve",
    }
)
"""The function that performs a command, by the name of the command's class."""


def load(target: str) -> Any:
    """Return what `module:attribute` names in this package."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(f".{module}", __package__), attribute)


def names_only() -> Any:
    """Return a form of all commands for tyro that knows their names and first lines, and none of their options."""
    stubs = (
        Annotated[make_dataclass(name, (), namespace={"__doc__": what}), subcommand(name)]
        for name, (_, what) in COMMANDS.items()
    )
    return Union[tuple(stubs)]  # noqa: UP007  # made at run time


def whole() -> Any:
    """Return a form of all commands with all their options, for the reference page and the tests of the docs."""
    forms = (Annotated[load(target), subcommand(name)] for name, (target, _) in COMMANDS.items())
    return Union[tuple(forms)]  # noqa: UP007  # made at run time
