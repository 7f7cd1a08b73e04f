"""The lines of admissible actions: those of the engine's own list, in its order, whatever was listed before."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pathei.envs.virtualhome.engine.profiles import PROFILES, rules_named
from pathei.envs.virtualhome.engine.world import World
from pathei.envs.virtualhome.houses.scenes import load_scene
from pathei.envs.virtualhome.language.listing import Listing
from pathei.envs.virtualhome.language.observation import nameable
from pathei.envs.virtualhome.language.script import parse_line, write_line


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(PROFILES)), st.integers(0, 3), st.randoms(use_true_random=False))
def test_lines_are_those_of_the_admissible_actions(profile: str, house: int, draws: random.Random) -> None:
    rules = rules_named(profile)
    world = World(load_scene(f"house:{house}", rules), rules)
    listing, who = Listing(world), world.characters[0]
    for _ in range(12):
        everything = world.admissible(who)
        perceived = world.admissible(who, nameable(world, who))
        assert listing.everything(world, who) == tuple(write_line(one, world.scene, rules) for one in everything)
        assert listing.perceived(world, who) == tuple(write_line(one, world.scene, rules) for one in perceived)
        assert all(listing.known[write_line(one, world.scene, rules)] == one for one in everything)
        if everything:
            world.act(draws.choice(perceived or everything), who)
    assert all(parse_line(line, world.scene, rules) == one for line, one in listing.known.items())
