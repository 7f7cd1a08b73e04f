"""pathei: learning through what one lives; agents live in simulators and learn from what they experience.

The records, the store and the verbs (`collect`, `finetune`, ...) are here.
The rest is in its folder: `pathei.envs`, `pathei.agents`, `pathei.collectors`,
`pathei.export`. Importing this imports nothing heavy.
"""

import logging

from .api import collect, evaluate, finetune, generate_tasks, make_agent, make_env, open_memory, run_loop
from .errors import PatheiError
from .experience import Failure, Goal, Observation, Parent, Record, Step, Task, Tokens, Trajectory
from .store import ExperienceStore

__version__ = "0.1.0"

# A library logs nothing unless the program asks for it (`pathei.logs.show_logs`, or `logging.basicConfig`).
logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = [
    "ExperienceStore",
    "Failure",
    "Goal",
    "Observation",
    "Parent",
    "PatheiError",
    "Record",
    "Step",
    "Task",
    "Tokens",
    "Trajectory",
    "__version__",
    "collect",
    "evaluate",
    "finetune",
    "generate_tasks",
    "make_agent",
    "make_env",
    "open_memory",
    "run_loop",
]
