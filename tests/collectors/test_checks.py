"""The executable contracts of policies and goal proposers, on those that keep them and on some that do not."""

from __future__ import annotations

import numpy as np
import pytest

from pathei.agents import RandomAgent
from pathei.collectors import check_policy, check_proposer
from pathei.collectors.curriculum.proposers import GoalAttempt, GoalProposal, Situation, UniformProposer
from pathei.collectors.registry import PROPOSERS, make_proposer
from pathei.collectors.rollout.episode import Recorder
from pathei.collectors.rollout.explore import ExplorePolicy
from pathei.collectors.rollout.policy import AgentPolicy, Policy, PolicyReport, Rng
from pathei.collectors.search.collector import MctsConfig, SearchPolicy
from pathei.collectors.search.config import SearchConfig
from pathei.collectors.search.skill_policy import SkillPolicy
from pathei.errors import ContractError
from pathei.experience import Goal, Task, Trajectory
from pathei.tests.support.switchboard import ID, LampGoals, boards

GOAL = LampGoals().aim(Goal("the red lamp is lit", ({"lit": "red lamp"},))).goal
TASKS = [Task(f"lamp-{number}", ID, number, GOAL) for number in range(3)]


def searcher() -> Policy:
    """Return a policy that searches and keeps its tree."""
    config = SearchConfig(simulations=60, depth=4)
    return SearchPolicy(MctsConfig(config, keep_tree=True), must_succeed=False)


@pytest.mark.parametrize(
    "make",
    [
        ExplorePolicy,
        lambda: AgentPolicy(lambda _: RandomAgent(np.random.default_rng(0))),
        searcher,
        lambda: SkillPolicy(LampGoals(), effort=60),
    ],
    ids=["explore", "agent", "search", "skills"],
)
def test_the_policies_keep_their_contract(make: type[Policy]) -> None:
    check_policy(make, TASKS)


class _Lazy:
    """Never resets."""

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        return PolicyReport()

    def learn(self, trajectory: Trajectory) -> None:
        pass


class _Careless(_Lazy):
    """Draws from the operating system's randomness, not from its seed."""

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        actions = recorder.reset().actions or ()
        for _ in range(8):
            if not recorder.over:
                recorder.step(actions[int(np.random.default_rng().integers(len(actions)))])
        return PolicyReport()


class _Endless(_Lazy):
    """Goes on after the end."""

    def play(self, recorder: Recorder, rng: Rng) -> PolicyReport:
        recorder.reset()
        for _ in range(2):
            recorder.step("press red lamp")
        return PolicyReport()


@pytest.mark.parametrize(
    ("make", "message"),
    [(_Lazy, "did not reset"), (_Careless, "differently with the same seed"), (_Endless, "went on after step 0")],
)
def test_check_policy_names_the_problem(make: type[Policy], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_policy(make, TASKS)


@pytest.mark.parametrize("name", PROPOSERS.names())
def test_the_proposers_keep_their_contract(name: str) -> None:
    check_proposer(lambda: make_proposer(name), LampGoals(), boards(2))


class _Fickle(UniformProposer):
    """Counts its own calls in a variable that all proposers share."""

    calls = 0

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        _Fickle.calls += 1
        aims = situation.space.aims()
        return GoalProposal(aims[_Fickle.calls % len(aims)])

    def update(self, attempt: GoalAttempt) -> None:
        pass


class _Tuples(UniformProposer):
    """Gives a reason that is a list once it is stored."""

    def propose(self, situation: Situation, rng: np.random.Generator) -> GoalProposal:
        return GoalProposal(situation.space.aims()[0], {"of": (1, 2)})


@pytest.mark.parametrize(("make", "message"), [(_Fickle, "from the same attempts"), (_Tuples, "change once")])
def test_check_proposer_names_the_problem(make: type[UniformProposer], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_proposer(make, LampGoals(), boards(2))
