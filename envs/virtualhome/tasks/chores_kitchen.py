"""Household activities around food and dishes, in the form of `chores`."""

from __future__ import annotations

from typing import Final

from .chores import read_chores
from .chores_special import SPECIAL

_DISHES: Final = "plate|bowl|cup|glass|fork|spoon|pot|frying_pan|kitchen_knife"

KITCHEN: Final = read_chores(
    """
drink-something
pick vessel: glass|cup; drink: DRINKABLE
do pour drink vessel; fetch vessel; DRINK vessel
goal drink INSIDE *vessel; done DRINK *vessel
say have some {kind drink} from {a vessel} / you are thirsty: drink {kind drink} out of {a vessel} / \
drink a {kind vessel} of {kind drink}

serve-a-drink
pick vessel: glass|cup; drink: DRINKABLE; table: coffee_table|dining_table|desk
do pour drink vessel; put_on vessel table
goal drink INSIDE vessel; vessel ON table
say serve a {kind vessel} of {kind drink} on {table} / there should be {kind drink} in {vessel}, and that on {table}

make-coffee
pick machine: coffee_maker; coffee: ground_coffee
do pour coffee machine; switch_on machine
goal coffee INSIDE machine; machine ON
say make coffee / brew some fresh coffee / get the coffee maker going with ground coffee

boil-water
pick water: water; pot: pot; stove: stove
do put_on pot stove; pour water pot; switch_on stove
goal water INSIDE pot; pot ON stove; stove ON
say boil water in the pot on the stove / bring some water to the boil in the pot

cook-on-the-stove
pick stove: stove; vessel: pot|frying_pan; food: chicken|egg|tomato|soup|cheese
do put_on vessel stove; put_in food vessel; switch_on stove
goal food INSIDE vessel; vessel ON stove; stove ON
say cook {food} in {vessel} on the stove / make a hot meal of {food}, with {vessel} on the stove

heat-in-the-microwave
pick food: chicken|pie|bread|soup|tomato|egg|milk; machine: microwave
do put_in food machine; close machine; switch_on machine
goal food INSIDE machine; machine CLOSED; machine ON
say warm up {food} in the microwave / microwave {food} / cook {food} in the microwave

bake-in-the-oven
pick food: chicken|pie|bread|cheese|apple; machine: oven
do put_in food machine; close machine; switch_on machine
goal food INSIDE machine; machine CLOSED; machine ON
say bake {food} / get {food} baking in the oven / roast {food}

make-toast
pick bread: bread; toaster: toaster
do put_in bread toaster; switch_on toaster
goal bread INSIDE toaster; toaster ON
say make toast / toast some bread / have bread toasting in the toaster

put-groceries-in-the-fridge
pick fridge: fridge; foods 1-2: EATABLE|DRINKABLE, not inside fridge
do put_in foods fridge; close fridge
goal foods INSIDE fridge; fridge CLOSED
say put {foods} in the fridge / store {foods} in the fridge / {foods} should be kept cold: use the fridge

take-food-out-of-the-fridge
pick fridge: fridge; food: EATABLE|DRINKABLE, inside fridge; table: dining_table|kitchen_counter
do put_on food table; close fridge
goal food ON table; fridge CLOSED
say get {food} from the fridge and leave it on {table} / bring {food} to {table}, and mind that the fridge is closed

set-the-table
special

prepare-breakfast
special

serve-dinner
pick food: chicken|pie|bread|cheese|tomato; plate: plate; table: dining_table
do put_on plate table; put_on food plate
goal food ON *plate; *plate ON table
say serve {food} on a plate at the dining table / dinner: {food} on a plate, the plate on the dining table

eat-a-snack
special

cut-food
pick food: CUTTABLE; knife: kitchen_knife
do fetch knife; at CUT food
goal done CUT food
say slice {food} / cut {food} up / cut {food} with the kitchen knife

throw-food-away
pick food: EATABLE; can: trashcan
do put_in food can; close can
goal food INSIDE can; can CLOSED
say {food} has gone bad: throw it away and close the trash can / get rid of {food} in the closed trash can

pack-a-lunch
pick food: apple|banana|bread|cookies|cheese; bag: lunch_box|backpack
do put_in food bag; close bag
goal food INSIDE bag; bag CLOSED
say pack {food} in {bag} and close it / {food} for lunch goes into {bag}, closed

wash-dishes
pick dish: DISHES, dirty; fridge: fridge; sink: near fridge sink; faucet: near sink faucet
do put_in dish sink; switch_on faucet; at SCRUB dish; switch_off faucet
goal dish INSIDE sink; dish CLEAN; faucet OFF
say wash {dish} in the kitchen sink / {dish} is dirty: get it clean and leave it in the kitchen sink

run-the-dishwasher
pick machine: dishwasher; dishes 1-2: DISHES, dirty
do put_in dishes machine; close machine; switch_on machine
goal dishes INSIDE machine; machine CLOSED; machine ON
say wash {dishes}, using the dishwasher / run the dishwasher with {dishes} in it

bring-dishes-to-the-sink
pick fridge: fridge; sink: near fridge sink; dishes 1-2: DISHES, on dining_table|coffee_table|kitchen_counter|desk
do put_in dishes sink
goal dishes INSIDE sink
say bring {dishes} to the kitchen sink / tidy up: {dishes} should be in the kitchen sink

put-dishes-away
pick cabinet: kitchen_cabinet; clean 1-2: DISHES, not dirty, not inside kitchen_cabinet
do put_in clean cabinet; close cabinet
goal clean INSIDE cabinet; cabinet CLOSED
say put {clean} away in the kitchen cabinet / {clean} should be in the kitchen cabinet, with its door closed

feed-the-cat
pick food: cat_food; bowl: cat_bowl
do pour food bowl
goal food INSIDE bowl
say feed the cat / the cat is hungry: fill its bowl / there should be cat food in the cat bowl

water-a-plant
pick plant: houseplant; water: water
do pour water plant
goal water INSIDE plant
say water {plant} / {plant} looks dry: give it water
""".replace("DISHES", _DISHES),
    SPECIAL,
)
