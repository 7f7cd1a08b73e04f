"""Proposers: what they draw, what they learn from attempts, and that their state is a function of the attempts."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.collectors.curriculum.proposers import (
    CompetenceProposer,
    GoalAttempt,
    GoalProposer,
    LearningProgressProposer,
    Misses,
    NoveltyProposer,
    Situation,
    UniformProposer,
    draw,
)
from pathei.collectors.registry import make_proposer
from pathei.envs.goal_space import GoalCandidate, GoalCondition, GoalSpace
from pathei.errors import ConfigError, GoalError, UnknownNameError
from pathei.experience import Goal, Observation


class _Board:
    """A goal space of the test's own: kinds with so many goals each; no goal goes together with itself."""

    def __init__(self, **kinds: int) -> None:
        self._kinds = {kind: [make(kind, f"{kind}{n}") for n in range(count)] for kind, count in kinds.items()}

    def aims(self) -> Sequence[GoalCandidate]:
        return [aim for aims in self._kinds.values() for aim in aims]

    def kinds(self) -> Mapping[str, Sequence[GoalCandidate]]:
        return self._kinds

    def named(self, name: str) -> GoalCandidate | None:
        return next((aim for aim in self.aims() if aim.parts[0].name == name), None)

    def join(self, aims: Sequence[GoalCandidate]) -> GoalCandidate | None:
        parts = tuple(part for aim in aims for part in aim.parts)
        if len({part.name for part in parts}) < len(parts):
            return None
        return GoalCandidate(Goal(" and ".join(part.name for part in parts)), parts)

    def read(self, text: str) -> GoalCandidate:
        raise GoalError("Nothing is read here.")

    def grammar(self) -> str:
        return ""


def make(kind: str, name: str) -> GoalCandidate:
    return GoalCandidate(Goal(name, ({"named": name},)), (GoalCondition((kind, name)),))


def at(space: GoalSpace) -> Situation:
    return Situation(space, Observation("You are here."))


def told(proposer: GoalProposer, outcomes: Sequence[tuple[GoalCandidate, bool]]) -> GoalProposer:
    for aim, success in outcomes:
        proposer.update(GoalAttempt(aim, success, 10))
    return proposer


def test_uniform_draws_every_size_and_every_goal() -> None:
    rng = np.random.default_rng(0)
    aims = [UniformProposer().propose(at(_Board(a=5, b=5)), rng).aim for _ in range(600)]
    sizes = Counter(aim.size for aim in aims)
    assert all(150 < sizes[size] < 250 for size in (1, 2, 3))
    assert {part.name for aim in aims for part in aim.parts} == {f"{k}{n}" for k in "ab" for n in range(5)}


def test_uniform_by_kind_gives_every_kind_its_share() -> None:
    rng = np.random.default_rng(0)
    proposer = UniformProposer(largest=1, by_kind=True)
    kinds = Counter(proposer.propose(at(_Board(few=2, many=98)), rng).aim.parts[0].kind for _ in range(400))
    assert 150 < kinds["few"] < 250


def test_a_world_without_goals_is_refused() -> None:
    with pytest.raises(ConfigError, match="offers no goals"):
        draw(_Board(), 1, np.random.default_rng(0))
    with pytest.raises(ConfigError, match="offers no goals"):
        draw(_Board(), 1, np.random.default_rng(0), by_kind=True)


def test_a_combination_that_cannot_be_falls_back_to_one_condition() -> None:
    assert draw(_Board(a=1), 3, np.random.default_rng(0)).size == 1


def test_learning_progress_is_the_change_of_the_success_rate_beyond_its_error() -> None:
    aim = make("a", "a0")
    proposer = LearningProgressProposer(largest=1)
    assert proposer.progress(aim) == 0.0
    told(proposer, [(aim, n >= 5) for n in range(10)])
    # By hand: the older half 0 of 5, the newer 5 of 5, standard error sqrt(0.5 * 0.5 * (1/5 + 1/5)). Half of the mean
    # is that of the goal's condition, half that of its size, and here they are the same attempts.
    assert proposer.progress(aim) == pytest.approx(1.0 - math.sqrt(0.25 * 0.4))
    assert proposer.progress(make("b", "b0")) == pytest.approx((1.0 - math.sqrt(0.25 * 0.4)) / 2)


@pytest.mark.parametrize("turn", [(False, True), (True, False)])
def test_learning_progress_practises_what_is_changing_for_better_or_worse(turn: tuple[bool, bool]) -> None:
    space = _Board(mastered=9, hopeless=9, changing=9)
    proposer = LearningProgressProposer(largest=1)
    for n in range(20):
        first, then = turn
        outcomes = {"mastered": True, "hopeless": False, "changing": first if n < 10 else then}
        told(proposer, [(space.kinds()[kind][n % 9], success) for kind, success in outcomes.items()])
    rng = np.random.default_rng(0)
    kinds = Counter(proposer.propose(at(space), rng).aim.parts[0].kind for _ in range(300))
    assert kinds["changing"] > 3 * kinds["mastered"]
    assert kinds["changing"] > 3 * kinds["hopeless"]
    assert kinds["hopeless"] > 0, "a share is explored"


def test_learning_progress_does_not_take_a_coin_for_progress() -> None:
    aim = make("coin", "coin0")
    proposer = told(LearningProgressProposer(largest=1), [(aim, n % 2 == 0) for n in range(20)])
    assert isinstance(proposer, LearningProgressProposer)
    assert proposer.progress(aim) == 0.0


def test_competence_falls_back_on_what_is_known_in_general() -> None:
    competence = CompetenceProposer(half_life=1e9)
    for n in range(20):
        competence.add(make("easy", f"easy{n}"), True)
        competence.add(make("hard", f"hard{n}"), False)
    unseen = _Board(easy=30, hard=30, new=1).kinds()
    assert competence.chance(unseen["easy"][29]) > 0.9
    assert competence.chance(unseen["hard"][29]) < 0.1
    assert competence.chance(unseen["new"][0]) == competence.prior
    joined = _Board(easy=30, hard=30).join([unseen["easy"][29], unseen["hard"][29]])
    assert joined is not None
    assert competence.chance(joined) < competence.chance(unseen["hard"][29])


def test_competence_forgets_old_failures() -> None:
    competence = CompetenceProposer(half_life=10)
    hard, other = make("hard", "hard0"), make("other", "other0")
    for _ in range(10):
        competence.add(hard, False)
    before = competence.chance(hard)
    for _ in range(100):
        competence.add(other, True)
    assert before < 0.1
    assert competence.chance(hard) > 0.4


def test_novelty_never_repeats_what_was_achieved_while_there_is_anything_else() -> None:
    space, rng = _Board(a=4, b=4), np.random.default_rng(0)
    proposer = NoveltyProposer(largest=2)
    achieved: set[str] = set()
    for _ in range(30):
        aim = proposer.propose(at(space), rng).aim
        assert aim.template not in achieved
        achieved.add(aim.template)
        proposer.update(GoalAttempt(aim, True, 5))


def test_novelty_combines_only_what_was_achieved_alone() -> None:
    space, rng = _Board(a=6, b=6), np.random.default_rng(1)
    proposer = NoveltyProposer(largest=3)
    assert all(proposer.propose(at(space), rng).aim.size == 1 for _ in range(20))
    known = ["a0", "a1", "b0"]
    told(proposer, [(space.named(name) or make("a", "a0"), True) for name in known])
    sizes = Counter[int]()
    for _ in range(40):
        aim = proposer.propose(at(space), rng).aim
        sizes[aim.size] += 1
        assert aim.size == 1 or {part.name for part in aim.parts} <= set(known)
    assert sizes[1]
    assert sizes[2]
    assert sizes[3]


def test_novelty_prefers_the_likely_and_turns_to_what_is_new_in_it() -> None:
    space, rng = _Board(easy=50, hard=50), np.random.default_rng(0)
    proposer = NoveltyProposer(largest=1)
    for n in range(10):
        told(proposer, [(space.kinds()["easy"][n], True), (space.kinds()["hard"][n], False)])
    aims = [proposer.propose(at(space), rng).aim for _ in range(30)]
    assert Counter(aim.parts[0].kind for aim in aims)["easy"] == 30
    assert proposer.gain(space.kinds()["easy"][30]) > proposer.gain(space.kinds()["easy"][0])


@pytest.mark.parametrize("proposer", [NoveltyProposer(largest=1), LearningProgressProposer(largest=1)])
def test_what_keeps_missing_fades(proposer: GoalProposer) -> None:
    board, rng = _Board(a=8), np.random.default_rng(0)
    hopeless = board.aims()[0]
    told(proposer, [(hopeless, False)] * 6)
    proposed = Counter(proposer.propose(at(board), rng).aim.template for _ in range(200))
    assert proposed[hopeless.template] < 200 / 8 / 2
    assert len(proposed) > 1


@given(st.integers(1, 8), st.integers(0, 400))
def test_misses_count_less_as_they_grow_old_and_are_forgotten_with_success(count: int, pause: int) -> None:
    board, misses = _Board(a=1, b=1), Misses()
    [missed, other] = board.aims()
    for _ in range(count):
        misses.add(GoalAttempt(missed, False, 1))
    fresh = misses.weight(missed)
    assert fresh == pytest.approx(0.5**count)
    for _ in range(pause):
        misses.add(GoalAttempt(other, True, 1))
    assert misses.count(missed) == count
    assert fresh <= misses.weight(missed) < 1.0 == misses.weight(other)
    misses.add(GoalAttempt(missed, True, 1))
    assert misses.weight(missed) == 1.0


def test_novelty_says_when_there_is_nothing_new() -> None:
    space = _Board(a=1)
    proposer = told(NoveltyProposer(largest=1), [(space.aims()[0], True)])
    proposal = proposer.propose(at(space), np.random.default_rng(0))
    assert proposal.why["by"] == "chance"


@given(
    st.sampled_from(["uniform", "progress", "novelty"]),
    st.lists(st.tuples(st.integers(0, 11), st.booleans()), max_size=60),
    st.integers(0, 2**32),
)
def test_the_state_is_a_function_of_the_attempts(name: str, outcomes: list[tuple[int, bool]], seed: int) -> None:
    space = _Board(a=4, b=4, c=4)
    attempts = [(space.aims()[place], success) for place, success in outcomes]
    one, other = told(make_proposer(name), attempts), told(make_proposer(name), attempts)
    rngs = np.random.default_rng(seed), np.random.default_rng(seed)
    for _ in range(5):
        proposals = [proposer.propose(at(space), rng) for proposer, rng in zip((one, other), rngs, strict=True)]
        assert proposals[0] == proposals[1]
        told(one, [(proposals[0].aim, True)])
        told(other, [(proposals[1].aim, True)])


def test_an_unknown_proposer_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'novelty'"):
        make_proposer("novlty")


class _Road(_Board):
    """A board on which each goal is as many actions away as its number says."""

    def work(self, aim: GoalCandidate) -> float:
        return 4.0 * sum(int(part.name[1:]) for part in aim.parts)


def test_novelty_takes_what_is_near_first_where_the_space_says_how_far_goals_are() -> None:
    rng, proposer, taken = np.random.default_rng(0), NoveltyProposer(largest=1), list[int]()
    for _ in range(8):
        aim = proposer.propose(at(_Road(a=8)), rng).aim
        told(proposer, [(aim, True)])
        taken.append(int(aim.parts[0].name[1:]))
    assert taken == list(range(8))


def test_novelty_turns_to_what_is_far_when_what_is_near_was_missed_a_few_times() -> None:
    rng, proposer, taken = np.random.default_rng(0), NoveltyProposer(largest=1), list[int]()
    for _ in range(20):
        aim = proposer.propose(at(_Road(a=8)), rng).aim
        told(proposer, [(aim, False)])
        taken.append(int(aim.parts[0].name[1:]))
    assert taken[:2] == [0, 1]
    assert set(taken) == set(range(8))
