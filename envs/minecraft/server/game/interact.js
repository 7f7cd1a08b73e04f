'use strict'
// What a player does to the world: digging with the right tool for long enough, placing, using things and blocks, eating,
// striking. Every request is judged here; one that the rules do not allow changes nothing, and the client is told so.
const { tire } = require('./body')
const { wound, distance } = require('./mobs')
const { fewer } = require('./windows')

const REACH = 6
const FACES = [[0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1], [-1, 0, 0], [1, 0, 0]]
const FACING = ['', '', 'north', 'south', 'west', 'east']
const REPLACEABLE = /^(air|cave_air|water|lava|grass|tall_grass|fern|large_fern|dead_bush|snow|fire|vine)$/
const TOOL = /_(pickaxe|axe|shovel|hoe|sword)$|^shears$/
const BUCKETS = { water: 'water_bucket', lava: 'lava_bucket' }

const near = (body, { x, y, z }) => Math.hypot(body.x - x - 0.5, body.y + 1.62 - y - 0.5, body.z - z - 0.5) <= REACH

function dig (game, player, { status, location, face }) {
  const { state: body } = player
  const { x, y, z } = location
  if (status === 3 || status === 4) return toss(game, player, status === 3)
  if (status === 5) return void (body.eating = null)
  const block = game.world.get(x, y, z)
  const refuse = () => player.showBlock(x, y, z, block)
  if (status === 1) return void (body.digging = null)
  if (!near(body, location) || !game.data.blockOf[block].diggable || block === 0) return refuse()
  const inWater = game.name(body.x, body.y + 1.62, body.z) === 'water'
  const ticks = game.data.digTicks(block, player.hand, { water: inWater, air: !body.onGround })
  if (status === 0) {
    body.digging = { x, y, z, since: game.state.age }
    if (ticks <= 1) broken(game, player, location, block)
    return
  }
  if (status !== 2) return
  const begun = body.digging
  body.digging = null
  if (!begun || begun.x !== x || begun.y !== y || begun.z !== z || game.state.age - begun.since < Math.floor(ticks * 0.8) - 1) return refuse()
  broken(game, player, location, block)
}

function broken (game, player, { x, y, z }, state) {
  const { data } = game
  const { name } = data.blockOf[state]
  const drops = data.drops(state, player.hand, () => game.random())
  remove(game, x, y, z, drops)
  for (const item of drops) game.drop(x + 0.5, y + 0.3, z + 0.5, item)
  player.count('mined', name)
  tire(player.state, 0.005)
  player.state.digging = null
  if (data.blockOf[state].hardness > 0) used(game, player, tool => /sword/.test(tool) ? 2 : 1)
}

function used (game, player, amount = () => 1) { // A tool did what it is for, and wears by that.
  const { data } = game
  const name = player.hand && data.itemName(player.hand.id)
  if (!name || !TOOL.test(name)) return
  player.count('used', name)
  player.wear(36 + player.state.held, amount(name))
}

function remove (game, x, y, z, drops) { // With what is in it, its other half, and what stood on it.
  const key = `${x},${y},${z}`
  const { data, state, world } = game
  const block = data.blockOf[world.get(x, y, z)]
  for (const held of [state.furnaces.get(key)?.slots, state.chests.get(key)]) if (held) drops.push(...held.filter(Boolean))
  state.furnaces.delete(key)
  state.chests.delete(key)
  game.setBlock(x, y, z, touches(game, x, y, z, 'water') && y <= 62 ? data.state('water') : 0)
  if (/_bed$|_door$/.test(block.name)) {
    for (const [dx, dy, dz] of FACES) {
      if (data.blockOf[world.get(x + dx, y + dy, z + dz)].name === block.name) {
        game.setBlock(x + dx, y + dy, z + dz, 0)
        break
      }
    }
  }
  const above = data.blockOf[world.get(x, y + 1, z)]
  if (above.boundingBox === 'empty' && !/air|water|lava|wall_torch|vine/.test(above.name)) {
    drops.push(...data.drops(above.defaultState, null, () => game.random()))
    remove(game, x, y + 1, z, drops)
  } else if (/^(cactus|sugar_cane)$/.test(above.name)) {
    drops.push(...data.drops(above.defaultState, null, () => game.random()))
    remove(game, x, y + 1, z, drops)
  }
}

const touches = (game, x, y, z, name) => FACES.some(([dx, dy, dz]) => dy >= 0 && game.name(x + dx, y + dy, z + dz) === name)

function useOn (game, player, { location, direction }) {
  const { data, world, state } = game
  const { x, y, z } = location
  const [dx, dy, dz] = FACES[direction] ?? FACES[1]
  const target = { x: x + dx, y: y + dy, z: z + dz }
  const { name } = data.blockOf[world.get(x, y, z)]
  const key = `${x},${y},${z}`
  const shown = () => { for (const at of [location, target]) player.showBlock(at.x, at.y, at.z, world.get(at.x, at.y, at.z)) }
  if (!near(player.state, location)) return shown()
  if (!player.state.sneaking) {
    if (name === 'crafting_table') return player.open('crafting', key)
    if (name === 'furnace') {
      if (!state.furnaces.has(key)) state.furnaces.set(key, { slots: [null, null, null], burn: 0, most: 0, cook: 0 })
      return player.open('furnace', key)
    }
    if (name === 'chest' || name === 'barrel') {
      if (!state.chests.has(key)) state.chests.set(key, new Array(27).fill(null))
      return player.open('chest', key)
    }
    if (/_bed$/.test(name)) return sleep(game, player, location)
    if (/_door$|_trapdoor$|_fence_gate$/.test(name) && name !== 'iron_door') return shown()
  }
  const item = player.hand
  if (item && data.itemName(item.id).endsWith('_hoe') && /^(grass_block|dirt)$/.test(name) && world.get(x, y + 1, z) === 0) {
    game.setBlock(x, y, z, data.state('farmland'))
    return used(game, player)
  }
  const at = REPLACEABLE.test(name) && name !== 'water' && name !== 'lava' ? location : target
  if (item && data.placeable.has(item.id)) put(game, player, at, direction)
  shown()
}

function put (game, player, at, direction) {
  const { data, world } = game
  const item = player.hand
  let block = data.placeable.get(item.id)
  const below = data.blockOf[world.get(at.x, at.y - 1, at.z)]
  if (!REPLACEABLE.test(data.blockOf[world.get(at.x, at.y, at.z)].name) || at.y > 318) return
  if (block.boundingBox === 'block' && occupied(game, at)) return
  if (/_sapling$|^(dandelion|poppy|cornflower|oxeye_daisy|grass|fern)$/.test(block.name) && !/^(grass_block|dirt|farmland)$/.test(below.name)) return
  const name = block.name
  if (/torch$/.test(name)) {
    if (direction > 1) block = data.registry.blocksByName[name.replace('torch', 'wall_torch')] ?? block
    else if (below.boundingBox !== 'block') return
  }
  let state = block.defaultState
  if (block.name.endsWith('wall_torch')) state = withFacing(data, block, FACING[direction])
  const halves = /_bed$/.test(name) ? [[0, 0, -1]] : /_door$/.test(name) ? [[0, 1, 0]] : []
  if (halves.some(([dx, dy, dz]) => !REPLACEABLE.test(game.name(at.x + dx, at.y + dy, at.z + dz)))) return
  game.setBlock(at.x, at.y, at.z, state)
  for (const [dx, dy, dz] of halves) game.setBlock(at.x + dx, at.y + dy, at.z + dz, other(data, block, name))
  player.count('placed', name === 'wall_torch' ? 'torch' : name)
  player.set(36 + player.state.held, fewer(item))
}

function withFacing (data, block, facing) {
  for (let id = block.minStateId; id <= block.maxStateId; id++) if (data.model(id).getProperties().facing === facing) return id
  return block.defaultState
}

function other (data, block, name) {
  const wanted = name.endsWith('_bed') ? ['part', 'head'] : ['half', 'upper']
  const own = data.model(block.defaultState).getProperties()
  for (let id = block.minStateId; id <= block.maxStateId; id++) {
    const properties = data.model(id).getProperties()
    if (properties[wanted[0]] === wanted[1] && properties.facing === own.facing && properties.open === own.open) return id
  }
  return block.defaultState
}

function occupied (game, { x, y, z }) {
  const bodies = [...game.players.filter(one => !one.state.dead).map(one => ({ ...one.state, tall: 1.8 })), ...[...game.state.mobs.values()].map(one => ({ ...one, tall: 1 }))]
  return bodies.some(body => Math.abs(body.x - x - 0.5) < 0.8 && Math.abs(body.z - z - 0.5) < 0.8 && body.y < y + 1 && body.y + body.tall > y)
}

function sleep (game, player, { x, y, z }) {
  const danger = [...game.state.mobs.values()].some(mob => game.data.RULES.mobs[mob.kind].hostile && distance(mob, { x, y, z }) < 8)
  const time = game.state.time % 24000
  if (time < 12542 || time > 23459 || danger) return
  Object.assign(player.state, { sleeping: game.state.age, spawn: [Math.floor(player.state.x), Math.floor(player.state.y), Math.floor(player.state.z)] })
  player.count('slept', 'times')
  player.send('entity_metadata', { entityId: player.id, metadata: [{ key: 6, type: 18, value: 2 }] })
}

function use (game, player) { // An item in the air: food and buckets.
  const { data, state } = game
  const item = player.hand
  if (!item) return
  const name = data.itemName(item.id)
  if (data.foods[item.id]) {
    if (player.state.food < 20 || /golden_apple/.test(name)) player.state.eating = state.age
  } else if (/^(bucket|water_bucket|lava_bucket)$/.test(name)) bucket(game, player, name)
  else if (/_(helmet|chestplate|leggings|boots)$/.test(name)) {
    const slot = 5 + ['helmet', 'chestplate', 'leggings', 'boots'].findIndex(piece => name.endsWith(piece))
    if (player.state.slots[slot]) return
    player.set(36 + player.state.held, null)
    player.set(slot, item)
  }
}

function bucket (game, player, name) {
  const { data } = game
  const { x, y, z, yaw, pitch } = player.state
  const [a, b] = [yaw * Math.PI / 180, pitch * Math.PI / 180]
  const [dx, dy, dz] = [-Math.sin(a) * Math.cos(b), -Math.sin(b), Math.cos(a) * Math.cos(b)]
  let last = null
  for (let far = 0; far < 5; far += 0.05) {
    const at = [x + dx * far, y + 1.62 + dy * far, z + dz * far].map(Math.floor)
    const here = game.name(...at)
    if (name === 'bucket' && BUCKETS[here]) {
      game.setBlock(...at, 0)
      const rest = fewer(player.hand)
      player.set(36 + player.state.held, rest)
      player.give({ id: data.items[BUCKETS[here]].id, count: 1, damage: 0 })
      return player.count('collected', BUCKETS[here])
    }
    if (game.solid(...at)) break
    last = at
  }
  if (name === 'bucket' || !last) return
  game.setBlock(...last, data.state(name.slice(0, -7)))
  player.count('placed', name.slice(0, -7))
  player.set(36 + player.state.held, { id: data.items.bucket.id, count: 1, damage: 0 })
}

function eat (game, player) {
  const { data } = game
  const body = player.state
  const food = player.hand && data.foods[player.hand.id]
  body.eating = null
  if (!food) return
  const name = data.itemName(player.hand.id)
  Object.assign(body, { food: Math.min(20, body.food + food.foodPoints), saturation: Math.min(20, body.saturation + food.saturation) })
  const rest = fewer(player.hand)
  player.send('entity_status', { entityId: player.id, entityStatus: 9 })
  player.set(36 + body.held, rest)
  player.count('eaten', name)
  if (name === 'rotten_flesh' && game.random() < 0.8) tire(body, 4)
}

function useEntity (game, player, { target, mouse }) {
  const mob = game.state.mobs.get(target)
  if (!mob || distance(mob, player.state) > 4.5) return
  const { data } = game
  const item = player.hand
  const name = item ? data.itemName(item.id) : ''
  if (mouse !== 1) {
    if (mob.kind === 'sheep' && name === 'shears' && !mob.shear) {
      game.state.mobs.set(mob.id, { ...mob, shear: game.state.age + 6000 })
      game.drop(mob.x, mob.y + 0.5, mob.z, { id: data.items.white_wool.id, count: 1 + Math.floor(game.random() * 3), damage: 0 })
      used(game, player)
    } else if (mob.kind === 'cow' && name === 'bucket') {
      player.count('used', name)
      player.set(36 + player.state.held, fewer(item))
      player.give({ id: data.items.milk_bucket.id, count: 1, damage: 0 })
    }
    return
  }
  const rested = Math.min(1, (game.state.age - player.state.attacked) / 12)
  player.state.attacked = game.state.age
  tire(player.state, 0.1)
  const killed = wound(game, player, target, (data.RULES.attack[name] ?? 1) * (0.2 + 0.8 * rested * rested))
  used(game, player, tool => /sword/.test(tool) ? 1 : 2)
  if (killed) player.count('killed', mob.kind)
}

function toss (game, player, all) {
  const item = player.hand
  if (!item) return
  const body = player.state
  game.drop(body.x, body.y + 1, body.z, all ? item : { ...item, count: 1 }, 40)
  player.set(36 + body.held, all ? null : fewer(item))
}

module.exports = { dig, useOn, use, useEntity, eat }
