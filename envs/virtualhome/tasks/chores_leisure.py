"""Household activities around rest, media, body and going out, in the form of `chores`."""

from __future__ import annotations

from typing import Final

from .chores import read_chores

LEISURE: Final = read_chores("""
watch-television
pick screen: television; couch: couch
do switch_on screen; sit couch; watch screen
goal me ON couch; screen ON; done WATCH screen
say watch television on the couch / sit on the couch and watch a film on television / relax: couch and television

listen-to-music
pick radio: radio; seat: couch|armchair|bed
do switch_on radio; sit seat
goal me ON seat; radio ON
say listen to music on the radio, sitting on {seat} / sit on {seat} while the radio plays

browse-the-internet
pick computer: computer; seat: near computer chair|couch|bed
do switch_on computer; sit seat; watch computer
goal me ON *seat; computer ON; done WATCH computer
say browse the internet on the computer, sitting on a {kind seat} / \
sit on a {kind seat} and read the news on the computer

write-an-email
pick computer: computer; seat: near computer chair|couch|bed; keyboard: near computer keyboard
do switch_on computer; sit seat; TYPE keyboard
goal me ON *seat; computer ON; done TYPE keyboard
say write an e-mail, sitting on a {kind seat} / type an e-mail on the computer while you sit on a {kind seat}

answer-the-phone
pick phone: phone
do fetch phone
goal me HOLDS phone
say answer the phone / the phone rings: take the call / somebody calls: get the phone in your hand

read-something
pick text: book|newspaper|magazine; seat: couch|bed|armchair|bench
do fetch text; sit seat; READ text
goal me ON seat; done READ *text
say read {a text} on {seat} / sit on {seat} with {a text} and read / enjoy {a text}, sitting on {seat}

study-at-the-desk
pick book: book|notebook; desk: desk; light: near desk light; chair: near desk chair
do switch_on light; fetch book; sit chair; READ book
goal light ON; me ON chair; done READ *book
say study {a book} on {chair}, with the light on / \
read {a book} in the {room desk}: sit on {chair}, and have the light on

go-to-sleep
pick bed: bed; light: near bed light
do switch_off light; lie bed; SLEEP
goal me ON bed; me LYING; light OFF; done SLEEP
say go to sleep in {bed}, with the light off / it is late: sleep in {bed}, in the dark

take-a-nap
pick couch: couch
do lie couch; SLEEP
goal me ON couch; me LYING; done SLEEP
say take a nap on the couch / lie down on the couch and sleep a little

take-a-bath
pick tub: bathtub; light: near tub light
do switch_on light; lie tub
goal me ON tub; me LYING; light ON
say take a bath with the light on / have a bath: lie in the bathtub, light on / relax in the bathtub, light on

use-the-toilet
pick toilet: toilet
do sit toilet
goal me ON toilet
say use the toilet / go to the toilet / sit on the toilet

wash-hands
pick soap: soap; bathroom: bathroom; sink: sink, in-room bathroom; faucet: near sink faucet
do fetch soap; reach sink; switch_on faucet
goal me HOLDS soap; faucet ON; me CLOSE sink
say wash your hands at the bathroom sink: soap in hand, water running / \
stand at the bathroom sink with the soap in your hand and the faucet on

brush-teeth
pick brush: toothbrush; paste: tooth_paste; bathroom: bathroom; sink: sink, in-room bathroom
do pour paste brush; fetch brush; reach sink
goal paste INSIDE brush; me HOLDS brush; me CLOSE sink
say brush your teeth: hold the toothbrush with tooth paste at the bathroom sink / \
be at the bathroom sink with tooth paste on the toothbrush in your hand

get-dressed
pick top: shirt|sweater|dress; pants: pants
do fetch top; PUTON top; fetch pants; PUTON pants
goal *top ON me; *pants ON me
say get dressed in a {kind top} and pants / wear a {kind top} and pants

pet-the-cat
pick cat: cat
do at TOUCH cat
goal done TOUCH cat
say pet the cat / stroke the cat / give the cat some attention

get-ready-to-go-out
pick coat: coat; keys: keys
do fetch coat; PUTON coat; fetch keys
goal coat ON me; me HOLDS keys
say get ready to go out: wear the coat and have the keys in your hand / you are leaving: coat on, keys in hand

pack-a-bag
pick bag: backpack; found 2: book|water|keys|notebook|pen|wallet|sweater|apple|towel|phone, not inside backpack
do put_in found bag; close bag
goal found INSIDE bag; bag CLOSED
say pack {found} in the backpack and close it / for the trip: {found} in the closed backpack

set-up-a-reading-corner
pick lamp: floor_lamp; table: coffee_table; book: book, not on coffee_table; vessel: cup|glass, not on coffee_table
do switch_on lamp; put_on book table; put_on vessel table
goal lamp ON; book ON table; vessel ON table
say set up a reading corner: the floor lamp on, {book} and {vessel} on the coffee table / \
make the coffee table a place to read, with {book} and {vessel} there and the floor lamp on

prepare-a-movie-night
pick screen: television; table: coffee_table; couch: couch; light: near screen light; \
snack: cookies|apple|banana|pie|bread|cheese, not on coffee_table; pillow: pillow|blanket
do put_on snack table; put_on pillow couch; switch_on screen; switch_off light
goal screen ON; light OFF; snack ON table; pillow ON couch
say prepare a movie night: {snack} on the coffee table, {pillow} on the couch, the television on, light off / \
have {snack} on the coffee table and {pillow} on the couch, the television running and the light off
""")
