'use strict'
// What happens to a player's body with time: hunger, regeneration, falling, drowning, burning, death and coming back.
const FULL = 20
const AIR = 300

const fresh = ([x, y, z]) => ({
  x: x + 0.5, y, z: z + 0.5, yaw: 0, pitch: 0, onGround: true, health: FULL, food: FULL, saturation: 5, exhaustion: 0, air: AIR, burning: 0,
  top: null, hurtAt: -100, sleeping: 0, dead: false, sprinting: false, sneaking: false, eating: null, digging: null, attacked: -100,
  spawn: [x, y, z], born: 0, held: 0, slots: new Array(46).fill(null), cursor: null, window: null, windows: 0
})

function tire (body, amount) {
  body.exhaustion += amount
  if (body.exhaustion < 4) return false
  body.exhaustion -= 4
  if (body.saturation > 0) body.saturation = Math.max(0, body.saturation - 1)
  else body.food = Math.max(0, body.food - 1)
  return true
}

function armour (game, body) {
  let points = 0
  for (let i = 5; i < 9; i++) points += (body.slots[i] && game.data.RULES.armor[game.data.itemName(body.slots[i].id)]) || 0
  return points
}

function moved (game, player, x, y, z, onGround) { // A packet says that the player moved.
  const body = player.state
  const far = Math.hypot(x - body.x, z - body.z)
  if (far > 10 || Math.abs(y - body.y) > 10) return false // Nobody moves so far in a tick.
  tire(body, far * (body.sprinting ? 0.1 : 0.01))
  const wet = ['water', 'lava', 'ladder', 'vine', 'cobweb'].includes(game.name(x, y, z)) || game.name(x, y - 0.3, z) === 'water'
  if (wet) body.top = y
  else if (onGround) {
    const fallen = (body.top ?? y) - y
    body.top = y
    if (fallen > 3.2) player.hurt(Math.ceil(fallen - 3), `you fell ${Math.round(fallen)} blocks`, true)
  } else body.top = Math.max(body.top ?? y, y)
  Object.assign(body, { x, y, z, onGround })
  return true
}

function tickBody (game, player) {
  const body = player.state
  if (body.dead) return
  const { age } = game.state
  const head = game.name(body.x, body.y + 1.62, body.z)
  const feet = game.name(body.x, body.y, body.z)
  if (head === 'water') {
    if (--body.air <= -20) {
      body.air = 0
      player.hurt(2, 'you are drowning', true)
    }
  } else body.air = Math.min(AIR, body.air + 4)
  if (feet === 'lava' || head === 'lava') {
    body.burning = 300
    if (age % 10 === 0) player.hurt(4, 'you are in lava')
  } else if (feet === 'water') body.burning = 0
  if (body.burning > 0 && --body.burning % 20 === 0 && feet !== 'lava') player.hurt(1, 'you are burning', true)
  if (body.y < -80) player.hurt(4, 'you fell out of the world', true)
  if (body.eating !== null && age - body.eating >= 32) player.eaten()
  if (game.peaceful) {
    if (age % 20 === 0) Object.assign(body, { health: Math.min(FULL, body.health + 1), food: Math.min(FULL, body.food + 1) })
  } else if (age % 80 === 0) {
    if (body.food >= 18 && body.health < FULL) {
      body.health = Math.min(FULL, body.health + 1)
      tire(body, 6)
    } else if (body.food <= 0 && body.health > 1) player.hurt(1, 'you are starving', true)
  }
}

module.exports = { fresh, tire, armour, moved, tickBody, FULL, AIR }
