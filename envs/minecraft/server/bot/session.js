'use strict'
// One bot in a world: its mineflayer client, joined to the world by the protocol inside this process, and the means that
// its actions have in common: waiting for ticks, looking for blocks, holding and digging. Not here: actions (skills.js).
const mineflayer = require('mineflayer')
const protocol = require('minecraft-protocol')
const { Vec3 } = require('vec3')
const clock = require('../clock')
const { VERSION } = require('../game/data')
const { Player } = require('../game/player')
const { Walker } = require('./navigate')

const RANGE = 32
const TOOL = /_(pickaxe|axe|shovel|hoe|sword)$|^shears$/

// Take a connection as a server: offline mode, no compression. `joined` gets the new player.
function accept (game, socket, joined) {
  const client = new protocol.Client(true, VERSION)
  let player = null
  client.on('error', error => process.stderr.write(`${error.message}\n`))
  client.once('set_protocol', () => { client.state = protocol.states.LOGIN })
  client.once('login_start', ({ username }) => {
    client.write('success', { uuid: '00000000-0000-4000-8000-000000000000', username })
    client.state = protocol.states.PLAY
    player = new Player(game, client, username)
    joined?.(player)
  })
  client.on('end', () => { if (player && game.players.includes(player)) player.leave() })
  client.setSocket(socket)
}

class Session {
  constructor (game, data) {
    Object.assign(this, { game, data, view: game?.world, walker: new Walker(this), waiters: [], era: 0 })
  }

  async join (name) {
    const [near, far] = clock.pair()
    accept(this.game, far, player => { this.player = player })
    this.bot = mineflayer.createBot({
      username: name, version: VERSION, auth: 'offline', hideErrors: true, logErrors: false, keepAlive: false,
      plugins: { boss_bar: false, book: false, chat: false, command_block: false, creative: false, resource_pack: false, scoreboard: false, team: false, title: false, tablist: false, villager: false, anvil: false, enchantment_table: false, sound: false, particle: false, simple_inventory: true },
      connect: client => client.setSocket(near)
    })
    await clock.pass(50)
    this.bot._client.emit('connect')
    await clock.settle()
    await clock.pass(50)
    this.bot._client.on('error', error => process.stderr.write(`${error.message}\n`))
    this.bot.setMaxListeners(0)
    this.bot._client.setMaxListeners(0)
    return this
  }

  // ---- ticks ----
  tick () {
    const { era } = this
    return new Promise(resolve => this.waiters.push(() => { if (era === this.era) resolve() }))
  }

  ticked () {
    const due = this.waiters
    this.waiters = []
    for (const resume of due) resume()
  }

  async pause (ticks) { for (let i = 0; i < ticks; i++) await this.tick() }

  abandon () { // Whatever still waits will wait for ever.
    this.era++
    this.waiters = []
    try { this.bot.stopDigging() } catch { /* there was nothing to stop */ }
    this.bot.clearControlStates()
    if (this.bot.currentWindow) this.bot.closeWindow(this.bot.currentWindow)
  }

  // Begin every action in the same way, so that what was done before leaves nothing but what the world itself keeps.
  ready () {
    const { bot, player } = this
    bot.clearControlStates()
    Object.assign(bot, { jumpQueued: false, jumpTicks: 0, lastDigTime: null, usingHeldItem: false })
    Object.assign(player.state, { sprinting: false, sneaking: false, eating: null, digging: null })
    player.sync()
  }

  // ---- what is there ----
  name (x, y, z) { return this.data.blockOf[this.view.get(x, y, z)].name }
  id (name) { return this.data.items[name]?.id }
  items () { return this.bot.inventory.slots.filter((item, slot) => item && slot >= 9) }
  count (name) { return this.items().reduce((sum, item) => sum + (item.name === name ? item.count : 0), 0) }
  position () { return this.bot.entity.position }

  kinds (section) { // The different states in a section.
    let found = this.view.kinds?.get(section)
    if (!found) {
      const seen = new Uint8Array(this.data.solid.length)
      found = []
      for (let i = 0; i < 4096; i++) if (!seen[section[i]]) found.push(section[i]) && (seen[section[i]] = 1)
      this.view.kinds?.set(section, found)
    }
    return found
  }

  sections (range) { // Those within range, nearest first: [distance, cx, sy, cz, section]
    const { x, y, z } = this.position()
    const found = []
    for (let cx = Math.floor(x - range) >> 4; cx <= Math.floor(x + range) >> 4; cx++) {
      for (let cz = Math.floor(z - range) >> 4; cz <= Math.floor(z + range) >> 4; cz++) {
        for (let sy = Math.floor(y - range + 64) >> 4; sy <= Math.floor(y + range + 64) >> 4; sy++) {
          const section = this.view.section(cx, sy, cz)
          if (!section) continue
          const gap = (low, at) => Math.max(0, low - at, at - low - 16)
          const far = Math.hypot(gap(cx * 16, x), gap(sy * 16 - 64, y), gap(cz * 16, z))
          if (far <= range) found.push([far, cx, sy, cz, section])
        }
      }
    }
    return found.sort((a, b) => a[0] - b[0])
  }

  find (names, { range = RANGE, most = 1, skip = () => false } = {}) { // The nearest blocks of these names: [x, y, z]
    const wanted = new Set(names)
    const is = state => wanted.has(this.data.blockOf[state].name)
    const { x, y, z } = this.position()
    const found = []
    for (const [far, cx, sy, cz, section] of this.sections(range)) {
      if (found.length >= most && far > found[most - 1].far) break
      const states = new Set(this.kinds(section).filter(is))
      if (!states.size) continue
      for (let i = 0; i < 4096; i++) {
        if (!states.has(section[i])) continue
        const at = [cx * 16 + (i & 15), sy * 16 - 64 + (i >> 8), cz * 16 + (i >> 4 & 15)]
        const away = Math.hypot(at[0] + 0.5 - x, at[1] + 0.5 - y - 1, at[2] + 0.5 - z)
        if (away <= range && !skip(at)) found.push({ at, far: away })
      }
      found.sort((a, b) => a.far - b.far)
      found.length = Math.min(found.length, Math.max(most, 1))
    }
    return found.map(one => one.at)
  }

  entities (test, range = RANGE) {
    const here = this.position()
    return Object.values(this.bot.entities)
      .filter(one => one !== this.bot.entity && (one.name ?? one.username) && test(one) && one.position.distanceTo(here) <= range)
      .sort((a, b) => a.position.distanceTo(here) - b.position.distanceTo(here) || a.id - b.id)
  }

  dropped (entity) { // The item that a creature of the kind 'item' is: {name, count}; undefined where the server did not say.
    const said = Object.values(entity.metadata ?? {}).find(one => one?.itemId !== undefined)
    return said && { name: this.data.registry.items[said.itemId]?.name, count: said.itemCount ?? 1 }
  }

  // ---- hands ----
  async hold (item) {
    const { bot } = this
    if (item.slot >= 36 && item.slot < 45) bot.setQuickBarSlot(item.slot - 36)
    else await bot.clickWindow(item.slot, bot.quickBarSlot, 2)
    await clock.settle()
  }

  tools (state) { // The things to break a block with, quickest first; null is the bare hand.
    const block = this.data.blockOf[state]
    const ticks = item => this.data.digTicks(state, item && { id: item.type })
    const may = [null, ...this.items().filter(item => TOOL.test(item.name))]
    const able = may.filter(item => !block.harvestTools || (item && block.harvestTools[item.type]))
    return (able.length ? able : may).sort((a, b) => ticks(a) - ticks(b) || (a?.type ?? 0) - (b?.type ?? 0))
  }

  digCosts () { // What breaking a block costs, in ticks, with the best of the tools that are carried now.
    const known = new Map()
    return state => {
      if (!known.has(state)) {
        const [tool] = this.tools(state)
        known.set(state, this.data.digTicks(state, tool && { id: tool.type }) + 4)
      }
      return known.get(state)
    }
  }

  async dig (x, y, z, wanted) { // With a tool, or with the quickest; returns whether the block is gone.
    const { bot } = this
    const state = this.view.get(x, y, z)
    if (!this.data.solid[state] && state === 0) return true
    const tool = wanted ?? this.tools(state)[0]
    if (tool && bot.heldItem?.slot !== tool.slot) await this.hold(tool)
    const block = bot.blockAt(new Vec3(x, y, z))
    if (!block || !bot.canDigBlock(block)) return false
    for (let wait = 0; wait < 10 && !bot.entity.onGround; wait++) await this.tick()
    const takes = this.data.digTicks(state, tool && { id: tool.type }, { water: true, air: !bot.entity.onGround })
    if (this.walker.under() && takes > this.player.state.air) return false // one would drown
    await bot.dig(block, true)
    await this.tick()
    const gone = this.view.get(x, y, z) !== state
    if (gone) this.did('mined', block.name)
    if (gone && tool && block.hardness > 0) this.did('used', tool.name)
    return gone
  }

  did () {} // The world itself counts what was done; a server elsewhere does not (remote.js).
}

module.exports = { Session, accept, RANGE, TOOL }
