"""What generated homes are made of, as tables: rooms, furniture and movable objects, with sizes, colours and places.

Kinds have the names of pathei's VirtualHome houses; `ALIASES` holds Habitat's names for some of them. Not here: how
they are laid out (`layout`, `furnish`), and what a shape looks like (`shapes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from ..backend import Vector


class RoomKind(NamedTuple):
    """A kind of room."""

    area: tuple[float, float]
    """Its smallest and largest area, in square metres."""
    floor: int
    """The colour of its floor."""
    wall: int
    """The colour of its walls."""
    private: bool = False
    """Whether it is entered through one door only, if the others allow."""


class FurnitureKind(NamedTuple):
    """A kind of furniture or appliance."""

    shape: str
    """A name of `shapes.SHAPES`."""
    size: Vector
    """Width, height and depth in metres."""
    colour: int
    other: int
    """The second colour of the shape."""
    rooms: str
    """Where it stands: `"kitchen bathroom"` one in each, `"kitchen*2"` two, `"bedroom?"` in every second one."""
    place: str = "wall"
    """`"wall"` with its back to one; `"middle"` of the room; `"on KIND"`; `"at KIND"` with its front to it; `"by KIND"`
    next to it; `"before KIND"` in front of it."""


class MovableKind(NamedTuple):
    """A kind of thing that can be picked up."""

    shape: str
    size: Vector
    colour: int
    other: int
    places: str
    """Kinds of furniture that it may be on, or in those that open: `"dining_table fridge"`."""
    most: int = 1
    """How many there are at most; at least one where there is a place."""


ROOMS: Final[Mapping[str, RoomKind]] = MappingProxyType(
    {
        "living_room": RoomKind((18, 26), 0xB98F63, 0xE7DFD0),
        "kitchen": RoomKind((11, 16), 0xC8C2B6, 0xE9E6DB),
        "bedroom": RoomKind((12, 16), 0xA98058, 0xD9DEE6, True),
        "bathroom": RoomKind((6, 9), 0xBFCBD1, 0xDCE8EA, True),
        "dining_room": RoomKind((11, 16), 0x9F7449, 0xE6D9CF),
        "home_office": RoomKind((9, 13), 0x8E7355, 0xDDE3D6, True),
        "hallway": RoomKind((8, 12), 0xB7A78F, 0xEAE6DE),
        "laundry_room": RoomKind((6, 9), 0xC4C9C6, 0xE4E6E0, True),
    }
)
"""The kinds of rooms; a home of n rooms has the first n of `ROOM_ORDER`."""
DOOR: Final = "door"
"""The kind of the leaves of doors."""
ROOM_ORDER: Final = (
    "living_room", "kitchen", "bedroom", "bathroom", "dining_room", "home_office", "hallway", "laundry_room",
)  # fmt: skip
HUBS: Final = ("hallway", "living_room", "dining_room", "kitchen")
"""The rooms from which others are entered, the likeliest first."""

_WOOD, _DARK, _WHITE, _STEEL, _BLACK = 0xA87C4F, 0x6B4A2E, 0xEFEFEA, 0xB9BEC3, 0x26282B

FURNITURE: Final[Mapping[str, FurnitureKind]] = MappingProxyType(
    {
        "couch": FurnitureKind("couch", (1.9, 0.85, 0.9), 0x4C6A92, 0x5E7FA9, "living_room"),
        "tv_stand": FurnitureKind("cabinet", (1.3, 0.5, 0.45), _DARK, 0x7D583A, "living_room"),
        "television": FurnitureKind("screen", (1.0, 0.62, 0.2), _BLACK, 0x3A3D42, "living_room", "on tv_stand"),
        "coffee_table": FurnitureKind("table", (0.95, 0.42, 0.55), _WOOD, _DARK, "living_room", "before couch"),
        "armchair": FurnitureKind("couch", (0.85, 0.85, 0.85), 0x8A5A44, 0xA06C53, "living_room?"),
        "bookshelf": FurnitureKind("shelf", (0.9, 1.8, 0.32), _DARK, 0x53391F, "living_room home_office"),
        "floor_lamp": FurnitureKind("lamp", (0.36, 1.6, 0.36), 0xF2DFA8, _BLACK, "living_room?"),
        "houseplant": FurnitureKind("plant", (0.5, 1.1, 0.5), 0x4F8A45, 0xA4552F, "living_room hallway? dining_room?"),
        "fridge": FurnitureKind("cabinet", (0.7, 1.75, 0.68), 0xD5DADD, 0xE3E7E9, "kitchen"),
        "kitchen_counter": FurnitureKind("block", (1.8, 0.9, 0.62), 0xF0ECE2, 0x4A4D50, "kitchen"),
        "stove": FurnitureKind("block", (0.6, 0.9, 0.62), _STEEL, _BLACK, "kitchen"),
        "oven": FurnitureKind("cabinet", (0.6, 1.3, 0.6), 0x3E4246, _BLACK, "kitchen?"),
        "kitchen_cabinet": FurnitureKind("cabinet", (0.9, 1.9, 0.5), 0xE6DFCE, 0xF0EADB, "kitchen"),
        "sink": FurnitureKind("basin", (0.62, 0.88, 0.5), _WHITE, 0xC7D3D8, "kitchen bathroom"),
        "dishwasher": FurnitureKind("cabinet", (0.6, 0.86, 0.6), _STEEL, 0xCDD2D6, "kitchen?"),
        "microwave": FurnitureKind("cabinet", (0.5, 0.3, 0.36), 0xC9CCCF, 0x33363A, "kitchen", "on kitchen_counter"),
        "coffee_maker": FurnitureKind("block", (0.22, 0.35, 0.26), 0x8F2F2A, _BLACK, "kitchen?", "on kitchen_counter"),
        "trashcan": FurnitureKind("bin", (0.34, 0.6, 0.34), 0x6F7478, 0x4E5255, "kitchen"),
        "dining_table": FurnitureKind("table", (1.4, 0.75, 0.85), 0xB88A58, _DARK, "dining_room|kitchen", "middle"),
        "chair": FurnitureKind("chair", (0.44, 0.9, 0.44), 0x9A6B3F, _DARK, "dining_room|kitchen*4", "at dining_table"),
        "sideboard": FurnitureKind("drawers", (1.2, 0.8, 0.42), 0x7A5433, 0x8C6441, "dining_room"),
        "bed": FurnitureKind("bed", (1.6, 1.0, 2.05), 0x8A6544, 0x5C7C8A, "bedroom"),
        "nightstand": FurnitureKind("drawers", (0.45, 0.55, 0.4), _WOOD, 0xB98D60, "bedroom", "by bed"),
        "table_lamp": FurnitureKind("lamp", (0.22, 0.42, 0.22), 0xF5E3B0, _DARK, "bedroom", "on nightstand"),
        "closet": FurnitureKind("cabinet", (1.1, 2.0, 0.58), 0xC9B38F, 0xD6C2A1, "bedroom"),
        "dresser": FurnitureKind("drawers", (1.0, 0.85, 0.45), 0xB08D62, 0xC19E73, "bedroom"),
        "toilet": FurnitureKind("toilet", (0.4, 0.8, 0.68), 0xF4F5F3, 0xFAFAF8, "bathroom"),
        "bathtub": FurnitureKind("basin", (1.6, 0.58, 0.72), 0xF1F3F2, 0xBFD9E0, "bathroom"),
        "bathroom_cabinet": FurnitureKind("cabinet", (0.6, 0.85, 0.36), 0xDDE3E2, 0xEEF2F1, "bathroom"),
        "towel_rack": FurnitureKind("rack", (0.6, 1.0, 0.26), _STEEL, 0xB7A58C, "bathroom?"),
        "washing_machine": FurnitureKind("cabinet", (0.6, 0.86, 0.6), 0xEDEFF0, 0x9DB2C0, "laundry_room|bathroom"),
        "laundry_basket": FurnitureKind("basin", (0.5, 0.5, 0.4), 0xC3A878, 0xE9DFC9, "laundry_room bedroom?"),
        "ironing_board": FurnitureKind("table", (1.2, 0.88, 0.38), 0x8FA5B5, _STEEL, "laundry_room"),
        "desk": FurnitureKind("table", (1.3, 0.74, 0.65), 0xA98558, _BLACK, "home_office|bedroom"),
        "office_chair": FurnitureKind("chair", (0.46, 0.95, 0.46), 0x2F3A4A, _BLACK, "home_office|bedroom", "at desk"),
        "computer": FurnitureKind("screen", (0.55, 0.45, 0.18), _BLACK, 0x4B4F55, "home_office|bedroom", "on desk"),
        "shelf": FurnitureKind("shelf", (0.8, 1.2, 0.32), _WOOD, 0x8D653D, "laundry_room hallway?"),
        "bench": FurnitureKind("block", (1.0, 0.45, 0.38), _WOOD, 0x7C8C6A, "hallway"),
        "coat_rack": FurnitureKind("rack", (0.8, 1.7, 0.3), _DARK, 0x5A4028, "hallway"),
    }
)
"""The kinds of furniture; what stands on, at or by another comes after it."""

_TABLES = "dining_table kitchen_counter coffee_table"
_COLD = "fridge kitchen_counter dining_table"
_STORED = "kitchen_cabinet kitchen_counter"
_CLOTHES = "bed closet dresser couch laundry_basket"
_PAPERS = "coffee_table desk nightstand couch bookshelf dining_table"
_WASHING = "bathroom_cabinet sink towel_rack"
_PLAY = "couch bed coffee_table bookshelf armchair"

MOVABLE: Final[Mapping[str, MovableKind]] = MappingProxyType(
    {
        "cup": MovableKind("dish", (0.09, 0.1, 0.09), 0xC0392B, 0x5A2B24, _TABLES, 2),
        "glass": MovableKind("dish", (0.07, 0.12, 0.07), 0xBFDDE6, 0xE4F2F5, _TABLES, 2),
        "plate": MovableKind("dish", (0.24, 0.03, 0.24), 0xF4F4F0, 0xDDE2E6, f"{_TABLES} sink", 3),
        "bowl": MovableKind("dish", (0.16, 0.08, 0.16), 0x3F7CAC, 0x2A5579, f"{_TABLES} dishwasher", 2),
        "fork": MovableKind("lump", (0.03, 0.015, 0.18), 0xA9AEB2, 0, f"{_TABLES} sink", 2),
        "kitchen_knife": MovableKind("lump", (0.035, 0.02, 0.26), 0x7A7F84, 0, _STORED),
        "pot": MovableKind("dish", (0.24, 0.16, 0.24), 0x54595E, 0x7A8086, "stove kitchen_cabinet"),
        "frying_pan": MovableKind("dish", (0.26, 0.06, 0.26), 0x2B2D30, 0x3D4044, "stove kitchen_cabinet"),
        "apple": MovableKind("lump", (0.08, 0.08, 0.08), 0xC62828, 0, _COLD, 2),
        "banana": MovableKind("lump", (0.18, 0.05, 0.07), 0xF2C832, 0, _COLD),
        "tomato": MovableKind("lump", (0.07, 0.06, 0.07), 0xE2452D, 0, _COLD),
        "bread": MovableKind("lump", (0.24, 0.12, 0.12), 0xC68A4B, 0, "kitchen_counter dining_table kitchen_cabinet"),
        "cheese": MovableKind("lump", (0.14, 0.06, 0.1), 0xF0C24B, 0, _COLD),
        "egg": MovableKind("lump", (0.05, 0.06, 0.05), 0xF0E2CC, 0, "fridge kitchen_counter"),
        "milk": MovableKind("bottle", (0.09, 0.24, 0.09), 0xF7F7F2, 0x3A73B5, "fridge"),
        "juice": MovableKind("bottle", (0.09, 0.24, 0.09), 0xF08C2E, 0xF4B26B, _COLD),
        "wine": MovableKind("bottle", (0.08, 0.31, 0.08), 0x3B5B35, 0x2B2420, "sideboard kitchen_cabinet fridge"),
        "cereal": MovableKind("lump", (0.19, 0.29, 0.07), 0xD9822B, 0, _STORED),
        "cookies": MovableKind("lump", (0.2, 0.06, 0.12), 0x9A5B2E, 0, f"{_STORED} coffee_table"),
        "sponge": MovableKind("lump", (0.11, 0.04, 0.07), 0xE6D34A, 0, "sink kitchen_counter"),
        "book": MovableKind("lump", (0.15, 0.05, 0.22), 0x7B3F61, 0, _PAPERS, 3),
        "magazine": MovableKind("lump", (0.21, 0.015, 0.28), 0x2F9E8F, 0, _PAPERS),
        "newspaper": MovableKind("lump", (0.28, 0.02, 0.2), 0xCFCBC0, 0, _PAPERS),
        "phone": MovableKind("lump", (0.08, 0.015, 0.16), 0x1F2326, 0, "coffee_table nightstand desk"),
        "remote_control": MovableKind("lump", (0.06, 0.02, 0.18), 0x33363A, 0, "coffee_table couch tv_stand"),
        "keys": MovableKind("lump", (0.08, 0.02, 0.06), 0xC9A227, 0, "coffee_table dining_table bench desk nightstand"),
        "wallet": MovableKind("lump", (0.11, 0.02, 0.09), 0x6A3F22, 0, "nightstand desk bench dresser"),
        "photo_frame": MovableKind("lump", (0.18, 0.22, 0.04), 0x8A6B3C, 0, "bookshelf nightstand tv_stand dresser"),
        "clock": MovableKind("lump", (0.14, 0.14, 0.06), 0x2E5E4E, 0, "nightstand bookshelf kitchen_counter shelf"),
        "candle": MovableKind("bottle", (0.07, 0.16, 0.07), 0xEFE3C2, 0xF2A33A, "dining_table coffee_table sideboard"),
        "shirt": MovableKind("lump", (0.3, 0.06, 0.34), 0x4C8C9E, 0, f"{_CLOTHES} washing_machine", 2),
        "pants": MovableKind("lump", (0.28, 0.07, 0.36), 0x39465E, 0, f"{_CLOTHES} washing_machine"),
        "socks": MovableKind("lump", (0.14, 0.05, 0.12), 0xB3B3C6, 0, f"{_CLOTHES} washing_machine"),
        "coat": MovableKind("lump", (0.34, 0.09, 0.4), 0x5B3A2E, 0, "coat_rack closet bed bench"),
        "pillow": MovableKind("lump", (0.42, 0.14, 0.3), 0xE7D9C4, 0, "bed couch armchair", 2),
        "towel": MovableKind("lump", (0.3, 0.08, 0.24), 0x7FB5C9, 0, f"{_WASHING} bathtub shelf", 2),
        "soap": MovableKind("lump", (0.09, 0.04, 0.06), 0xDDA7B8, 0, _WASHING),
        "toothbrush": MovableKind("lump", (0.03, 0.02, 0.18), 0x2FA36B, 0, "bathroom_cabinet sink"),
        "shampoo": MovableKind("bottle", (0.07, 0.2, 0.07), 0x7B5AA6, 0xE8E6F0, "bathtub bathroom_cabinet"),
        "toilet_paper": MovableKind("lump", (0.11, 0.1, 0.11), 0xF5F5F2, 0, "bathroom_cabinet shelf"),
        "iron": MovableKind("lump", (0.13, 0.14, 0.26), 0x5477A8, 0, "ironing_board shelf"),
        "laundry_detergent": MovableKind("bottle", (0.16, 0.28, 0.1), 0xE0662F, 0xF4F4F0, "shelf"),
        "teddy_bear": MovableKind("bottle", (0.2, 0.3, 0.16), 0x9C6B3E, 0xB07F50, _PLAY),
        "toy_car": MovableKind("lump", (0.1, 0.07, 0.2), 0xD33F3F, 0, _PLAY),
        "ball": MovableKind("lump", (0.18, 0.18, 0.18), 0x3E7DD1, 0, "armchair bed shelf bench laundry_basket"),
    }
)
"""The kinds of movable objects."""

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sofa": "couch", "tv": "television", "tv_monitor": "television", "plant": "houseplant",
        "counter": "kitchen_counter", "refrigerator": "fridge", "table": "dining_table", "wardrobe": "closet",
        "bathroom_sink": "sink", "mug": "cup", "sofa_chair": "armchair", "kitchentable": "dining_table",
        "tvstand": "tv_stand", "cellphone": "phone", "kitchencounter": "kitchen_counter",
        "kitchencabinet": "kitchen_cabinet", "trash_can": "trashcan", "lamp": "floor_lamp",
    }
)  # fmt: skip
"""Habitat's and other names for kinds, as they are understood in actions and goals."""
