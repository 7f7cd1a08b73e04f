"""What acts: agents that choose at random, play a program, ask a human, ask a language model, or use a memory."""

from .checks import check_agent
from .human import HumanAgent
from .in_turn import InTurn
from .lm import LmAgent, LmConfig
from .memory_agent import WithMemory
from .named import agent_named
from .planner import SkillAgent
from .protocol import Agent, Finished, Resettable, Telling, Told, reset_agent
from .random_agent import RandomAgent
from .saycan import SayCan, SayCanConfig
from .scripted import ScriptedAgent

__all__ = [
    "Agent",
    "Finished",
    "HumanAgent",
    "InTurn",
    "LmAgent",
    "LmConfig",
    "RandomAgent",
    "Resettable",
    "SayCan",
    "SayCanConfig",
    "ScriptedAgent",
    "SkillAgent",
    "Telling",
    "Told",
    "WithMemory",
    "agent_named",
    "check_agent",
    "reset_agent",
]
