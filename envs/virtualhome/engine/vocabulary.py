"""The words of VirtualHome's evolving graph: relations, states, properties, and the classes that rules single out.

Source: the evolving graph of VirtualHome (tags v1.0.0 and 2.3.0), whose enumerations these are.
"""

from typing import Final

RELATIONS: Final = ("ON", "INSIDE", "BETWEEN", "CLOSE", "FACING", "HOLDS_RH", "HOLDS_LH", "SITTING")
ON, INSIDE, BETWEEN, CLOSE, FACING, HOLDS_RH, HOLDS_LH, SITTING_ON = range(8)
"""A relation as a number: its place in `RELATIONS`. No action writes the eighth; only some graph files hold it."""

HANDS: Final = (HOLDS_RH, HOLDS_LH)
"""In the order in which a free hand is looked for."""

STATES: Final = (
    "CLOSED",
    "OPEN",
    "ON",
    "OFF",
    "SITTING",
    "DIRTY",
    "CLEAN",
    "LYING",
    "PLUGGED_IN",
    "PLUGGED_OUT",
)

PROPERTIES: Final = frozenset(
    "SURFACES GRABBABLE SITTABLE LIEABLE HANGABLE DRINKABLE EATABLE RECIPIENT CUTTABLE POURABLE CAN_OPEN HAS_SWITCH "
    "READABLE LOOKABLE CONTAINERS CLOTHES PERSON BODY_PART COVER_OBJECT HAS_PLUG HAS_PAPER MOVABLE CREAM".split()
)

ROOM_CATEGORY: Final = "Rooms"
BACKDROP_CATEGORIES: Final = frozenset({"Walls", "Ceiling", "Floor", "Floors", "Windows"})
CHARACTER_CLASS: Final = "character"
DOOR_CLASSES: Final = ("door", "doorjamb")

SEATS: Final = {"couch": 4, "bed": 4, "chair": 1, "loveseat": 2, "sofa": 4, "toilet": 1, "pianobench": 2, "bench": 2}
"""How many may sit on one of this class; 1 for every other."""

BERTHS: Final = {"couch": 2, "bathtub": 2, "bed": 3, "loveseat": 2, "sofa": 2, "bench": 1}
"""How many may lie on one of this class; 1 for every other."""

SQUEEZABLE: Final = frozenset(
    "cleaning_solution tooth_paste shampoo food_peanut_butter dish_soap soap towel rag paper sponge food_lemon "
    "check".split()
)
