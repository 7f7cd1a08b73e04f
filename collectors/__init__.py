"""What plays tasks and yields experience: exploration, in one process or in many, and the way into a store."""

from .checks import check_collector
from .coverage import Coverage
from .protocol import Collector, episode_seed
from .rollout.collect import CollectReport, gather
from .rollout.episode import Recorder, play, play_or_fail
from .rollout.explore import Explore
from .rollout.pool import collect_parallel

__all__ = [
    "CollectReport",
    "Collector",
    "Coverage",
    "Explore",
    "Recorder",
    "check_collector",
    "collect_parallel",
    "episode_seed",
    "gather",
    "play",
    "play_or_fail",
]
