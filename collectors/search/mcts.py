"""Monte Carlo tree search over any deterministic model.

Kocsis & Szepesvari 2006 (UCT); Silver et al. 2017 (PUCT); Coulom 2007 and Couetoux et al. 2011 (progressive widening);
Childs et al. 2008 (transpositions); Winands et al. 2008 (solved nodes). One simulation walks down the tree, adds one
node, plays a rollout from there, and backs the discounted return up: G = reward + discount * G, one factor for each
step, whatever part of the walk it was on. A whole rollout that is the best walk so far becomes part of the tree.

Because the world is deterministic, the best walk ever seen is a plan, and a subtree that was searched to the end is
solved: it is not visited again, its exact value stands in for what visits to it would have returned, and a search
whose root is solved stops. A state that was reached before, no later, is not searched again; the tree first grows best
first for a while, and where no reward leads breadth first as well (`SearchConfig.prune`, `greedy`, `breadth`). Not
here: chance nodes and opponents.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...envs.model import Model
from ...errors import ContractError
from ...stable_random import StableRandom
from .config import SearchConfig
from .deadline import Deadline
from .frontier import BestFirst, Frontier, by_depth
from .tree import TreeEdge, TreeNode

Prior = Callable[[Sequence[Any]], Sequence[float]]
"""Given the admissible actions at the model's present state, their prior weights, each >= 0, shape `[actions]`."""

_SAME = 1e-9
"""Returns that differ by less are the same."""
Value = Callable[[], float]
"""The expected discounted return from the model's present state on."""


class SearchResult(NamedTuple):
    """What a search found."""

    plan: tuple[Any, ...]
    """The actions of the best walk seen, up to where its return was earned: a walk that ends in success before any
    other, then the greatest return, then the fewest steps. Empty where doing nothing is best, or nothing was found."""
    value: float
    """Its discounted return; -inf where a plan may not stop and no walk came to its end (see `SearchConfig.may_stop`).
    """
    success: bool | None
    """Whether the goal holds at the plan's end; None where the model cannot tell."""
    root: TreeNode
    """The tree; once it is solved `root.value` is the greatest return there is."""
    simulations: int
    """How many simulations this run did."""
    env_steps: int
    """How many transitions of the world it did, rollouts included."""
    seconds: float
    """How much processor time it took."""
    solved: bool
    """Whether the tree was searched to the end: within the horizon no walk earns more than `root.value`."""


class _Best:
    """The best walk so far."""

    __slots__ = ("plan", "rank", "success", "value")

    def __init__(self) -> None:
        self.plan: tuple[Any, ...] = ()
        self.value = -math.inf
        self.success: bool | None = None
        self.rank: tuple[bool, float, int] = (False, -math.inf, 0)


class Search:
    """One search tree over one model, from the state that the model is in now."""

    def __init__(
        self,
        model: Model[Any, Any],
        config: SearchConfig,
        rng: np.random.Generator,
        *,
        prior: Prior | None = None,
        value: Value | None = None,
    ) -> None:
        """Prepare a search.

        Args:
            model: The world; it is left at the root when `run` returns.
            config: How to search.
            rng: Decides ties, the order of untried actions, and rollouts; it is consumed.
            prior: Prior weights of admissible actions; uniform if None.
            value: The value of a leaf where no rollout is played, or where one is cut off; 0 if None.
        """
        self._model = model
        self._config = config
        self._draws = StableRandom(rng, 4096)
        self._prior = prior
        self._value = value
        self._pick = model.sample if prior is None or config.rollout == "random" else self._pick_by_prior
        self._table: dict[tuple[Hashable, int, bool], TreeNode] = {}
        self._low, self._high = math.inf, -math.inf
        self._best = _Best()
        self._floor = 0.0 if config.may_stop else -math.inf
        self._env_steps = 0
        self._step_limit, self._deadline = math.inf, Deadline(None)
        self._merge = config.prune
        self._prune = config.prune and config.may_stop
        self._likely: Callable[[], Hashable | None] | None = getattr(model, "likely_key", None)
        self._plant()

    def _plant(self) -> None:
        """Begin a tree at the state in which the model is."""
        self.root = TreeNode(self._model.snapshot(), 0, self._floor, solved=False)
        self._at: TreeNode | None = self.root
        """The node at which the model stands, if it stands at one."""
        self._first: dict[Hashable, TreeNode] = {}
        """The shallowest node of each state."""
        self._table.clear()
        exact = self._model.key()
        self._exact, self._guessed = exact is not None, False
        if self._merge and (key := self._key(exact)) is not None:
            self._first[key], self.root.key = self.root, key
        wide = self._config.breadth if self._first and self._prior is None else 0.0
        self._ratio = wide / (1 - wide)
        """How many transitions are made breadth first for each other one."""
        self._breadth, self._promising = Frontier(by_depth), BestFirst()
        if self._first and self._config.greedy:
            self._promising.add(self.root, ())
        if self._ratio:
            self._breadth.add(self.root, ())

    def _key(self, exact: Hashable | None) -> Hashable | None:
        """Return the state's key, or else, where states with equal observations are likely to be equal, theirs."""
        return exact if exact is not None or self._likely is None else self._likely()

    def run(self) -> SearchResult:
        """Simulate until the budget is spent, the root is solved, or success where that is enough.

        It may be called again: the tree grows on, with the whole budget again.
        """
        config, best = self._config, self._best
        begin, steps, done = time.process_time(), self._env_steps, 0
        self._deadline = Deadline(config.seconds)
        self._step_limit = math.inf if config.env_steps is None else steps + config.env_steps
        self._at = None
        try:
            if config.may_stop:
                self._go(self.root)
                self._offer([], [], 0.0)
            if self._promising:
                self._grow(self._promising, config.greedy)
                self._promising.clear()
            while (
                done < config.simulations
                and not self.root.solved
                and not (config.stop_on_success and best.success)
                and self._env_steps < self._step_limit
                and not self._deadline.passed()
            ):
                begun = self._env_steps
                self._simulate()
                done += 1
                if self._breadth:
                    self._broaden(self._ratio * (self._env_steps - begun))
                if self.root.solved and self._guessed:
                    self._plant_apart()
            if self.root.solved:
                self._offer_line([], self.root, 0.0, 1.0)
        finally:
            self._go(self.root)
        seconds, steps = time.process_time() - begin, self._env_steps - steps
        return SearchResult(best.plan, best.value, best.success, self.root, done, steps, seconds, self.root.solved)

    def score(self, node: TreeNode, edge: TreeEdge) -> float:
        """Return what selection compares: the worth of an edge of this node, in [0, 1], and its exploration term."""
        config = self._config
        if config.backup == "max":
            worth = self._scaled(edge.reward + config.discount * edge.child.best)
        else:
            worth = self._scaled(edge.total / edge.visits)
        if config.selection == "uct":
            return worth + config.exploration * math.sqrt(math.log(node.visits) / edge.visits)
        return worth + config.exploration * edge.prior * math.sqrt(node.visits) / (1 + edge.visits)

    def first_play_score(self, node: TreeNode) -> float:
        """Return the same for the next untried action of a node: without limit for UCT, by its prior for PUCT."""
        if self._config.selection == "uct" or not node.visits:
            return math.inf
        mean = sum(edge.total for edge in node.edges) / node.visits
        return self._scaled(mean) + self._config.exploration * node.priors[-1] * math.sqrt(node.visits)

    def _scaled(self, worth: float) -> float:
        spread = self._high - self._low
        return (worth - self._low) / spread if spread > 0 else 0.5

    # --- growing in another order than that of visits

    def _grow(self, frontier: Frontier, budget: float) -> bool:
        """Expand nodes in the order of a frontier, within a budget of transitions, unless a walk has succeeded.

        Best first, known values count as visits, and progress renews the budget. Returns whether no node is left.
        """
        best, until = self._best, min(self._step_limit, self._env_steps + budget)
        while frontier and self._env_steps < until and not self._deadline.passed():
            if best.success or (best.success is None and best.value > 0):
                frontier.clear()
                return False
            node, walk = frontier.pop()
            if node.untried is None:
                self._open(node)
            if not self._worth(node):
                continue
            if not node.untried:
                for edge in node.edges:
                    frontier.add(edge.child, (*walk, edge))
                continue
            edge = self._expand(node)
            further = (*walk, edge)
            if (self._config.may_stop and edge.reward > 0) or edge.child.solved:
                earned = sum(self._config.discount**place * edge.reward for place, edge in enumerate(further))
                self._offer([*further], [], earned)
            if isinstance(frontier, BestFirst):
                if edge.child.value > -math.inf:
                    self._back_up([*further], edge.child.value)
                if frontier.leads(edge):
                    until = min(self._step_limit, self._env_steps + budget)
            frontier.again(node, walk)
            frontier.add(edge.child, further)
        return not frontier and self._env_steps < self._step_limit

    def _worth(self, node: TreeNode) -> bool:
        """Whether something may be found at a node that is not found elsewhere."""
        first = self._first.get(node.key, node)
        better = first.depth <= node.depth and first.earned >= node.earned - _SAME
        return not node.solved and (first is node or (self._prune and not better))

    def _broaden(self, budget: float) -> None:
        """Grow breadth first; once all states were seen, nothing is left to find out, unless a plan may not stop."""
        if self._grow(self._breadth, budget) and self._config.may_stop:
            self.root.value, self.root.solved = max(self.root.value, self._best.value), True

    def _plant_apart(self) -> None:
        """Begin again without merging: all was seen, but states that look alike may differ."""
        self._go(self.root)
        self._merge = self._prune = False
        self._plant()

    # --- one simulation

    def _simulate(self) -> None:
        path: list[TreeEdge] = []
        node = self.root
        while not node.solved:
            if node.untried is None:
                self._open(node)
            edge = self._follow(node)
            if edge is None:  # nothing is admissible here, or all of it was solved by way of other nodes
                node.settle(self._config.discount)
                break
            if edge.child.dead and not edge.visits and self._env_steps < self._step_limit:
                continue
            path.append(edge)
            node = edge.child
            if not edge.visits:
                break
        before = self._best.rank
        value = self._leaf(node, path)
        if self._best.rank > before and not node.solved and self._config.rollout_steps is None:
            rest = self._best.plan[len(path) :]
            if self._env_steps + len(rest) <= self._step_limit:
                value = self._graft(path, node, rest) if rest else value
        self._back_up(path, value)

    def _graft(self, path: list[TreeEdge], node: TreeNode, rest: Sequence[Any]) -> float:
        """Add the rollout that is the best walk now to the tree and to the path: it is refined and not forgotten.

        Returns:
            What is certain from its end on.
        """
        for action in rest:
            edge = next((edge for edge in node.edges if edge.action == action), None)
            if edge is None:
                edge = self._expand(node, action)
            path.append(edge)
            node = edge.child
        return max(node.value, 0.0)

    def _go(self, node: TreeNode) -> None:
        """Bring the model to a node, if it is not there already."""
        if self._at is not node:
            self._at = None
            self._model.restore(node.state)
            self._at = node

    def _open(self, node: TreeNode) -> None:
        """List a node's actions when it is first looked at, the most likely last; chance decides between equals."""
        self._go(node)
        actions = list(self._model.actions())
        if self._prior is None:
            self._draws.shuffle(actions)
            node.priors = [1.0 / len(actions) for _ in actions]
        else:
            weights = self._weights(self._prior, actions)
            total = sum(weights)
            ranked = sorted((weight / total, self._draws.uniform(), i) for i, weight in enumerate(weights))
            actions = [actions[i] for _, _, i in ranked]
            node.priors = [weight for weight, _, _ in ranked]
        node.untried = actions

    @staticmethod
    def _weights(prior: Prior, actions: Sequence[Any]) -> list[float]:
        """Ask for the prior weights of some actions: at least 0, and not all of them 0 (then they are made equal)."""
        weights = [float(weight) for weight in prior(actions)] if actions else []
        if len(weights) != len(actions) or not all(0 <= weight < math.inf for weight in weights):
            raise ContractError(
                f"The prior gave {weights} for {len(actions)} actions: it must give each a finite weight of at least 0."
            )
        return weights if any(weights) else [1.0] * len(weights)

    def _follow(self, node: TreeNode) -> TreeEdge | None:
        """Return the edge to go on by, a new one where an untried action scores best; None if nothing is left here."""
        widening, edges, untried = self._config.widening, node.edges, node.untried
        room = untried and (widening is None or len(edges) < math.ceil(max(node.visits, 1) ** widening))
        bar = self.first_play_score(node) if room else -math.inf
        if bar == math.inf:
            return self._expand(node)
        best, top = None, -math.inf
        for edge in edges:
            if not edge.child.solved:
                score = self.score(node, edge) if edge.visits else math.inf
                if score > top:
                    best, top = edge, score
        return self._expand(node) if untried and (best is None or bar > top) else best

    def _expand(self, node: TreeNode, action: Any = None) -> TreeEdge:
        """Try an action for the first time at a node, by default the next untried one."""
        if node.untried is None:
            self._open(node)
        model, untried, priors, place = self._model, node.untried, node.priors, -1
        assert untried is not None, "the node is open"
        if action is not None and action not in untried:
            untried.append(action)  # what is proposed by chance need not be proposed again
            priors.append(0.0)
        elif action is not None:
            place = untried.index(action)
        action = untried[place]
        self._go(node)
        self._at = None
        reward, done = model.step(action)
        self._env_steps += 1
        depth, earned = node.depth + 1, node.earned + reward
        over = done or depth >= self._config.depth
        exact = model.key() if self._exact else None
        key = exact if self._config.transpositions else None
        # The same state may be the end of one walk and not of another; below one that earned less, more was pruned.
        child = self._table.get((key, depth, over)) if key is not None else None
        if child is None or (self._prune and child.earned < earned - _SAME):
            child = self._new_node(depth, over, earned, exact)
            if key is not None and not child.dead:  # a walk that earns more may yet come to this state
                self._table[key, depth, over] = child
        self._at = child
        edge = TreeEdge(untried.pop(place), priors.pop(place), reward, child)
        node.edges.append(edge)
        return edge

    def _new_node(self, depth: int, over: bool, earned: float, exact: Hashable | None) -> TreeNode:
        """Return a node for the state in which the model is; solved if the walk is over or need not go on from here."""
        key = self._key(exact) if self._merge and not over else None
        first = None if key is None else self._first.get(key)
        no_better = first is not None and first.depth <= depth and first.earned >= earned - _SAME
        if first is not None and no_better and self._prune:
            node = TreeNode(first.state, depth, 0.0, solved=True, earned=earned)
            node.dead, node.untried, self._guessed = True, [], self._guessed or not self._exact
            return node
        node = TreeNode(self._model.snapshot(), depth, 0.0 if over else self._floor, solved=over, earned=earned)
        node.key = key
        if key is not None and not no_better and (first is None or first.depth >= depth):
            self._first[key] = node
        return node

    def _back_up(self, path: list[TreeEdge], value: float) -> None:
        """Tell every edge of the path what was earned from it on, and every node what is certain now.

        A node is left only because its better edges are solved or less explored; where a solved one promises more than
        was earned, the simulation counts as if it had gone there.
        """
        discount = self._config.discount
        for place in range(len(path) - 1, -1, -1):
            edge, node = path[place], path[place - 1].child if place else self.root
            child = edge.child
            child.best = max(child.best, value)
            value = edge.reward + discount * value
            edge.visits += 1
            edge.total += value
            edge.best = max(edge.best, value)
            self._low, self._high = min(self._low, value), max(self._high, value)
            node.visits += 1
            node.value = max(node.value, edge.reward + discount * child.value)
            node.settle(discount)
            value = node.value if node.solved else max(value, node.value)
        self.root.best = max(self.root.best, value)

    # --- leaves and rollouts

    def _leaf(self, node: TreeNode, path: list[TreeEdge]) -> float:
        """Return the discounted return from a leaf on, exact or estimated, and offer the walks that pass through it."""
        gone, factor = 0.0, 1.0
        for edge in path:
            gone += factor * edge.reward
            factor *= self._config.discount
        if node.solved:
            self._offer_line(path, node, gone, factor)
            return node.value
        self._go(node)
        if self._config.may_stop:
            self._offer(path, [], gone)
        return self._estimate() if self._config.rollout == "none" else self._roll_out(node, path, gone, factor)

    def _estimate(self) -> float:
        return 0.0 if self._value is None else float(self._value())

    def _roll_out(self, node: TreeNode, path: list[TreeEdge], gone: float, factor: float) -> float:
        """Play on from a leaf at which the model stands, and return what that earned.

        Args:
            node: The leaf.
            path: How it was reached.
            gone: What was earned on the path.
            factor: What a reward counts at the leaf.
        """
        config, step, pick, draws = self._config, self._model.step, self._pick, self._draws
        discount, may_stop = config.discount, config.may_stop
        left = config.depth - node.depth
        limit = int(min(left, config.rollout_steps or left, self._step_limit - self._env_steps))
        self._at = None
        tail: list[Any] = []
        earned, weight, best, over = 0.0, 1.0, 0.0, False
        while len(tail) < limit and not over:
            action = pick(draws)
            if action is None and (action := self._any_action()) is None:
                over = True
                break
            reward, over = step(action)
            tail.append(action)
            earned += weight * reward
            weight *= discount
            if may_stop and (over or earned > best):
                best = max(best, earned)
                self._offer(path, tail, gone + factor * earned)
        self._env_steps += len(tail)
        over = over or len(tail) == left
        if over and not may_stop:
            self._offer(path, tail, gone + factor * earned)
        if not over:
            earned += weight * self._estimate()
        return max(best, earned) if may_stop else earned

    def _any_action(self) -> Any | None:
        """Return an action where the model found none cheaply; None if there is none."""
        actions = self._model.actions()
        return actions[self._draws.below(len(actions))] if actions else None

    def _pick_by_prior(self, draws: StableRandom) -> Any | None:
        """Draw an action in proportion to its prior."""
        actions = self._model.actions()
        if self._prior is None or not actions:
            return None
        weights = self._weights(self._prior, actions)
        spot = draws.uniform() * sum(weights)
        for action, weight in zip(actions, weights, strict=True):
            spot -= weight
            if spot < 0:
                return action
        return max(zip(weights, range(len(actions)), actions, strict=True))[-1]

    # --- the best walk

    def _offer(self, path: list[TreeEdge], tail: list[Any], value: float) -> None:
        """Keep a walk, at whose end the model stands, if it is the best so far."""
        best = self._best
        if best.success and value < best.rank[1]:
            return
        success = self._model.success()
        # Sums of the same rewards in another order differ in the last digits, and that must not lengthen a plan.
        rank = (bool(success), round(value, 10), -len(path) - len(tail))
        if rank > best.rank:
            best.rank, best.value, best.success = rank, value, success
            best.plan = (*(edge.action for edge in path), *tail)

    def _offer_line(self, path: list[TreeEdge], node: TreeNode, gone: float, factor: float) -> None:
        """Offer the best walk by way of a solved node: its parts may have been seen on different walks only."""
        line = node.line(self._config.discount, self._config.may_stop)
        for edge in line:
            gone += factor * edge.reward
            factor *= self._config.discount
        self._go(line[-1].child if line else node)
        self._offer(path + line, [], gone)
