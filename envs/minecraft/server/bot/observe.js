'use strict'
// What a bot perceives, as plain values: where it is, how it is, what it carries, what is near. Blocks are those within 8
// blocks (4 up and down), whether they can be seen or not; `within` are the kinds within 32 blocks, as actions find them.
const RANGE = 32

const round = value => Math.round(value * 100) / 100

function items (list) {
  const found = {}
  for (const item of list) if (item) found[item.name] = (found[item.name] ?? 0) + item.count
  return found
}

// A section that lies partly out of range is searched for the kinds that no nearer one has.
function within (session, sections) {
  const { blockOf } = session.data
  const { x, y, z } = session.position()
  const found = new Set()
  for (const [, cx, sy, cz, section] of sections) {
    const wanted = new Set(session.kinds(section).filter(state => !found.has(blockOf[state].name)))
    for (let i = 0; wanted.size && i < 4096; i++) {
      const state = section[i]
      if (!wanted.has(state)) continue
      const away = Math.hypot(cx * 16 + (i & 15) + 0.5 - x, sy * 16 - 64 + (i >> 8) + 0.5 - y - 1, cz * 16 + (i >> 4 & 15) + 0.5 - z)
      if (away > RANGE) continue
      found.add(blockOf[state].name)
      wanted.delete(state)
    }
  }
  found.delete('air')
  return [...found].sort()
}

// How far the nearest block of each kind is that is close.
function close (session, fx, fy, fz) {
  const blocks = {}
  for (let dy = -4; dy <= 4; dy++) {
    for (let dx = -8; dx <= 8; dx++) {
      for (let dz = -8; dz <= 8; dz++) {
        const state = session.view.get(fx + dx, fy + dy, fz + dz)
        if (!state) continue
        const { name } = session.data.blockOf[state]
        const far = Math.hypot(dx, dy, dz)
        if (!(blocks[name] <= far)) blocks[name] = round(far)
      }
    }
  }
  return blocks
}

// The land around, looked at again only where the bot has moved or a block has changed: the kinds in a section are listed
// anew then (`Session.kinds`).
function land (session, fx, fy, fz) {
  const { x, y, z } = session.position()
  const sections = session.sections(RANGE)
  const marks = [x, y, z, ...sections.map(one => session.kinds(one[4]))]
  const old = session.land
  if (old?.marks.length === marks.length && marks.every((mark, i) => mark === old.marks[i])) return old
  return session.land = { marks, blocks: close(session, fx, fy, fz), within: within(session, sections) }
}

function observe (session) {
  const { bot, game, player, data } = session
  const { x, y, z } = bot.entity.position
  const [fx, fy, fz] = [Math.floor(x), Math.floor(y + 0.2), Math.floor(z)]
  const around = land(session, fx, fy, fz)
  const entities = session.entities(one => one.name !== 'item', RANGE).slice(0, 12)
    .map(one => ({ name: one.username ?? one.name, far: round(one.position.distanceTo(bot.entity.position)), at: one.position.floored().toArray() }))
  const dropped = session.entities(one => one.name === 'item', RANGE)
    .map(one => session.dropped(one)?.name).filter(Boolean)
  const worn = ['head', 'torso', 'legs', 'feet'].map((_, i) => bot.inventory.slots[5 + i]?.name ?? null)
  return {
    position: [x, y, z].map(round), biome: data.registry.biomes[game.world.biome(fx, fz)]?.name ?? 'unknown', time: bot.time.timeOfDay, day: bot.time.day,
    health: bot.health, food: bot.food, air: player.state.air, dead: player.state.dead, sky: fy >= game.cover(fx, fz),
    inventory: items(session.items()), held: bot.heldItem?.name ?? null, worn, free: bot.inventory.emptySlotCount(),
    durability: Object.fromEntries([...bot.inventory.slots.slice(5, 9), ...session.items()].filter(item => item?.maxDurability).map(item => [item.name, item.maxDurability - item.durabilityUsed])),
    blocks: around.blocks, within: around.within, entities, dropped: dropped.slice(0, 12), chests: session.memory ?? {}, news: player.news, stats: player.stats, age: game.state.age, alive: game.state.age - player.state.born
  }
}

module.exports = { observe }
