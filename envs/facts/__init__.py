"""The typed form of `info["facts"]`: entities, relations, states and what changed, for any environment that has them.

An environment with a graph puts these into `info["facts"]`, in plain JSON with whole numbers as ids:

after `reset`
    `{"graph": {"nodes": [[id, kind, [states]], ...], "edges": [[id, relation, id], ...], "rooms": [ids],
    "characters": [ids]}}`
after `step`
    `{"changes": [[sign, id, state], [sign, id, relation, id], ...]}`; the sign is `"+"` for what began and `"-"` for
    what ended.

It may add keys of its own. The relations that readers know are `INSIDE` (a room, or a container), `ON`, and `HOLDS`
(or `HOLDS_RH` and `HOLDS_LH`, one for each hand) from the character to what it holds; others are kept as they are.
`FactGraph` and `EpisodeFacts` read this form, `conditions` reads goals over it, `goals` checks them, and
`contradictions` refuses those that cannot hold.

Not here: words for any of it (`pathei.envs.verbalizer`).
"""

from .actions import Action, read_action, read_actor, script_parts
from .conditions import (
    EVERY,
    ActionPattern,
    ActionsCondition,
    Condition,
    ConditionJson,
    EdgeCondition,
    NodeCondition,
    NodeSelector,
    NotCondition,
    Weighted,
    parse_condition,
    parse_conditions,
    selectors_of,
)
from .contradictions import require_possible
from .episode import EpisodeFacts, FactStep
from .goals import holds, measure, progress, satisfied
from .graph import HOLDING, HOLDS, PASSING, Change, Entity, FactGraph, Location, read_changes, read_nodes
from .signatures import ROLES, YOU, ConditionSignature, read_condition

__all__ = [
    "EVERY", "HOLDING", "HOLDS", "PASSING", "ROLES", "YOU", "Action", "ActionPattern", "ActionsCondition", "Change",
    "Condition", "ConditionJson", "ConditionSignature", "EdgeCondition", "Entity", "EpisodeFacts", "FactGraph",
    "FactStep", "Location", "NodeCondition", "NodeSelector", "NotCondition", "Weighted", "holds", "measure",
    "parse_condition", "parse_conditions", "progress", "read_action", "read_actor", "read_changes", "read_condition",
    "read_nodes", "require_possible", "satisfied", "script_parts", "selectors_of",
]  # fmt: skip
