"""What plays tasks and yields experience: exploration, in one process or in many, and the way into a store."""

from .checks import check_collector
from .coverage import Coverage
from .episode import Recorder, play, play_or_fail
from .explore import Explore
from .gather import Gathered, gather
from .pool import collect_parallel
from .protocol import Collector, episode_seed

__all__ = [
    "Collector",
    "Coverage",
    "Explore",
    "Gathered",
    "Recorder",
    "check_collector",
    "collect_parallel",
    "episode_seed",
    "gather",
    "play",
    "play_or_fail",
]
