"""What acts: agents that choose at random, play a program, ask a human, ask a language model, or use a memory."""

from .checks import check_agent
from .human import HumanAgent
from .lm.agent import LmAgent, LmConfig
from .lm.saycan import SayCan, SayCanConfig
from .memory import MemoryAgent
from .protocol import ActionRecord, Agent, Finished, RecordingAgent, Resettable, reset_agent
from .random import RandomAgent
from .registry import AGENTS, AgentMaker, AgentSpec
from .scripted import ScriptedAgent
from .sequential import SequentialAgent
from .skills.agent import SkillAgent

__all__ = [
    "AGENTS",
    "ActionRecord",
    "Agent",
    "AgentMaker",
    "AgentSpec",
    "Finished",
    "HumanAgent",
    "LmAgent",
    "LmConfig",
    "MemoryAgent",
    "RandomAgent",
    "RecordingAgent",
    "Resettable",
    "SayCan",
    "SayCanConfig",
    "ScriptedAgent",
    "SequentialAgent",
    "SkillAgent",
    "check_agent",
    "reset_agent",
]
