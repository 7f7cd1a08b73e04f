"""Voyager's loop, of parts that every world shares: a model proposes, one writes code, the world says what came of it.

The models are one scripted double of an endpoint, so what is tested is the way from answers to deeds and back.
"""

import json

import numpy as np
import pytest

from pathei.agents.lm.agent import LmAgent, LmConfig
from pathei.agents.lm.completion import completion
from pathei.agents.lm.endpoint import ChatEndpoint
from pathei.collectors import play
from pathei.collectors.curriculum.lm_proposer import LanguageModel
from pathei.collectors.curriculum.proposers import Situation
from pathei.envs import contract
from pathei.envs.registry import get_goal_space
from pathei.experience import Task
from pathei.tests.support.endpoint_server import Server

from .conftest import WORLD, Begin

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("minecraft")]
WRONG = "async function makeSticks(bot) { await craftItem(bot, 'stick', 4) }"
RIGHT = """async function makeSticks(bot) {
  if (bot.inventory.count('oak_planks') < 2) await craftItem(bot, 'oak_planks', 4)
  await craftItem(bot, 'stick', 4)
}"""


def test_a_goal_that_a_model_proposes_is_reached_by_code_that_it_corrects(begin: Begin) -> None:
    env = begin(inventory={"oak_log": 1})
    server = Server(
        "Reasoning: wood is at hand.\nTask: Have stick.",
        json.dumps({"reasoning": "Sticks are crafted.", "action": WRONG}),
        json.dumps({"reasoning": "Planks come first.", "action": RIGHT}),
    )
    model = ChatEndpoint("scripted-double", base_url=server.url)
    seen = contract.observe(env.text(), {"actions": env.actions()}).seen()
    situation = Situation(get_goal_space("minecraft").present(env), seen)
    proposer = LanguageModel(completion(model), questions=0)
    goal = proposer.propose(situation, np.random.default_rng(0)).aim.goal
    assert goal.text == "Have stick."
    task = Task("code", "pathei/Minecraft-v0", 0, goal, {"world": WORLD, "inventory": {"oak_log": 1}})
    agent = LmAgent(model, LmConfig(way="generate", listed_only=False, max_tokens=1024))
    episode = play(env, task, agent, max_steps=4)
    assert [step.action for step in episode.steps] == [WRONG, RIGHT]
    assert episode.steps[0].info["failed"] == "stick needs 2 more oak_planks"
    assert "stick needs 2 more oak_planks" in json.dumps(server.asked[2])
    assert episode.success
