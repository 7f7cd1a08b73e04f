"""What acts: agents that choose at random, play a program, ask a human, ask a language model, or use a memory."""

from .checks import check_agent
from .human import HumanAgent
from .protocol import Agent, Finished, Resettable, Telling, Told, reset_agent
from .random_agent import RandomAgent
from .scripted import ScriptedAgent

__all__ = [
    "Agent",
    "Finished",
    "HumanAgent",
    "RandomAgent",
    "Resettable",
    "ScriptedAgent",
    "Telling",
    "Told",
    "check_agent",
    "reset_agent",
]
