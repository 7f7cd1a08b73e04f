"""How likely continuations of a prompt are: the prompt is run once, and all continuations in one more forward pass.

The continuations of a prompt form a tree of tokens, in which a common beginning stands once. The tree is laid out in
one row behind the prompt's key-value cache, with an attention mask by which each token sees the prompt and its own
ancestors only (as in tree attention: Miao et al. 2024, SpecInfer, section 4). Several prompts are rows of one batch,
padded on the left. `one_by_one` is the plain way, without cache or tree, for models that cannot do this and for tests.
"""

from __future__ import annotations

import copy
import heapq
import inspect
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    import torch
    from torch import nn

Ids = Sequence[int]
Logs = list[tuple[float, ...]]
"""Natural log-probability of each token of each continuation."""


class TokenRows(NamedTuple):
    """Prompts that were run: what the next forward pass needs."""

    cache: Any
    """The key-value cache of transformers."""
    logits: torch.Tensor
    """What follows each prompt, shape `[B, V]`."""
    mask: torch.Tensor
    """1 for a token of a prompt, 0 for padding on its left, shape `[B, P]`."""


class TokenTree(NamedTuple):
    """Continuations with their common beginnings merged."""

    tokens: list[int]
    """Token id of each node, parents first, shape `[N]`."""
    parents: list[int]
    """The node before each node; -1 where that is the prompt's end."""
    paths: list[tuple[int, ...]]
    """The nodes of each continuation."""


def tree_of(continuations: Sequence[Ids]) -> TokenTree:
    """Merge the common beginnings of continuations."""
    known: dict[tuple[int, int], int] = {}
    tree = TokenTree([], [], [])
    for ids in continuations:
        at, path = -1, []
        for token in ids:
            node = known.get((at, token))
            if node is None:
                node = known[at, token] = len(tree.tokens)
                tree.tokens.append(token)
                tree.parents.append(at)
            path.append(node)
            at = node
        tree.paths.append(tuple(path))
    return tree


def run_prompts(model: nn.Module, prompts: Sequence[Ids], pad: int) -> TokenRows:
    """Run prompts through a model, and keep the cache.

    Args:
        model: A causal language model of transformers, in evaluation mode.
        prompts: Token ids, none empty.
        pad: Any token id; it is masked.
    """
    import torch

    device = next(model.parameters()).device
    longest = max(map(len, prompts))
    ids = torch.tensor([[pad] * (longest - len(row)) + list(row) for row in prompts], device=device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in prompts], device=device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    last = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}
    # Without padding the mask says nothing, and models know faster ways without it.
    seen = {} if bool(mask.all()) else {"attention_mask": mask}
    out = model(input_ids=ids, position_ids=positions, use_cache=True, **seen, **last)
    return TokenRows(cache_of(out), out.logits[:, -1], mask)


def behind(model: nn.Module, cache: Any) -> dict[str, Any]:
    """Return the arguments with which a model goes on behind a cache, and adds to it."""
    name = "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
    return {name: cache, "use_cache": True}


def cache_of(out: Any) -> Any:
    """Return the cache in a model's output, by the name that this version of transformers gives it."""
    cache = getattr(out, "cache", None)
    return out.past_key_values if cache is None else cache


def shared_prefix(model: nn.Module, prompts: Sequence[Ids], options: Sequence[Sequence[Ids]], pad: int) -> list[Logs]:
    """Return the log-probabilities of continuations, common beginnings computed once.

    Args:
        model: A causal language model of transformers that takes a 4D attention mask, in evaluation mode.
        prompts: Token ids of each prompt, none empty, shape `[B][P]`.
        options: Token ids of the continuations of each prompt, none empty, shape `[B][O][T]`.
        pad: Any token id; it is masked.

    Returns:
        For each prompt and continuation the log-probability of each token, in nats, shape `[B][O][T]`.
    """
    import torch

    rows = run_prompts(model, prompts, pad)
    first = torch.log_softmax(rows.logits.float(), -1)
    parts = list(_parts(options, rows.mask.shape[1]))
    found: list[Logs] = [[] for _ in prompts]
    for place, part in enumerate(parts):
        trees = [tree_of(ids) for ids in part]
        if all(parent < 0 for tree in trees for parent in tree.parents):
            after = first  # options of one token each follow from the prompt alone
        else:
            cache = rows.cache if place == len(parts) - 1 else copy.deepcopy(rows.cache)
            after = _run_trees(model, trees, rows._replace(cache=cache), pad)
        for row, tree in enumerate(trees):
            found[row] += _read(tree, first[row], after[row])
    return found


class PromptCache:
    """The last prompts that were run, so that one which goes on behind another is run from there on."""

    def __init__(self) -> None:
        """Begin empty."""
        self._known: list[tuple[int, tuple[int, ...], TokenRows]] = []

    def run(self, model: nn.Module, prompt: Ids, pad: int) -> TokenRows:
        """Return a prompt that was run, as `run_prompts` does; its cache must not be added to."""
        import torch

        weights = sum(one._version for one in model.parameters())
        ids = tuple(prompt)
        self._known = [one for one in self._known if one[0] == weights][-_PROMPTS:]
        found = max(
            (one for one in self._known if ids[: len(one[1])] == one[1]), key=lambda one: len(one[1]), default=None
        )
        if found is None:
            rows = run_prompts(model, [ids], pad)
        elif found[1] == ids:
            return found[2]
        else:
            self._known.remove(found)
            begun, rest = found[2], ids[len(found[1]) :]
            device = begun.mask.device
            mask = torch.cat([begun.mask, begun.mask.new_ones(1, len(rest))], 1)
            out = model(
                input_ids=torch.tensor([rest], device=device),
                attention_mask=mask,
                position_ids=torch.arange(len(found[1]), len(ids), device=device)[None],
                **behind(model, begun.cache),
            )
            rows = TokenRows(cache_of(out), out.logits[:, -1], mask)
        self._known.append((weights, ids, rows))
        return rows


def likeliest(
    model: nn.Module, prompt: Ids, options: Sequence[Ids], pad: int, known: PromptCache | None = None
) -> tuple[int, tuple[float, ...]]:
    """Return the place of the likeliest continuation, and the log-probability of each of its tokens, in nats.

    No continuation is likelier than its beginning. So the tree of their tokens is searched best first, the likeliest
    beginnings of a round in one forward pass, until none is left that could win: most are never run.

    Args:
        model: See `shared_prefix`.
        prompt: Token ids, at least one.
        options: Token ids of the continuations, none empty, at least one.
        pad: Any token id; it is masked.
        known: Prompts that were run before, to go on behind one of them.
    """
    import torch

    rows = (known or PromptCache()).run(model, prompt, pad)
    first = torch.log_softmax(rows.logits.float(), -1)[0]
    search = _TreeSearch(tree_of(options))
    search.reach(-1, first)
    while some := search.next():
        nodes = search.nodes_for(some)
        place = {node: at for at, node in enumerate(nodes)}
        parents = [place.get(search.tree.parents[node], -1) for node in nodes]
        part = TokenTree([search.tree.tokens[node] for node in nodes], parents, [])
        after = _run_trees(model, [part], rows._replace(cache=copy.deepcopy(rows.cache)), pad)[0]
        logs = torch.log_softmax(after.float(), -1)
        for node in sorted(set(search.below(some))):
            search.reach(node, logs[place[node]])
    return search.best, tuple(search.logs[node] for node in search.tree.paths[search.best])


class _TreeSearch:
    """Which beginnings of continuations to run next, best first."""

    def __init__(self, tree: TokenTree) -> None:
        self.tree = tree
        self.logs: dict[int, float] = {}
        """Log-probability of each node that was reached, given its parents."""
        self.best = -1
        self._children: dict[int, list[int]] = {}
        for node, parent in enumerate(tree.parents):
            self._children.setdefault(parent, []).append(node)
        self._ends: dict[int, int] = {}
        for place, path in enumerate(tree.paths):
            self._ends.setdefault(path[-1], place)
        self._sums: dict[int, float] = {-1: 0.0}
        self._open: list[tuple[float, int]] = []
        self._highest = -math.inf

    def reach(self, node: int, logs: torch.Tensor) -> None:
        """Take in the log-probabilities `[V]` of what follows a node."""
        children = self._children.get(node, [])
        for child, log in zip(children, logs[[self.tree.tokens[child] for child in children]].tolist(), strict=True):
            self.logs[child], self._sums[child] = log, self._sums[node] + log
            place = self._ends.get(child)
            if place is not None and (self._sums[child], -place) > (self._highest, -self.best):
                self.best, self._highest = place, self._sums[child]
            if child in self._children:
                heapq.heappush(self._open, (-self._sums[child], child))

    def next(self) -> list[int]:
        """Return the likeliest nodes behind which something may still win; empty at the end."""
        some: list[int] = []
        while self._open and len(some) < _TOGETHER:
            bound, node = heapq.heappop(self._open)
            if -bound <= self._highest:
                break
            if not any(child in self._sums for child in self._children[node]):
                some.append(node)
        return some

    def below(self, some: Iterable[int]) -> Iterator[int]:
        """Yield nodes, and what follows them without a choice: it is run along with them."""
        for node in some:
            yield node
            while len(following := self._children[node]) == 1 and following[0] in self._children:
                node = following[0]
                yield node

    def nodes_for(self, some: Sequence[int]) -> list[int]:
        """Return what has to be run to know what follows some nodes: their parents first."""
        needed = set(self.below(some))
        for node in some:
            while (node := self.tree.parents[node]) >= 0:
                needed.add(node)
        return sorted(needed)


_PROMPTS: Final = 4
"""How many prompts are kept."""
_TOGETHER: Final = 3
"""Beginnings that are run together: more save few passes, and on a processor each of their tokens is paid for."""


def one_by_one(model: nn.Module, prompts: Sequence[Ids], options: Sequence[Sequence[Ids]]) -> list[Logs]:
    """Return the same as `shared_prefix`, with one forward pass for each prompt and continuation."""
    import torch

    device = next(model.parameters()).device
    found: list[Logs] = []
    for prompt, continuations in zip(prompts, options, strict=True):
        logs: Logs = []
        for ids in continuations:
            whole = torch.tensor([[*prompt, *ids]], device=device)
            said = torch.log_softmax(model(input_ids=whole, use_cache=False).logits[0].float(), -1)
            targets = whole[0, len(prompt) :, None]
            logs.append(tuple(said[len(prompt) - 1 : -1].gather(1, targets)[:, 0].tolist()))
        found.append(logs)
    return found


_NODES = 1024
"""The approximate maximum number of nodes of a tree for one forward pass: the logits of each take memory."""


def _parts(options: Sequence[Sequence[Ids]], longest: int) -> Iterator[list[Sequence[Ids]]]:
    """Divide the continuations of all prompts into parts that fit into one forward pass, in order."""
    begins = [0] * len(options)
    while any(begin < len(one) for begin, one in zip(begins, options, strict=True)):
        part = []
        for row, one in enumerate(options):
            begin, end, size = begins[row], begins[row], 0
            while end < len(one) and (end == begin or size + len(one[end]) <= max(_NODES, longest)):
                size += len(one[end])
                end += 1
            part.append(one[begin:end])
            begins[row] = end
        yield part


def _run_trees(model: nn.Module, trees: Sequence[TokenTree], rows: TokenRows, pad: int) -> torch.Tensor:
    """Run one tree per row, and return the logits of what follows each node, shape `[B, N, V]`."""
    import torch

    count, (batch, longest) = max(len(tree.tokens) for tree in trees), rows.mask.shape
    ids = torch.full((batch, count), pad)
    depths = torch.zeros((batch, count), dtype=torch.long)
    sees = torch.eye(count, dtype=torch.bool).repeat(batch, 1, 1)
    for row, tree in enumerate(trees):
        ids[row, : len(tree.tokens)] = torch.tensor(tree.tokens, dtype=torch.long)
        for node, parent in enumerate(tree.parents):
            if parent >= 0:
                sees[row, node] |= sees[row, parent]
                depths[row, node] = depths[row, parent] + 1
    device = rows.mask.device
    prompt = rows.mask.bool()[:, None, :].expand(batch, count, longest)
    allowed = torch.cat([prompt, sees.to(device)], 2)[:, None]
    dtype = next(model.parameters()).dtype
    mask = torch.zeros(allowed.shape, dtype=dtype, device=device).masked_fill(~allowed, torch.finfo(dtype).min)
    positions = rows.mask.sum(1, keepdim=True) + depths.to(device)
    out = model(
        input_ids=ids.to(device),
        attention_mask=mask,
        position_ids=positions,
        **behind(model, rows.cache),
    )
    return cast("torch.Tensor", out.logits)


def _read(tree: TokenTree, first: torch.Tensor, after: torch.Tensor) -> Logs:
    """Pick the log-probability of each node, given what follows its parent, and arrange them by continuation."""
    import torch

    tokens = torch.tensor(tree.tokens, dtype=torch.long, device=first.device)
    parents = torch.tensor(tree.parents, dtype=torch.long, device=first.device)
    logs = first[tokens]
    inner = parents >= 0
    if bool(inner.any()):
        said = after[parents[inner]].float()
        logs[inner] = said.gather(1, tokens[inner, None])[:, 0] - said.logsumexp(-1)
    values = logs.tolist()
    return [tuple(values[node] for node in path) for path in tree.paths]
