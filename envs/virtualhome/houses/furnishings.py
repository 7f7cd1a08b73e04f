"""What generated houses are made of: rooms, furniture and things, as tables. `houses` reads them.

To add something, add a row (or build a `FurnishingCatalogue` of your own and give it to `generate_house`):

    Thing("umbrella", "Props", "GRABBABLE", "at hallway living_room; in closet")

Names, categories and properties follow VirtualHome's vocabulary; the choice is ours. States follow from properties:
what can be opened is CLOSED or OPEN, what has a switch OFF or ON, what has a plug PLUGGED_IN or PLUGGED_OUT. `odds`
holds the chance of the rarer one where it is not `ODDS`. Only what names DIRTY there is DIRTY or CLEAN.
Not here: sizes, positions and materials.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

ODDS: Final = MappingProxyType({"OPEN": 0.12, "ON": 0.15, "PLUGGED_OUT": 0.08})
"""The chance that something starts open, switched on or unplugged, unless its row says otherwise."""


@dataclass(frozen=True, slots=True)
class FurniturePiece:
    """Furniture, an appliance or a fixture: it stands in a certain room, or on another piece there."""

    name: str
    category: str
    properties: str
    rooms: str
    """Where there is one: `"kitchen bathroom"` is one in each; `"dining_room|kitchen"` in the first of these that the
    house has; `"kitchen=1..2"` one or two; `"*"` in every room."""
    on: str = ""
    """What it stands on, if that is in the room; the first of several."""
    odds: str = ""
    """Chances of starting states: `"OPEN=0.3 DIRTY=0.5"`."""
    beside: str = ""
    """What it is CLOSE to, if that is in the room."""
    faces: str = ""
    """What it is FACING, if that is in the room."""


@dataclass(frozen=True, slots=True)
class HouseItem:
    """Something that lies about, or is put away."""

    name: str
    category: str
    properties: str
    places: str
    """Where it may be; each place is as likely as the others: `"on desk coffee_table; in closet; at kitchen|hallway"`.
    A name may be limited to a room: `"in sink@kitchen"`. `at` names rooms, in whose middle it then stands."""
    amount: str = "1"
    """How many there are: `"2"`, `"0..1"`. The lower number is always there; the rest if the house is large enough."""
    odds: str = ""
    """As for a `FurniturePiece`."""


@dataclass(frozen=True, slots=True, eq=False)
class FurnishingCatalogue:
    """Everything that a house may be made of."""

    rooms: tuple[str, ...]
    """The rooms that every house begins with, in this order; a house of three rooms has the first three."""
    more_rooms: tuple[str, ...]
    """The further rooms of a larger house."""
    hubs: tuple[str, ...]
    """Rooms from which others are entered; the first that there is lies in the middle of the house."""
    private: tuple[str, ...]
    """Rooms that have a real door, and through which no way leads on."""
    pieces: tuple[FurniturePiece, ...]
    things: tuple[HouseItem, ...]
    """What contains others comes before them."""


_LIDDED: Final = "CAN_OPEN CONTAINERS GRABBABLE MOVABLE"
_MACHINE: Final = "CAN_OPEN CONTAINERS HAS_SWITCH HAS_PLUG"
_DEVICE: Final = "HAS_SWITCH HAS_PLUG GRABBABLE MOVABLE"
_SCREEN: Final = "HAS_SWITCH HAS_PLUG LOOKABLE"
_STAYS_OFF: Final = "ON=0.05"

PIECES: Final = (
    # every room
    FurniturePiece("floor", "Floor", "SURFACES", "*", odds="DIRTY=0.5"),
    FurniturePiece("light", "Lamps", "HAS_SWITCH", "*", odds="ON=0.4"),
    FurniturePiece("window", "Windows", "CAN_OPEN", "bedroom living_room", odds="OPEN=0.3"),
    FurniturePiece("curtain", "Decor", "CAN_OPEN COVER_OBJECT", "bedroom", odds="OPEN=0.85", beside="window"),
    # kitchen
    FurniturePiece("kitchen_counter", "Furniture", "SURFACES", "kitchen", odds="DIRTY=0.5"),
    FurniturePiece("kitchen_cabinet", "Furniture", "CAN_OPEN CONTAINERS SURFACES", "kitchen"),
    FurniturePiece("fridge", "Appliances", _MACHINE, "kitchen", odds="ON=1 PLUGGED_OUT=0"),
    FurniturePiece(
        "stove", "Appliances", "HAS_SWITCH SURFACES", "kitchen", odds="ON=0.05 DIRTY=0.4", beside="kitchen_counter"
    ),
    FurniturePiece("oven", "Appliances", _MACHINE, "kitchen", odds=_STAYS_OFF, beside="stove"),
    FurniturePiece("microwave", "Appliances", _MACHINE, "kitchen", "kitchen_counter", _STAYS_OFF),
    FurniturePiece("dishwasher", "Appliances", _MACHINE, "kitchen", odds=_STAYS_OFF),
    FurniturePiece(
        "coffee_maker", "Appliances", "HAS_SWITCH HAS_PLUG RECIPIENT", "kitchen", "kitchen_counter", _STAYS_OFF
    ),
    FurniturePiece(
        "toaster", "Appliances", "HAS_SWITCH HAS_PLUG CONTAINERS MOVABLE", "kitchen", "kitchen_counter", _STAYS_OFF
    ),
    FurniturePiece("sink", "Furniture", "RECIPIENT CONTAINERS", "kitchen bathroom", odds="DIRTY=0.5"),
    FurniturePiece("faucet", "Furniture", "HAS_SWITCH", "kitchen bathroom", odds=_STAYS_OFF, beside="sink"),
    FurniturePiece("trashcan", "Furniture", "CAN_OPEN CONTAINERS MOVABLE", "kitchen", odds="OPEN=0.5"),
    FurniturePiece("dining_table", "Furniture", "SURFACES MOVABLE", "dining_room|kitchen", odds="DIRTY=0.5"),
    FurniturePiece("chair", "Furniture", "SITTABLE SURFACES GRABBABLE", "dining_room|kitchen=2", beside="dining_table"),
    # living room
    FurniturePiece(
        "couch", "Furniture", "SITTABLE LIEABLE SURFACES MOVABLE", "living_room|bedroom", faces="television"
    ),
    FurniturePiece(
        "armchair", "Furniture", "SITTABLE SURFACES MOVABLE", "living_room=0..1", beside="couch", faces="television"
    ),
    FurniturePiece(
        "coffee_table", "Furniture", "SURFACES MOVABLE", "living_room|bedroom", odds="DIRTY=0.5", beside="couch"
    ),
    FurniturePiece("tv_stand", "Furniture", "SURFACES", "living_room|bedroom"),
    FurniturePiece("television", "Electronics", _SCREEN, "living_room|bedroom", "tv_stand", odds="ON=0.4"),
    FurniturePiece("bookshelf", "Furniture", "SURFACES CONTAINERS", "home_office|living_room|bedroom"),
    FurniturePiece(
        "floor_lamp", "Lamps", "HAS_SWITCH HAS_PLUG MOVABLE", "living_room|bedroom", beside="couch", odds="ON=0.3"
    ),
    FurniturePiece("radio", "Electronics", _DEVICE, "living_room|bedroom", "tv_stand", odds="ON=0.3"),
    FurniturePiece("houseplant", "Decor", "RECIPIENT MOVABLE", "living_room|kitchen", "coffee_table"),
    # bedroom
    FurniturePiece("bed", "Furniture", "LIEABLE SITTABLE SURFACES", "bedroom kids_bedroom", faces="television"),
    FurniturePiece(
        "nightstand", "Furniture", "CAN_OPEN CONTAINERS SURFACES", "bedroom kids_bedroom=0..1", beside="bed"
    ),
    FurniturePiece("table_lamp", "Lamps", _DEVICE, "bedroom kids_bedroom=0..1", "nightstand", odds="ON=0.3"),
    FurniturePiece("closet", "Furniture", "CAN_OPEN CONTAINERS", "bedroom hallway=0..1"),
    FurniturePiece("dresser", "Furniture", "CAN_OPEN CONTAINERS SURFACES", "bedroom=0..1"),
    FurniturePiece(
        "toy_box", "Furniture", "CAN_OPEN CONTAINERS MOVABLE", "kids_bedroom|living_room|bedroom", odds="OPEN=0.4"
    ),
    # home office, or a corner of another room
    FurniturePiece("desk", "Furniture", "SURFACES MOVABLE", "home_office|bedroom", odds="DIRTY=0.5"),
    FurniturePiece(
        "chair", "Furniture", "SITTABLE SURFACES GRABBABLE", "home_office|bedroom", beside="desk", faces="computer"
    ),
    FurniturePiece("computer", "Electronics", _SCREEN, "home_office|bedroom", "desk", odds="ON=0.4"),
    FurniturePiece("keyboard", "Electronics", "GRABBABLE MOVABLE", "home_office|bedroom", "desk"),
    FurniturePiece("mouse", "Electronics", "GRABBABLE MOVABLE", "home_office|bedroom", "desk"),
    # bathroom and laundry
    FurniturePiece("toilet", "Furniture", "SITTABLE CAN_OPEN", "bathroom", odds="DIRTY=0.5"),
    FurniturePiece("bathtub", "Furniture", "LIEABLE SITTABLE RECIPIENT CONTAINERS", "bathroom", odds="DIRTY=0.5"),
    FurniturePiece("bathroom_cabinet", "Furniture", "CAN_OPEN CONTAINERS SURFACES", "bathroom", beside="sink"),
    FurniturePiece("towel_rack", "Furniture", "SURFACES", "bathroom", beside="bathtub"),
    FurniturePiece("washing_machine", "Appliances", _MACHINE, "laundry_room|bathroom", odds=_STAYS_OFF),
    FurniturePiece("laundry_basket", "Furniture", "CONTAINERS GRABBABLE MOVABLE", "laundry_room|bedroom"),
    FurniturePiece("ironing_board", "Furniture", "SURFACES MOVABLE", "laundry_room"),
    FurniturePiece("shelf", "Furniture", "SURFACES", "laundry_room hallway=0..1 kids_bedroom=0..1"),
    FurniturePiece("bench", "Furniture", "SITTABLE SURFACES", "hallway"),
    FurniturePiece("coat_rack", "Furniture", "SURFACES", "hallway"),
    FurniturePiece("sideboard", "Furniture", "CAN_OPEN CONTAINERS SURFACES", "dining_room=0..1"),
)

_DISHES = "on dining_table kitchen_counter coffee_table; in sink@kitchen kitchen_cabinet kitchen_cabinet"
_COLD = "in fridge fridge; on kitchen_counter dining_table"
_FRUIT = "on kitchen_counter dining_table; in fridge"
_CLOTHES = "in closet dresser laundry_basket; on bed couch chair"
_PLAYTHINGS = "at kids_bedroom living_room bedroom; on bed couch shelf coffee_table; in toy_box box"
_WASHROOM = "on bathroom_cabinet towel_rack; in bathroom_cabinet"
_CLEANING = "at kitchen laundry_room bathroom; in closet"
_PAPERS = "on desk coffee_table nightstand dining_table couch bed; in backpack"

THINGS: Final = (
    # what holds other things
    HouseItem("box", "Props", _LIDDED, "in closet closet; on shelf dresser", "1..2", "OPEN=0.3"),
    HouseItem("backpack", "Props", _LIDDED, "in closet closet; at hallway living_room; on chair"),
    HouseItem("lunch_box", "Props", "CAN_OPEN CONTAINERS GRABBABLE", "in kitchen_cabinet; on kitchen_counter", "0..1"),
    HouseItem("pot", "Props", "RECIPIENT CONTAINERS GRABBABLE", "in kitchen_cabinet; on stove", odds="DIRTY=0.4"),
    HouseItem(
        "frying_pan", "Props", "RECIPIENT CONTAINERS GRABBABLE", "in kitchen_cabinet; on stove", "0..1", "DIRTY=0.4"
    ),
    # dishes
    HouseItem("plate", "Props", "RECIPIENT SURFACES GRABBABLE", _DISHES, "2..4", "DIRTY=0.5"),
    HouseItem("bowl", "Props", "RECIPIENT CONTAINERS GRABBABLE", _DISHES, "0..2", "DIRTY=0.5"),
    HouseItem("cup", "Props", "RECIPIENT GRABBABLE", _DISHES, "1..2", "DIRTY=0.5"),
    HouseItem("glass", "Props", "RECIPIENT GRABBABLE", _DISHES, "1..3", "DIRTY=0.4"),
    HouseItem("fork", "Props", "GRABBABLE", _DISHES, "1..3", "DIRTY=0.4"),
    HouseItem("spoon", "Props", "GRABBABLE", _DISHES, "0..2", "DIRTY=0.4"),
    HouseItem("kitchen_knife", "Props", "GRABBABLE", "in kitchen_cabinet; on kitchen_counter", "1", "DIRTY=0.3"),
    # food
    HouseItem("apple", "Food", "EATABLE CUTTABLE GRABBABLE", _FRUIT, "1..2"),
    HouseItem("banana", "Food", "EATABLE CUTTABLE GRABBABLE", _FRUIT, "0..2"),
    HouseItem("tomato", "Food", "EATABLE CUTTABLE GRABBABLE", _COLD, "0..2"),
    HouseItem("bread", "Food", "EATABLE CUTTABLE GRABBABLE", "on kitchen_counter dining_table; in kitchen_cabinet"),
    HouseItem("cheese", "Food", "EATABLE CUTTABLE GRABBABLE", _COLD, "0..1"),
    HouseItem("egg", "Food", "EATABLE GRABBABLE", _COLD, "0..2"),
    HouseItem("chicken", "Food", "EATABLE CUTTABLE GRABBABLE", _COLD),
    HouseItem("pie", "Food", "EATABLE CUTTABLE GRABBABLE", _COLD, "0..1"),
    HouseItem("soup", "Food", "EATABLE POURABLE GRABBABLE", "in fridge kitchen_cabinet; on kitchen_counter", "0..1"),
    HouseItem("cereal", "Food", "EATABLE POURABLE GRABBABLE", "in kitchen_cabinet; on kitchen_counter", "0..1"),
    HouseItem("cookies", "Food", "EATABLE GRABBABLE", "in kitchen_cabinet; on kitchen_counter coffee_table", "0..1"),
    # drinks
    HouseItem("water", "Drinks", "DRINKABLE POURABLE GRABBABLE", "in fridge; on kitchen_counter dining_table"),
    HouseItem("juice", "Drinks", "DRINKABLE POURABLE GRABBABLE", _COLD),
    HouseItem("milk", "Drinks", "DRINKABLE POURABLE GRABBABLE", _COLD, "0..1"),
    HouseItem("wine", "Drinks", "DRINKABLE POURABLE GRABBABLE", "in fridge kitchen_cabinet sideboard", "0..1"),
    HouseItem("ground_coffee", "Food", "POURABLE GRABBABLE", "in kitchen_cabinet; on kitchen_counter"),
    HouseItem("tea_bag", "Food", "GRABBABLE", "in kitchen_cabinet", "0..1"),
    # reading and writing
    HouseItem("book", "Props", "READABLE HAS_PAPER GRABBABLE", _PAPERS + " box; on bookshelf", "2..4"),
    HouseItem("newspaper", "Props", "READABLE HAS_PAPER GRABBABLE", _PAPERS),
    HouseItem("magazine", "Props", "READABLE HAS_PAPER GRABBABLE", _PAPERS, "0..1"),
    HouseItem("notebook", "Props", "READABLE HAS_PAPER GRABBABLE", "on desk nightstand; in backpack", "0..1"),
    HouseItem("pen", "Props", "GRABBABLE", "on desk coffee_table; in backpack nightstand", "0..2"),
    HouseItem("envelope", "Props", "READABLE HAS_PAPER CAN_OPEN GRABBABLE", "on desk bench dining_table", "0..1"),
    # clothes and linen
    HouseItem("shirt", "Clothes", "CLOTHES GRABBABLE HANGABLE", _CLOTHES, "1..3", "DIRTY=0.6"),
    HouseItem("pants", "Clothes", "CLOTHES GRABBABLE HANGABLE", _CLOTHES, "1..2", "DIRTY=0.6"),
    HouseItem("dress", "Clothes", "CLOTHES GRABBABLE HANGABLE", _CLOTHES, "0..1", "DIRTY=0.4"),
    HouseItem("sweater", "Clothes", "CLOTHES GRABBABLE HANGABLE", _CLOTHES + "; in box box", "0..1", "DIRTY=0.4"),
    HouseItem("socks", "Clothes", "CLOTHES GRABBABLE", _CLOTHES, "1..2", "DIRTY=0.6"),
    HouseItem("coat", "Clothes", "CLOTHES GRABBABLE HANGABLE", "in closet; on coat_rack chair"),
    HouseItem(
        "shoes", "Clothes", "CLOTHES GRABBABLE", "in closet box box; at hallway living_room", "0..1", odds="DIRTY=0.4"
    ),
    HouseItem("pillow", "Props", "GRABBABLE MOVABLE", "on bed couch couch armchair", "2..3"),
    HouseItem("blanket", "Props", "GRABBABLE COVER_OBJECT", "on bed couch; in closet", "0..1"),
    HouseItem("towel", "Props", "GRABBABLE COVER_OBJECT HANGABLE", _WASHROOM + " closet", "2..3", "DIRTY=0.4"),
    # washing and cleaning
    HouseItem("soap", "Props", "GRABBABLE CREAM", "on bathroom_cabinet; in bathroom_cabinet sink@bathroom"),
    HouseItem("toothbrush", "Props", "GRABBABLE RECIPIENT", _WASHROOM),
    HouseItem("tooth_paste", "Props", "GRABBABLE POURABLE CREAM", _WASHROOM),
    HouseItem("shampoo", "Props", "GRABBABLE POURABLE CREAM", _WASHROOM, "0..1"),
    HouseItem("toilet_paper", "Props", "GRABBABLE HAS_PAPER", "at bathroom; in closet bathroom_cabinet", "0..2"),
    HouseItem("sponge", "Props", "GRABBABLE", "on kitchen_counter; in sink@kitchen kitchen_cabinet"),
    HouseItem("dish_soap", "Props", "GRABBABLE POURABLE CREAM", "on kitchen_counter; in kitchen_cabinet", "0..1"),
    HouseItem(
        "laundry_detergent", "Props", "GRABBABLE POURABLE", "on shelf; in bathroom_cabinet; at laundry_room", "0..1"
    ),
    HouseItem(
        "rag", "Props", "GRABBABLE COVER_OBJECT", "on kitchen_counter; in kitchen_cabinet bathroom_cabinet", "0..1"
    ),
    HouseItem("mop", "Props", "GRABBABLE MOVABLE", _CLEANING),
    HouseItem("broom", "Props", "GRABBABLE MOVABLE", _CLEANING, "0..1"),
    HouseItem("vacuum_cleaner", "Appliances", "GRABBABLE HAS_SWITCH HAS_PLUG", "in closet", "0..1", "PLUGGED_OUT=1"),
    HouseItem(
        "iron", "Appliances", "GRABBABLE HAS_SWITCH HAS_PLUG", "on ironing_board shelf; in closet", "0..1", "ON=0"
    ),
    # toys, animals, and what one carries about
    HouseItem("toy_car", "Props", "GRABBABLE MOVABLE", _PLAYTHINGS, "1..2"),
    HouseItem("teddy_bear", "Props", "GRABBABLE MOVABLE", _PLAYTHINGS),
    HouseItem("building_blocks", "Props", "GRABBABLE MOVABLE", _PLAYTHINGS, "0..2"),
    HouseItem("ball", "Props", "GRABBABLE MOVABLE", _PLAYTHINGS, "0..1"),
    HouseItem(
        "board_game", "Props", "GRABBABLE CAN_OPEN CONTAINERS", "on shelf bookshelf; in toy_box box closet", "0..1"
    ),
    HouseItem("cat", "Animals", "GRABBABLE MOVABLE", "on couch bed; at living_room kitchen bedroom hallway"),
    HouseItem("child", "Characters", "PERSON", "at kids_bedroom", "0..1"),
    HouseItem("cat_bowl", "Props", "RECIPIENT GRABBABLE", "at kitchen", odds="DIRTY=0.3"),
    HouseItem("cat_food", "Food", "POURABLE GRABBABLE", "in kitchen_cabinet; on kitchen_counter"),
    HouseItem("phone", "Electronics", "GRABBABLE HAS_SWITCH", "on coffee_table nightstand desk", odds="ON=0.9"),
    HouseItem(
        "remote_control", "Electronics", "GRABBABLE HAS_SWITCH", "on coffee_table couch tv_stand", "0..1", "ON=0"
    ),
    HouseItem("keys", "Props", "GRABBABLE", "on coffee_table dining_table bench desk; in nightstand backpack"),
    HouseItem(
        "wallet", "Props", "GRABBABLE CAN_OPEN CONTAINERS", "on nightstand desk bench; in backpack dresser", "0..1"
    ),
    HouseItem("photo_frame", "Decor", "GRABBABLE LOOKABLE", "on bookshelf nightstand tv_stand desk; in box", "0..2"),
    HouseItem("clock", "Decor", "GRABBABLE LOOKABLE", "on nightstand bookshelf kitchen_counter", "0..1"),
    HouseItem("candle", "Decor", "GRABBABLE", "on dining_table coffee_table bathroom_cabinet", "0..1"),
)

HOME: Final = FurnishingCatalogue(
    rooms=("kitchen", "bathroom", "bedroom", "living_room"),
    more_rooms=("dining_room", "home_office", "laundry_room", "hallway", "kids_bedroom"),
    hubs=("hallway", "living_room", "kitchen"),
    private=("bathroom", "bedroom", "kids_bedroom", "laundry_room", "home_office"),
    pieces=PIECES,
    things=THINGS,
)
"""The catalogue that generated houses use unless another is given."""
