'use strict'
// Playing as a person does, tick by tick: keys that are held down, turns of the head, the two buttons of the mouse, a place
// of the hotbar. What is held stays held until the next call says otherwise. Not here: skills (skills.js).
const { Vec3 } = require('vec3')

const KEYS = ['forward', 'back', 'left', 'right', 'jump', 'sneak', 'sprint']
const REACH = 4.5
const FACES = [[0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1], [-1, 0, 0], [1, 0, 0]]
const USED = /^(crafting_table|furnace|chest|barrel)$|_bed$|_door$/
const DEGREE = Math.PI / 180
const AROUND = 3 // blocks on every side that are seen

class Hands {
  constructor (session) { Object.assign(this, { session, digging: null, rest: 0 }) }

  // Set everything for the next tick: {keys: [7 times 0 or 1], camera: [down, right] in degrees, attack, use, slot: 0 to 8 or null}.
  set ({ keys, camera, attack, use, slot }) {
    const { bot } = this.session
    KEYS.forEach((key, i) => bot.setControlState(key, keys[i] === 1))
    const pitch = Math.max(-89.9, Math.min(89.9, bot.entity.pitch / DEGREE - camera[0]))
    bot.look(bot.entity.yaw - camera[1] * DEGREE, pitch * DEGREE, true)
    if (slot !== null && slot !== bot.quickBarSlot) bot.setQuickBarSlot(slot)
    this.rest = Math.max(0, this.rest - 1)
    this.strike(attack === 1)
    if (use === 1) this.use()
    else this.used = false
  }

  strike (held) {
    const { bot } = this.session
    const target = held && bot.entityAtCursor(3)
    const block = held && !target ? bot.blockAtCursor(REACH) : null
    const at = block && bot.canDigBlock(block) ? block.position.toArray().join() : null
    if (this.digging && this.digging !== at) {
      bot.stopDigging()
      this.digging = null
    }
    if (target && !this.rest) {
      bot.attack(target)
      this.rest = 13
    } else if (at && !this.digging) {
      this.digging = at
      const done = () => { if (this.digging === at) this.digging = null }
      bot.dig(block, 'ignore').then(done, done)
    }
  }

  use () {
    const { bot, data } = this.session
    const item = bot.heldItem
    if (this.used && !(item && data.foods[item.type])) return // The button has to be pressed again.
    const block = bot.blockAtCursor(REACH)
    if (block && USED.test(block.name)) bot.activateBlock(block).catch(() => {})
    else if (block && item && data.placeable.has(item.type)) bot._placeBlockWithOptions(block, new Vec3(...FACES[block.face]), { forceLook: 'ignore', swingArm: 'right' }).catch(() => {})
    else if (item && !this.used) bot.activateItem()
    this.used = true
  }

  facts () { // What goals ask about.
    const { bot, data, game, player, view } = this.session
    const { x, z } = bot.entity.position
    const held = {}
    for (const item of this.session.items()) held[item.name] = (held[item.name] ?? 0) + item.count
    const worn = bot.inventory.slots.slice(5, 9).map(item => item?.name ?? null)
    return { inventory: held, worn, stats: player.stats, age: game.state.age, alive: game.state.age - player.state.born, biome: data.registry.biomes[view.biome(Math.floor(x), Math.floor(z))]?.name ?? 'unknown' }
  }

  see () { // As numbers.
    const { session } = this
    const { bot, data, player, view } = session
    const { position: { x, y, z }, yaw, pitch, onGround } = bot.entity
    const [fx, fy, fz] = [Math.floor(x), Math.floor(y + 0.2), Math.floor(z)]
    const voxels = []
    for (let dy = -AROUND; dy <= AROUND; dy++) for (let dz = -AROUND; dz <= AROUND; dz++) for (let dx = -AROUND; dx <= AROUND; dx++) voxels.push(data.blockOf[view.get(fx + dx, fy + dy, fz + dz)].id)
    const slots = bot.inventory.slots
    const shown = [...slots.slice(36, 45), ...slots.slice(9, 36)].map(item => item ? [item.type, item.count] : [0, 0])
    const around = value => ((value / DEGREE + 180) % 360 + 360) % 360 - 180
    return { pose: [x, y, z, around(Math.PI - yaw), -pitch / DEGREE], status: [bot.health, bot.food, player.state.air, onGround ? 1 : 0], time: bot.time.timeOfDay, voxels, inventory: shown, slot: bot.quickBarSlot, facts: { ...this.facts(), position: [x, y, z] } }
  }
}

module.exports = { Hands, KEYS }
