"""pathei: learning through what one lives; agents live in simulators and learn from what they experience.

The records and the store are here; the rest is in its folder: `pathei.envs`, `pathei.agents`, `pathei.collectors`,
`pathei.export`. Importing this imports nothing heavy.
"""

import logging

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
]
