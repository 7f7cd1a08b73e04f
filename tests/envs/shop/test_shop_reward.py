"""The shop's reward against WebShop's own, and the search against BM25 written out.

The table was made by running `get_reward` of princeton-nlp/WebShop (commit 64fa2a5, thefuzz 0.22.1) on the generated
catalogue, with a tagger that takes every word of letters that is no stop word for a noun, as `plain_nouns` does;
`benchmarks/envs/shop.py --original` compares whole episodes.
"""

import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.documents.ranking import STOPWORDS, Bm25, porter
from pathei.envs.shop.goals import ShopGoal
from pathei.envs.shop.reward import alike, asked_options, colour_of, plain_nouns, reward, spacy_nouns
from pathei.envs.shop.shops import shop_named
from pathei.errors import MissingDependencyError

# Kind of goal and its number, what was bought, the options chosen, WebShop's reward.
GOLDEN = (
    ("human", 384, "B0XTXWF7Y8", ["pack of 6"], 0.0),
    ("human", 2850, "B0N5NJEVLA", ["24 inches"], 0.0),
    ("synthetic", 8991, "B07HY1RD0P", ["khaki", "x-small"], 0.0),
    ("synthetic", 1500, "B0XC3AY3CJ", ["6 feet", "deluxe"], 0.016667),
    ("human", 202, "B0GW7PUEY5", ["red"], 0.016667),
    ("synthetic", 6878, "B0MH8XYK1N", ["pink"], 0.016667),
    ("human", 886, "B00KH9GENM", ["yellow", "medium"], 0.02),
    ("synthetic", 71, "B0UYAREJ0B", ["dark blue", "x-large"], 0.02),
    ("synthetic", 12133, "B0FY81W3B6", ["pink", "deluxe"], 0.02),
    ("synthetic", 10809, "B00AME2HKP", ["tablet 9", "modern"], 0.025),
    ("synthetic", 2029, "B0R71DPEM3", ["brown"], 0.025),
    ("human", 3196, "B07BVKB52U", ["phone 13", "slim"], 0.025),
    ("human", 2943, "B0Q60E9KZ5", ["yellow", "x-small"], 0.033333),
    ("human", 510, "B0WMB51XAS", ["blue"], 0.033333),
    ("synthetic", 8244, "B0Q3JYX68T", ["classic"], 0.033333),
    ("synthetic", 14069, "B00K9NSHFV", ["dark blue", "small"], 0.04),
    ("synthetic", 10593, "B0HNH2U8G4", ["beige"], 0.05),
    ("synthetic", 2438, "B0Q3JYX68T", ["classic"], 0.05),
    ("synthetic", 1828, "B0LDJZ7ZRT", ["brown", "large"], 0.05),
    ("synthetic", 8917, "B09ZLLL3EY", ["khaki", "34w x 32l"], 0.06),
    ("human", 956, "B0SBDD9K4Z", ["15 feet", "family"], 0.066667),
    ("synthetic", 14908, "B0531RTN8R", ["teal", "large"], 0.075),
    ("human", 1097, "B09NGVL671", ["coconut", "12 fl oz"], 0.083333),
    ("synthetic", 1255, "B009MQ5YP6", ["black"], 0.083333),
    ("human", 729, "B0QH37WE8H", ["sea salt", "2 pound"], 0.083333),
    ("synthetic", 1824, "B08U73E45X", ["garlic"], 0.1),
    ("synthetic", 14318, "B0NW1VP5YB", ["beige", "x-large"], 0.1),
    ("synthetic", 15558, "B0NKP8LDPW", ["slim"], 0.1),
    ("synthetic", 10800, "B08CUU46AV", ["olive"], 0.125),
    ("human", 1038, "B0CUYKUW4C", ["pack of 2"], 0.125),
    ("synthetic", 10843, "B0XQWLEY1S", ["modern", "pack of 2"], 0.125),
    ("human", 2689, "B05KW27B82", ["dark blue", "6 x 9 feet"], 0.166667),
    ("synthetic", 3687, "B0E88X6F73", ["4 fl oz"], 0.166667),
    ("human", 2221, "B0MFUXETHM", ["red"], 0.166667),
    ("human", 1704, "B0GHHA25TA", ["eucalyptus", "4 fl oz"], 0.2),
    ("synthetic", 7102, "B0KZW70M2B", ["pack of 4"], 0.2),
    ("synthetic", 10644, "B0R08A0DF4", ["12 fl oz", "citrus"], 0.2),
    ("human", 1192, "B09Y4LWQ7K", ["family"], 0.25),
    ("synthetic", 2069, "B0U3C0XYH9", [], 0.25),
    ("synthetic", 6384, "B0P8GHC3DV", ["deluxe", "pack of 1"], 0.25),
    ("human", 2535, "B09X41ALD8", ["strawberry", "2 pound"], 0.3),
    ("human", 3187, "B01ZHTGQU5", ["vanilla", "12 ounce"], 0.3),
    ("human", 2458, "B0YAM5GA0T", ["burgundy"], 0.3),
    ("human", 1415, "B0AXJZ54HX", ["light grey"], 0.333333),
    ("synthetic", 10603, "B0P11EG5YE", ["sea salt", "pack of 12"], 0.333333),
    ("human", 642, "B01WZZ38JP", ["ivory", "32w x 32l"], 0.333333),
    ("synthetic", 3293, "B04NGQX7BF", ["maple", "pack of 6"], 0.375),
    ("human", 1293, "B04DTJJ1YJ", ["family"], 0.375),
    ("human", 2419, "B0P1E7GHX2", ["white", "x-large"], 0.4),
    ("synthetic", 12961, "B0S08WU4WM", ["256gb"], 0.4),
    ("human", 2049, "B0KSHLL380", ["x-large"], 0.4),
    ("synthetic", 11247, "B0531RTN8R", ["burgundy", "large"], 0.5),
    ("synthetic", 8318, "B044X3TJD9", ["lemon"], 0.5),
    ("synthetic", 5670, "B02SXLTRPB", ["navy"], 0.5),
    ("synthetic", 12743, "B0AYFBWVQG", ["12 fl oz"], 0.6),
    ("synthetic", 11708, "B0ZAJK9E1T", ["red"], 0.6),
    ("synthetic", 3861, "B0SFVDPQTE", ["ivory", "xx-large"], 0.6),
    ("synthetic", 2654, "B0M0DRTW6B", ["olive", "6"], 0.666667),
    ("human", 1369, "B07483TUCP", ["2 fl oz"], 0.666667),
    ("synthetic", 1117, "B01X7PN4TR", ["deluxe"], 0.666667),
    ("synthetic", 9650, "B01CFSJ5ZE", ["ivory", "slim"], 0.75),
    ("synthetic", 1870, "B0YXHGC0ST", ["garlic", "pack of 3"], 0.75),
    ("synthetic", 8924, "B0MD1L14GK", ["olive", "10"], 0.75),
    ("human", 2331, "B0H7ZQ1G2J", ["original", "5 pound"], 0.8),
    ("human", 1300, "B0QN5LUTV7", ["khaki"], 0.8),
    ("human", 3447, "B06Y603F2Z", ["5 pound"], 0.8),
    ("human", 2971, "B0ZBVSX1N2", ["classic"], 0.833333),
    ("synthetic", 1123, "B0S1HXREWK", ["charcoal", "modern"], 0.833333),
    ("human", 2990, "B042J1TTN0", ["light grey", "x-small"], 0.833333),
    ("synthetic", 14191, "B08WZCDL9G", ["purple"], 1.0),
    ("human", 3383, "B0CKSV61NE", ["caramel"], 1.0),
    ("human", 197, "B0R67932H2", ["2 fl oz", "vanilla"], 1.0),
)


@pytest.mark.parametrize(("kind", "number", "asin", "chosen", "expected"), GOLDEN)
def test_the_reward_is_webshops(kind: str, number: int, asin: str, chosen: list[str], expected: float) -> None:
    shop = shop_named("generated")
    goal, bought = shop.goals(kind).all[number], shop.catalogue.by_asin[asin]
    wanted = shop.catalogue.by_asin[goal.asin]
    earned = reward(bought, chosen, shop.catalogue.price(bought), goal, wanted, plain_nouns)
    assert earned.total == pytest.approx(expected, abs=1e-6)


def test_words_are_compared_as_sets_after_thefuzz_preparation() -> None:
    assert alike("Easy to CLEAN!", "clean easy")
    assert alike("caf\u00e9 noir", "caf noir")  # what is beyond ASCII and within Latin-1 is dropped
    assert not alike("easy clean", "easy care")


def test_colours_are_reduced_to_the_first_that_is_in_them() -> None:
    assert colour_of("dark navy blue") == "blue"
    assert colour_of("size 7") == "size 7"
    named = ShopGoal("", "", (), {"color": "navy", "size": "rose gold"}, 1.0)
    assert asked_options(named) == ["navy", "('size', 'rose gold')"]
    assert asked_options(named._replace(options=("rose gold",))) == ["gold"]


def test_some_named_options_cannot_be_met_by_webshops_own_rule() -> None:
    named = ShopGoal("", "", (), {"scent": "sandalwood"}, 1.0)
    (asked,) = asked_options(named)
    assert colour_of("sandalwood") == "sand"
    assert not alike(colour_of("sandalwood"), asked)


def test_nouns_are_words_of_letters() -> None:
    assert plain_nouns("The Pack of 3 Men's T-Shirts, 100%") == ("pack", "men", "s", "t", "shirts")


def test_a_tagger_that_is_missing_is_named() -> None:
    with pytest.raises(MissingDependencyError, match="no_such_model"):
        spacy_nouns("no_such_model")


TEXTS = (
    "A red wool coat for the winter, red as wine",
    "wool socks",
    "the winter's tale",
    "",
    "red red red paint",
    "coats and coating in wool",
)


def plain_bm25(query: str, texts: tuple[str, ...]) -> list[float]:
    """Score the texts by the formula, one by one."""
    stem = porter()

    def terms(text: str) -> list[str]:
        words = [re.sub("'s$", "", word) for word in re.findall(r"\w+(?:['.]\w+)*", text.lower())]
        return [stem(word) for word in words if word not in STOPWORDS]

    counts = [Counter(terms(text)) for text in texts]
    mean = sum(sum(count.values()) for count in counts) / len(texts)
    scores = []
    for count in counts:
        score = 0.0
        for term in terms(query):
            having = sum(term in other for other in counts)
            rarity = math.log(1 + (len(texts) - having + 0.5) / (having + 0.5))
            length = sum(count.values())
            score += rarity * count[term] / (count[term] + 0.9 * (1 - 0.4 + 0.4 * length / mean))
        scores.append(score)
    return scores


@given(st.lists(st.sampled_from("red wool coat winter paint tale the sock nothing".split()), max_size=5))
def test_the_ranking_is_bm25(words: list[str]) -> None:
    query = " ".join(words)
    scores = plain_bm25(query, TEXTS)
    found = Bm25(TEXTS).search(query, 10)
    assert set(found) == {place for place, score in enumerate(scores) if score > 0}
    assert np.allclose([scores[place] for place in found], sorted((s for s in scores if s > 0), reverse=True))


@given(st.integers(1, 8))
def test_ties_at_the_edge_fall_by_order(k: int) -> None:
    assert Bm25(["same words"] * 6).search("words", k) == tuple(range(min(k, 6)))
