"""Step an environment: it is a gymnasium environment whose observations and actions are text, with snapshots."""

import pathei
from pathei.envs import restore, snapshot


def main() -> None:
    """Walk about in a generated house, and go back to where a snapshot was taken."""
    env = pathei.make_env("virtualhome")
    observation, info = env.reset(seed=0)
    print(observation, f"\n{len(info['actions'])} actions are possible, such as {info['actions'][0]}")
    before = snapshot(env)  # the whole state, wrappers and random state included
    for action in info["actions"][:3]:
        observation, reward, terminated, truncated, info = env.step(action)
        print(f"\n> {action}   reward {reward:+.1f}{'   over' if terminated or truncated else ''}")
        print("\n".join(observation.splitlines()[:4]))
        restore(env, before)  # each action is tried from the same state
    observation = env.step("[Fly] <moon> (1)")[0]
    print("\nAn action that cannot be done changes nothing and is explained:", observation.splitlines()[0])
    env.close()


if __name__ == "__main__":
    main()
