"""The agent that says what can be done, with a model that knows the plan and one that knows nothing; agents in turn."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pathei.agents import RandomAgent, check_agent
from pathei.agents.lm.backends import Choice, Conversation, ModelReply, ModelRequest, RatedChoices, Usage
from pathei.agents.lm.saycan import SayCan, SayCanConfig
from pathei.agents.lm.shown import ShownMemory
from pathei.agents.protocol import Decision, Finished
from pathei.agents.sequential import SequentialAgent
from pathei.agents.skills.agent import SkillAgent
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.facts import read_action
from pathei.envs.verbalizer import ask_for_plan
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.envs.virtualhome.verbalizer import HomeVerbalizer
from pathei.errors import ConfigError
from pathei.experience import Goal, Observation, Task, Trajectory
from pathei.learners.corpora.episodes import read_episode
from pathei.learners.evaluation.plan_execution import PlanExecutor
from pathei.memory.builders.registry import make_builders
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.empty import EmptyMemory
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft

HOME = HomeVerbalizer()
TASKS = generate_tasks(24, 3, split="test")


class Reciter:
    """A model that knows the sentences of plans by heart: it drafts them, and says the next one that it may say."""

    name = "reciter"
    context = None

    def __init__(self, plans: Mapping[str, Sequence[str]], drafts: bool = True) -> None:
        """Know plans by their goals; without `drafts` it drafts nonsense, and only says what is possible."""
        self._plans = {ask_for_plan(goal): list(plan) for goal, plan in plans.items()}
        self._drafts = drafts

    def generate(self, asks: Sequence[ModelRequest]) -> list[ModelReply]:
        """Write the rest of a plan, or say the option that comes next in it."""
        return [ModelReply(self._answer(ask), None, (-1.0,), Usage(1, 1)) for ask in asks]

    def _answer(self, ask: ModelRequest) -> str:
        if ask.conversation.messages[-1].text.startswith("Where "):
            return ask.among[0]
        rest = self._rest(ask.conversation)
        if ask.among:
            return next((one for one in rest if one in ask.among), "" if "" in ask.among and not rest else ask.among[0])
        return f" {' '.join(rest)}" if self._drafts else " Frobnicate."

    def _rest(self, conversation: Conversation) -> list[str]:
        rest = list(self._plans[conversation.messages[-1].text])
        for said in conversation.begun.split(". "):
            one = f"{said.strip().rstrip('.')}."
            if one in rest:
                rest.remove(one)
        return rest

    def rate(self, choices: Sequence[Choice]) -> list[RatedChoices]:
        """Rate nothing."""
        raise AssertionError("it is never asked to rate")

    def count(self, conversation: Conversation) -> int:
        """Count the words."""
        return len(conversation.plain().split())


@pytest.fixture(scope="module")
def plans() -> dict[str, list[str]]:
    """What is needed of the demonstrations of all tasks, in words, by goal."""
    found = {}
    with PlanExecutor() as executor:
        for record in Rollout(AgentPolicy(demonstrator)).collect(TASKS):
            assert isinstance(record, Trajectory)
            episode = read_episode(record)
            assert episode is not None
            needed = executor.trim(episode.task, episode.actions)
            assert needed is not None
            found[record.task.goal.text] = [HOME.say_action(one) for one in needed]
    return found


def play(agent: object, tasks: Sequence[Task] = TASKS) -> list[Trajectory]:
    records = list(Rollout(AgentPolicy(lambda task: agent), max_steps=60).collect(tasks))  # type: ignore[arg-type]
    assert all(isinstance(record, Trajectory) for record in records), records
    return [record for record in records if isinstance(record, Trajectory)]


@pytest.mark.parametrize("drafts", [True, False], ids=["drafting", "without a draft"])
def test_who_knows_the_plan_reaches_the_goal_in_a_house_that_it_does_not_know(
    plans: Mapping[str, Sequence[str]], drafts: bool
) -> None:
    model = Reciter(plans, drafts)
    played = play(SayCan(model, verbalizer=HOME))
    reached = sum(bool(one.success) for one in played)
    assert reached >= (21 if drafts else 10)  # of 24; a draft also says what to look for
    for trajectory in played:
        for step in trajectory.steps:
            assert step.observation.actions is not None
            assert step.action in step.observation.actions  # it is never told of what is elsewhere
            assert step.info["agent"]["model"] == "reciter"


def test_it_keeps_the_contract_of_agents(plans: Mapping[str, Sequence[str]]) -> None:
    goal, plan = next(iter(plans.items()))
    check_agent(SayCan(Reciter({goal: plan}), verbalizer=HOME), goal=Goal(goal))
    check_agent(SayCan(Reciter({"": []}), verbalizer=HOME), goal=Goal(""))
    check_agent(SequentialAgent([SkillAgent(EmptyMemory(), explores=False), RandomAgent(np.random.default_rng(0))]))


def test_the_same_sentence_is_not_said_for_ever() -> None:
    """Also where the model would: what changed nothing is barred while there is something else."""
    agent = SayCan(Reciter({"dance": ["Touch the cup."] * 9}), SayCanConfig(sentences=6, again=2), verbalizer=HOME)
    seen = Observation("You are in the kitchen (1).", (), ("[Touch] <cup> (2)", "[Touch] <lamp> (3)"))
    said = [agent.act(seen, Goal("dance")).action for _ in range(6)]
    assert said[:4] == ["[Touch] <cup> (2)", "[Touch] <lamp> (3)"] * 2
    with pytest.raises(Finished, match="6 sentences"):
        agent.act(seen, Goal("dance"))


def test_it_has_finished_when_the_model_would_rather_end_its_plan() -> None:
    agent = SayCan(Reciter({"dance": ["Touch the lamp."]}), verbalizer=HOME)
    seen = Observation("You are in the kitchen (1).", (), ("[Touch] <cup> (2)", "[Touch] <lamp> (3)"))
    assert agent.act(seen, Goal("dance")).action == "[Touch] <lamp> (3)"
    with pytest.raises(Finished, match="has said 1 "):
        agent.act(seen, Goal("dance"))


def test_of_two_things_of_a_kind_the_goal_s_is_meant_then_the_one_spoken_of() -> None:
    plan = ["Walk to the book.", "Grab the book.", "Put the book on the desk."]
    actions = tuple(f"[{verb}] <book> ({id_})" for id_ in (5, 6) for verb in ("Walk", "Grab"))
    wanted, free = Goal("put the book (6) on the desk"), Goal("tidy")
    agent = SayCan(Reciter({wanted.text: plan, free.text: plan}), verbalizer=HOME)
    assert agent.act(Observation("", (), actions), wanted).action == "[Walk] <book> (6)"
    agent.reset(0)
    assert agent.act(Observation("", (), actions), free).action == "[Walk] <book> (5)"
    seen = Observation("", (), (*actions[2:], *actions[:2]))  # listed the other way round
    assert agent.act(seen, free).action == "[Grab] <book> (5)"


def test_what_is_not_in_view_is_looked_for_behind_doors_and_lids() -> None:
    agent = SayCan(Reciter({"eat": ["Walk to the apple.", "Eat the apple."]}), verbalizer=HOME)
    goal = Goal("eat", ({"done": {"verb": "EAT", "object": {"class": "apple"}}},))
    hall = "You are in the hall (1).\n- door (4) to the kitchen (2), closed\nOther rooms: kitchen (2)."
    act = agent.act(Observation(hall, (), ("[Walk] <door> (4)", "[Walk] <kitchen> (2)")), goal).action
    assert act == "[Walk] <kitchen> (2)"
    act = agent.act(Observation(hall, (), ("[Walk] <door> (4)", "[Walk] <kitchen> (2)")), goal).action
    assert act == "[Walk] <door> (4)"  # the shut door was in the way
    act = agent.act(Observation(hall, (), ("[Open] <door> (4)", "[Walk] <kitchen> (2)")), goal).action
    assert act == "[Open] <door> (4)"
    act = agent.act(Observation(hall.replace(", closed", ""), (), ("[Walk] <kitchen> (2)",)), goal).action
    assert act == "[Walk] <kitchen> (2)"
    kitchen = "You are in the kitchen (2).\n- fridge (7): closed, switched on\nOther rooms: hall (1)."
    seen = Observation(kitchen, (), ("[Walk] <fridge> (7)", "[Open] <fridge> (7)", "[Walk] <hall> (1)"))
    assert agent.act(seen, goal).action == "[Walk] <fridge> (7)"
    assert agent.act(seen, goal).action == "[Open] <fridge> (7)"
    found = Observation(kitchen, (), ("[Walk] <apple> (8)", "[Walk] <hall> (1)"))
    decided = agent.act(found, goal)
    assert (decided.action, decided.notes["sentence"]) == ("[Walk] <apple> (8)", "Walk to the apple.")
    assert agent.act(Observation(kitchen, (), ("[Eat] <apple> (8)",)), goal).action == "[Eat] <apple> (8)"


def test_a_room_counts_as_searched_only_once_the_agent_went_there() -> None:
    """What comes in view ends a search: the room that would have been next is still to be searched for another."""
    agent, goal = SayCan(Reciter({"tidy": ["Walk to the cup.", "Walk to the soap."]}), verbalizer=HOME), Goal("tidy")
    hall = Observation("You are in the hall (1).\nOther rooms: kitchen (2), bath (3).", (), ("[Walk] <kitchen> (2)",))
    assert agent.act(hall, goal).action == "[Walk] <kitchen> (2)"
    ways = ("[Walk] <hall> (1)", "[Walk] <bath> (3)")
    kitchen = "You are in the kitchen (2).\nOther rooms: hall (1), bath (3)."
    assert agent.act(Observation(kitchen, (), ("[Walk] <cup> (5)", *ways)), goal).action == "[Walk] <cup> (5)"
    assert agent.act(Observation(kitchen, (), ("[Grab] <cup> (5)", *ways)), goal).action == "[Walk] <bath> (3)"


HALL = "You are in the hall (1).\n{}Other rooms: bath (2), kitchen (3)."


def test_of_several_doors_the_one_that_leads_there_is_opened_and_no_other() -> None:
    goal = Goal("wash in the bath")
    agent = SayCan(Reciter({goal.text: ["Walk to the soap."]}), verbalizer=HOME)
    doors = "- door (4) to the kitchen (3), closed\n- door (5) to the bath (2), closed\n"
    walks = tuple(f"[Walk] <door> ({id_})" for id_ in (4, 5))
    near = (*walks, "[Open] <door> (5)")
    assert agent.act(Observation(HALL.format(doors), (), walks), goal).action == "[Walk] <door> (5)"
    assert agent.act(Observation(HALL.format(doors), (), near), goal).action == "[Open] <door> (5)"
    opened = Observation(HALL.format("- door (4) to the kitchen (3), closed\n"), (), (*walks, "[Walk] <bath> (2)"))
    assert agent.act(opened, goal).action == "[Walk] <bath> (2)"


def test_nobody_walks_to_what_is_in_reach_though_the_plan_says_so() -> None:
    plan = ["Walk to the keys.", "Grab the keys.", "Walk to the coat.", "Grab the coat."]
    agent, goal = SayCan(Reciter({"go out": plan}), verbalizer=HOME), Goal("go out")
    both = [
        f"[{verb}] <{name}> ({id_})" for verb in ("Walk", "Touch", "Grab") for name, id_ in (("keys", 2), ("coat", 3))
    ]
    near = Observation("", (), tuple(one for one in both if one != "[Touch] <coat> (3)"))
    decided = agent.act(near, goal)
    assert (decided.action, decided.notes["usage"]["requests"]) == ("[Grab] <keys> (2)", 3)  # draft, walk, grab
    assert agent.act(near, goal).action == "[Walk] <coat> (3)"
    assert agent.act(Observation("", (), tuple(both)), goal).action == "[Grab] <coat> (3)"


def test_what_something_is_put_into_is_opened_though_the_plan_leaves_that_out() -> None:
    agent, goal = SayCan(Reciter({"pack": ["Put the cup in the box."]}), verbalizer=HOME), Goal("pack")
    shut = "You are in the hall (1).\n- box (6): closed\nOther rooms: bath (2)."
    held, away = ("[Drop] <cup> (5)", "[Touch] <cup> (5)"), ("[Walk] <box> (6)",)
    assert agent.act(Observation(shut, (), (*held, *away)), goal).action == "[Walk] <box> (6)"
    near = (*held, *away, "[Touch] <box> (6)", "[Open] <box> (6)")
    assert agent.act(Observation(shut, (), near), goal).action == "[Open] <box> (6)"
    put = "[PutIn] <cup> (5) <box> (6)"
    assert agent.act(Observation(shut.replace("closed", "open"), (), (*near, put)), goal).action == put


def test_what_it_drafted_can_be_said_before_it_is_there() -> None:
    agent = SayCan(Reciter({"clean up": ["Grab the soap.", "Put the soap on the sink."]}), verbalizer=HOME)
    hall = Observation("You are in the hall (1).\nOther rooms: bath (2).", (), ("[Walk] <bath> (2)",))
    decided = agent.act(hall, Goal("clean up"))
    assert (decided.action, decided.notes["looks_for"]) == ("[Walk] <bath> (2)", "soap")
    bath = "You are in the bath (2)."
    seen = Observation(bath, (), ("[Walk] <soap> (5)", "[Walk] <sink> (6)"))
    assert agent.act(seen, Goal("clean up")).action == "[Walk] <soap> (5)"
    near = Observation(bath, (), ("[Grab] <soap> (5)", "[Walk] <sink> (6)"))
    assert agent.act(near, Goal("clean up")).action == "[Grab] <soap> (5)"
    held = Observation(bath, (), ("[Drop] <soap> (5)", "[Walk] <sink> (6)"))
    assert agent.act(held, Goal("clean up")).action == "[Walk] <sink> (6)"
    there = Observation(bath, (), ("[Drop] <soap> (5)", "[PutBack] <soap> (5) <sink> (6)"))
    assert agent.act(there, Goal("clean up")).action == "[PutBack] <soap> (5) <sink> (6)"
    with pytest.raises(Finished, match="has said 4 "):
        agent.act(there, Goal("clean up"))


@pytest.mark.parametrize("misses", [1, 2])
def test_it_gives_up_after_so_many_things_that_are_nowhere(misses: int) -> None:
    kitchen = Observation("You are in the kitchen (1).\nOther rooms: bath (2).", (), ("[Walk] <bath> (2)",))
    plan = ["Walk to the unicorn.", "Walk to the griffin."]
    agent, sought = SayCan(Reciter({"play": plan}), SayCanConfig(misses=misses), verbalizer=HOME), dict[object, None]()
    with contextlib.suppress(Finished):
        for _ in range(99):
            decided = agent.act(kitchen, Goal("play"))
            assert decided.action == "[Walk] <bath> (2)"
            sought[decided.notes["looks_for"]] = None
        raise AssertionError("it never finishes")
    assert list(sought) == ["unicorn", "griffin"][:misses]


def remembering(*records: Trajectory) -> ExperienceMemory:
    memory = ExperienceMemory.open(
        Path(tempfile.mkdtemp()) / "memory",
        embedder=make_embedder("ngrams"),
        builders=make_builders(("episodes", "facts")),
    )
    memory.add_all(records)
    return memory


def test_a_memory_shows_similar_plans_and_where_things_are() -> None:
    played = [one for one in Rollout(AgentPolicy(demonstrator)).collect(TASKS[:8]) if isinstance(one, Trajectory)]
    task, scene = TASKS[0], HOME.scene(TASKS[0])
    with remembering(*played) as memory:
        shown = ShownMemory(memory, task.env, scene)
        plans = shown.plans(task.goal.text, 2, HOME)
        assert len(plans) == 2
        assert plans[-1].goal == task.goal.text  # the most similar one comes last
        assert not any("door" in one.plan for one in plans)
        fact = next(one.draft for one in memory.items() if one.draft.data.get("scene") == scene)
        facts = shown.facts(str(fact.data["object"]), HOME)
        assert facts[0].text.startswith("Here the ")  # what holds here comes before what holds in general
        assert "In house" not in facts[0].text
        elsewhere = ShownMemory(memory, task.env, "another house").facts(str(fact.data["object"]), HOME)
        assert elsewhere
        assert not any("Here" in one.text for one in elsewhere)

        asked: list[Conversation] = []

        class Listener(Reciter):
            def _answer(self, ask: ModelRequest) -> str:
                asked.append(ask.conversation)
                return super()._answer(ask)

        model = Listener({task.goal.text: ["Walk to the unicorn."]})
        agent = SayCan(model, verbalizer=HOME, recollection=memory, env=task.env, scene=scene)
        [one] = play(agent, [task])
        used = one.steps[0].info["agent"]["memory"] if one.steps else one.provenance["ending"]["memory"]
        assert {plan.id for plan in plans} <= set(used)
        assert HOME.lexicon.example is not None
        goals = [turn.text for turn in asked[0].messages if turn.role == "user"]
        assert goals == [ask_for_plan(text) for text in (*(p.goal for p in plans), task.goal.text)]


def test_a_memory_shows_the_shortest_plan_of_a_goal_and_the_most_usual_place() -> None:
    long, short = ["[Walk] <hall> (1)", "[Walk] <cup> (2)"], ["[Walk] <cup> (2)"]
    with remembering() as memory:
        for number, actions in enumerate((long, short, long)):
            data = {"actions": actions, "number": number}
            memory.add_drafts(
                [Draft("episode", f"Goal: find a cup. {number}", "", task="find a cup", success=True, data=data)]
            )
        [plan] = ShownMemory(memory).plans("find the cup", 2, HOME)
        assert plan.plan == "Walk to the cup."
        for place in ("sink", "shelf", "shelf"):
            data = {"object": "cup", "place": place, "relation": "ON", "when": "kept", "holds": "env"}
            memory.add_drafts([Draft("fact", f"A cup is kept on a {place}.", "", key=f"cup|{place}", data=data)])
        data = {"object": "cup", "place": "bin", "relation": "INSIDE", "when": "ends", "holds": "env"}
        memory.add_drafts([Draft("fact", "A cup ends up in a bin.", "", key="cup|bin", data=data)])
        said = [one.text for one in ShownMemory(memory, scene="house:1").facts("cup", HOME)]
        assert said == ["A cup is kept on a shelf.", "A cup is kept on a sink."]
        data = {"object": "cup", "id": 2, "place": "fridge", "relation": "INSIDE", "room": "kitchen", "holds": "scene"}
        memory.add_drafts([Draft("fact", "In house:1, ...", "", key="1|cup 2", data=data | {"scene": "house:1"})])
        shown = ShownMemory(memory, scene="house:1")
        [here] = shown.facts("cup", HOME)  # what is usual elsewhere does not matter
        assert here.text == "Here the cup is in the fridge, in the kitchen."
        data |= {"object": "keys", "id": 3, "place": "desk", "relation": "ON", "room": "office", "scene": "house:1"}
        memory.add_drafts([Draft("fact", "In house:1, ...", "", key="1|keys 3", data=data)])
        assert shown.facts("keys", HOME)[0].text == "Here the keys are on the desk, in the office."


def test_what_was_looked_into_is_no_longer_shown_as_a_thing_s_place() -> None:
    with remembering() as memory:
        for thing, place, room, scene in (
            ("cup", "fridge", "kitchen", "house:1"),
            ("cup", "shelf", "", ""),
            ("cup", "fridge", "", ""),
            ("shelf", "", "study", ""),
        ):
            relation = "INSIDE" if place == "fridge" else "ON" if place else "ROOM"
            data = {"object": thing, "id": 2, "place": place or room, "relation": relation, "when": "kept"}
            data |= {"room": room, "holds": "scene", "scene": scene} if scene else {"holds": "env"}
            text = f"A {thing}: {place or room}"
            memory.add_drafts([Draft("fact", text, "", key=f"{thing}|{place}|{scene}", data=data)])
        shown, here = ShownMemory(memory, scene="house:1"), ["Here the cup is in the fridge, in the kitchen."]
        for left, known in {
            ("kitchen", "study"): here,
            ("fridge", "study"): here,
            ("study",): ["A cup: shelf", "A shelf: study"],
            ("oven",): [],
        }.items():
            assert [one.text for one in shown.facts("cup", HOME, set(left))] == known


def test_what_it_took_to_come_to_its_end_is_kept(plans: Mapping[str, Sequence[str]]) -> None:
    goal, task = TASKS[0].goal.text, TASKS[0]
    [played] = play(SayCan(Reciter({goal: []}), verbalizer=HOME), [task])
    assert not played.steps
    assert played.provenance["ended"] == "the model has said 0 sentences"
    ending = played.provenance["ending"]
    assert isinstance(ending, dict)
    assert ending["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "requests": 2}  # the draft, and the end
    [whole] = play(SayCan(Reciter(plans), verbalizer=HOME), [task])
    used = [step.info["agent"] for step in whole.steps] + [whole.provenance.get("ending", {})]
    asked = sum(one["usage"]["requests"] for one in used if "usage" in one)
    assert asked == 2 + len({step.info["agent"]["sentence"] for step in whole.steps}) - bool(whole.success)


class Says:
    """Says the same some times, and has finished."""

    def __init__(self, action: str, times: int, usage: Usage | None = None) -> None:
        self._action, self._times, self._left, self._usage = action, times, times, usage

    def reset(self, seed: int) -> None:
        """Begin again."""
        self._left = self._times

    def act(self, observation: Observation, goal: Goal) -> Decision:
        """Say it, and tell how often it will say it."""
        if not self._left:
            raise Finished("that was all", {"usage": self._usage.json()} if self._usage else None)
        self._left -= 1
        return Decision(self._action, notes={"left": self._left})


def test_agents_in_turn_each_act_until_they_have_finished() -> None:
    agent, seen = SequentialAgent([Says("a", 2), Says("b", 0), Says("c", 1)]), Observation("")
    for _ in range(2):
        agent.reset(0)
        said = [agent.act(seen, Goal("")) for _ in range(3)]
        assert [(one.action, one.notes["turn"]) for one in said] == [("a", 0), ("a", 0), ("c", 2)]
        with pytest.raises(Finished):
            agent.act(seen, Goal(""))
    with pytest.raises(ConfigError, match="at least one"):
        SequentialAgent([])


def test_what_an_agent_took_to_find_that_it_has_finished_is_told_once_by_the_next() -> None:
    seen, usage = Observation(""), Usage(3, 1)
    agent = SequentialAgent([Says("a", 1, usage), Says("b", 0, usage), Says("c", 2, usage)])
    agent.reset(0)
    told = [agent.act(seen, Goal("")) for _ in range(3)]
    assert [(one.action, one.notes.get("usage")) for one in told] == [
        ("a", None),
        ("c", (usage + usage).json()),
        ("c", None),
    ]
    with pytest.raises(Finished) as ended:
        agent.act(seen, Goal(""))
    assert ended.value.notes == {"usage": usage.json()}


def test_a_plan_is_no_longer_than_it_needs_to_be(plans: Mapping[str, Sequence[str]]) -> None:
    for goal, plan in plans.items():
        assert plan
        assert all("door" not in sentence for sentence in plan) or "door" in goal
        assert not any(sentence.startswith(("Find", "Run")) for sentence in plan)


def test_wrong_settings_are_named_together() -> None:
    with pytest.raises(ConfigError, match=r"again.*sentences"):
        SayCanConfig(again=0, sentences=0)


def test_script_lines_are_what_sentences_are_said_of() -> None:
    action = read_action("[PutBack] <tooth_paste> (3) <dining_table> (4)")
    assert action is not None
    assert HOME.say_action(action) == "Put the tooth paste on the dining table."
