"""Household activities around light, order, laundry and cleaning, in the form of `chores`."""

from __future__ import annotations

from typing import Final

from .chores import read_chores
from .chores_special import SPECIAL

HOUSE: Final = read_chores(
    """
turn-on-a-light
pick light: light, is OFF
do switch_on light
goal light ON
say turn on the light in the {room light} / it is dark in the {room light}: make light / light up the {room light}

turn-off-all-lights
special

turn-on-a-lamp
pick lamp: floor_lamp|table_lamp, is OFF
do switch_on lamp
goal lamp ON
say turn on {lamp} / get {lamp} to shine / switch {lamp} on

unplug-a-device
pick device: HAS_PLUG, is PLUGGED_IN, not is ON
do at PLUGOUT device
goal device PLUGGED_OUT
say unplug {device} / pull the plug of {device}

switch-everything-off
special

open-a-window
pick window: window, is CLOSED
do open window
goal window OPEN
say open the window in the {room window} / let some fresh air into the {room window} / air the {room window}

close-all-doors
special

darken-the-bedroom
pick curtain: curtain; light: near curtain light
do switch_off light; close curtain
goal curtain CLOSED; light OFF
say make the {room curtain} dark: light off, curtain closed / darken the {room curtain} with the curtain and the light

clean-a-floor
pick floor: floor, dirty; tool: mop|broom|rag
do fetch tool; at WIPE floor
goal floor CLEAN
say clean the floor of the {room floor} / the floor in the {room floor} is dirty: make it clean

wipe-a-surface
pick surface: dining_table|coffee_table|kitchen_counter|desk|stove, dirty; tool: sponge|rag|towel
do fetch tool; at WIPE surface
goal surface CLEAN
say clean {surface} / wipe {surface} clean / {surface} is dirty: clean it

clean-the-bathroom
pick bathroom: bathroom; dirty <=4: toilet|bathtub|sink|floor, dirty, in-room bathroom
do at SCRUB dirty
goal dirty CLEAN
say clean the bathroom: {kind dirty} / scrub the bathroom until {kind dirty} shine

wash-clothes
pick machine: washing_machine; clothes 1-2: CLOTHES, dirty
do put_in clothes machine; close machine; switch_on machine
goal clothes INSIDE machine; machine CLOSED; machine ON
say wash {clothes} in the washing machine / the washing machine should be washing {clothes} / \
have {clothes} machine-washed

collect-laundry
pick basket: laundry_basket; found 1-2: CLOTHES|towel, dirty, not inside laundry_basket
do put_in found basket
goal found INSIDE basket
say put {found} in the laundry basket / {found} should be washed some day: into the laundry basket

put-clothes-away
pick place: closet|dresser; clothes 1-2: CLOTHES, not inside place
do put_in clothes place; close place
goal clothes INSIDE place; place CLOSED
say put {clothes} in {place} and close it / {clothes} should be in {place}, and that closed

hang-up-a-towel
pick rack: towel_rack; towel: towel, not on towel_rack
do put_on towel rack
goal towel ON rack
say hang {towel} on the towel rack / {towel} belongs on the towel rack

tidy-up-toys
pick box: toy_box; toys 1-3: toy_car|teddy_bear|building_blocks|ball|board_game, not inside toy_box
do put_in toys box
goal toys INSIDE box
say tidy {toys} into the toy box / {toys} should be in the toy box / playtime is over: toy box for {toys}

shelve-books
pick shelf: bookshelf; books 1-2: book|magazine, not on bookshelf
do put_on books shelf
goal books ON shelf
say put {books} on the bookshelf / {books} should be on the bookshelf

make-the-bed
pick bed: bed; found <=2: pillow|blanket, not on bed
do put_on found bed
goal found ON bed
say make {bed} with {found} / {found} should be on {bed}

restock-the-bathroom
pick cabinet: bathroom_cabinet; \
item: soap|shampoo|toilet_paper|towel|tooth_paste|toothbrush, not inside bathroom_cabinet
do put_in item cabinet; close cabinet
goal item INSIDE cabinet; cabinet CLOSED
say keep {item} in the bathroom cabinet, closed / store {item} in the bathroom cabinet and close it

store-in-a-box
pick box: box; item: sweater|shoes|book|coat|magazine|photo_frame, not inside box
do put_in item box; close box
goal item INSIDE box; box CLOSED
say store {item} in {box} and close it / pack {item} into {box}, lid closed

bring-something
special

throw-papers-away
pick paper: newspaper|magazine|envelope|notebook|toilet_paper; can: trashcan
do put_in paper can
goal paper INSIDE can
say throw {paper} into the trash can / dispose of {paper}
""",
    SPECIAL,
)
