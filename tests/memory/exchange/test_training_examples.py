"""What a memory has proved becomes examples, and a model that has learned them is not shown them: from end to end."""

from pathlib import Path

import pytest

from pathei.agents import AgentMaker
from pathei.agents.lm.agent import LmConfig
from pathei.agents.protocol import Decision
from pathei.cli import main
from pathei.collectors.rollout.policy import AgentPolicy, demonstrator
from pathei.collectors.rollout.rollout import Rollout
from pathei.envs.virtualhome.tasks.generate import generate_tasks
from pathei.errors import ConfigError
from pathei.experience import Observation, Trajectory
from pathei.learners.examples import Example, read_examples
from pathei.memory import open_memory
from pathei.memory.empty import MemoryWithout
from pathei.memory.items import Draft, Filter, Source
from pathei.pretrained import learned_items

HOME = "pathei/VirtualHome-v0"
DATA = {"object": "cup", "when": "kept", "holds": "env"}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A memory of eight demonstrations."""
    folder = tmp_path_factory.mktemp("lived") / "memory"
    played = Rollout(AgentPolicy(demonstrator)).collect(generate_tasks(8, 0, split="train"))
    with open_memory(folder, embedder="ngrams", builders="default", create=True) as memory:
        memory.add_all(one for one in played if isinstance(one, Trajectory))
    return folder


def exported(memory: Path, out: Path) -> list[Example]:
    main(["memory", "export", str(memory), str(out), "--examples"])
    return list(read_examples(out))


def test_every_example_says_which_item_and_episode_it_comes_from(lived: Path, tmp_path: Path) -> None:
    found = exported(lived, tmp_path / "examples.jsonl")
    assert {one.source["of"] for one in found} == {"skill", "episode", "fact"}
    with open_memory(lived, mode="read") as memory:
        for one in found:
            item = memory.get(str(one.source["item"]))
            assert (item.draft.kind, item.draft.source.trajectory) == (one.source["of"], one.source["trajectory"])
            said = one.prompt + one.completion
            if item.draft.kind == "episode":
                assert item.draft.success
                assert item.draft.task.lower().rstrip(".") in one.prompt.lower()
                assert said.count(".") <= 1 + len(item.draft.data["actions"])
            elif item.draft.kind == "skill":
                assert said.replace("\nSteps:", " Steps:") == item.draft.text
            else:
                assert item.seen >= 2
                assert str(item.draft.data["place"]).replace("_", " ") in one.completion


def test_of_facts_the_usual_is_learned_and_what_one_scene_shows_is_not(tmp_path: Path) -> None:
    def fact(place: str, **data: str) -> Draft:
        whole = {**DATA, "relation": "INSIDE", "place": place, **data}
        return Draft("fact", f"{place} {data}", HOME, key=f"{place}{data}", data=whole, source=Source("episode", 3))

    with open_memory(tmp_path / "memory", embedder="ngrams", create=True) as memory:
        for place, times in (("kitchen_cabinet", 3), ("sink", 2), ("fridge", 1)):
            for _ in range(times):
                memory.add_drafts([fact(place)])
        for _ in range(4):
            memory.add_drafts([fact("table", relation="ON", when="ends")])
            memory.add_drafts([fact("kitchen", relation="ROOM")])
            memory.add_drafts([fact("bed", holds="scene")])
            memory.add_drafts([Draft("fact", "Lamps are lit with a match.", HOME)])
        [bad] = memory.add_drafts([Draft("episode", "It went wrong.", HOME, task="wash up", success=False)])
    assert [one.prompt + one.completion for one in exported(tmp_path / "memory", tmp_path / "examples.jsonl")] == [
        "Where is the cup? The cup is in the kitchen cabinet.",
        "Where does the cup end up? The cup ends up on the table.",
        "Where is the cup? The cup is in the kitchen.",
    ]
    assert bad
    assert main(["memory", "export", str(tmp_path / "memory"), str(tmp_path / "x"), "--examples", "--skills"]) == 2


def test_hidden_items_are_not_found_and_others_move_up(lived: Path) -> None:
    with open_memory(lived, mode="read") as memory:
        kinds = Filter(kinds=("fact",))
        whole = [hit.item.id for hit in memory.query("where is it kept", 50, kinds)]
        without = MemoryWithout(memory, whole[:20:2])
        left = [one for one in whole if one not in whole[:20:2]]
        assert [hit.item.id for hit in without.query("where is it kept", 10, kinds)] == left[:10]
        assert [hit.item.id for hit in MemoryWithout(memory, whole).query("where is it kept", 3, kinds)] != whole[:3]
        assert without.get(whole[0]).id == whole[0]
        everything = [item.id for item in memory.items()]
        assert MemoryWithout(memory, everything).query("where is it kept", 3) == []


def test_a_model_that_learned_a_memory_is_shown_the_rest_and_its_base_everything(lived: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from pathei.learners.config import LearnConfig
    from pathei.learners.finetuning import finetune
    from pathei.learners.training.config import TrainingConfig
    from pathei.tests.support.tiny_language import save_tiny

    examples = exported(lived, tmp_path / "examples.jsonl")
    base = save_tiny(tmp_path / "base", family="llama", max_position_embeddings=4096)
    finetune(
        LearnConfig(
            tmp_path / "run", tmp_path / "examples.jsonl", str(base), training=TrainingConfig(steps=1, batch_size=2)
        )
    )
    learned = learned_items(str(tmp_path / "run"))
    assert learned == {one.source["item"] for one in examples}
    assert learned_items(str(base)) == learned_items("tiny") == frozenset()
    task = generate_tasks(8, 0, split="train")[0]
    shown = {}
    for model in ("base", "run"):
        agent = AgentMaker(f"lm:{tmp_path / model}+memory:{lived}", lm=LmConfig())(task)
        agent.reset(0)
        decided = agent.act(Observation("A room.", (), ("[Wait]",)), task.goal)
        assert isinstance(decided, Decision)
        shown[model] = set(decided.notes["memory"])
    assert shown["base"] & learned
    assert shown["run"]
    assert not shown["run"] & learned
    with pytest.raises(ConfigError):
        AgentMaker(f"lm:+memory:{lived}")
