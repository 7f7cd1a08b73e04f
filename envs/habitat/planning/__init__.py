"""What solves tasks in homes: the greedy follower, the oracle's skills, and the view of an episode for searches."""
