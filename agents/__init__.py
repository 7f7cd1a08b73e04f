"""What acts: agents that choose at random, play a program, ask a human, ask a language model, or use a memory."""

from .checks import check_agent
from .human import HumanAgent
from .lm.agent import LmAgent, LmConfig
from .lm.saycan import SayCan, SayCanConfig
from .memory import MemoryAgent
from .protocol import Agent, Decision, Finished, decide, reset_agent
from .random import RandomAgent
from .registry import AGENTS, AgentMaker, AgentSpec
from .scripted import ScriptedAgent
from .sequential import SequentialAgent
from .skills.agent import SkillAgent

__all__ = [
    "AGENTS",
    "Agent",
    "AgentMaker",
    "AgentSpec",
    "Decision",
    "Finished",
    "HumanAgent",
    "LmAgent",
    "LmConfig",
    "MemoryAgent",
    "RandomAgent",
    "SayCan",
    "SayCanConfig",
    "ScriptedAgent",
    "SequentialAgent",
    "SkillAgent",
    "check_agent",
    "decide",
    "reset_agent",
]
