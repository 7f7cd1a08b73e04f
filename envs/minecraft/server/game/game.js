'use strict'
// A running world: its blocks, creatures, dropped items, furnaces and chests, and the players in it, advanced tick by tick
// (20 to a game second). Everything the future depends on is in plain values, so `snapshot` and `restore` are exact.
// Not here: what the players' packets do (player.js), creatures' minds (mobs.js), bodies (body.js).
const { Columns, difference, key } = require('../world/columns')
const { terrain } = require('../world/terrain')
const { tickMobs, populate, distance } = require('./mobs')
const { tickBody } = require('./body')
const { fewer } = require('./windows')

const DAY = 24000
const NIGHT = [13000, 23000]
const AWAY = 4 // blocks
const OPTIONS = { difficulty: 'normal', time: 1000, daylight: true, keep_inventory: false, spawn_mobs: true, food: 20 }

class Game {
  constructor (data, seed, options = {}) {
    this.data = data
    this.seed = seed
    this.options = { ...OPTIONS, ...options }
    this.land = terrain(data, seed)
    this.world = new Columns(this.land.generate)
    this.players = [] // Their connections; what is saved of them is in `player.state`.
    this.state = {
      random: (seed ^ 0x5bd1e995) | 0, age: 0, time: this.options.time, nextId: 1000, mobs: new Map(), drops: new Map(),
      furnaces: new Map(), chests: new Map(), populated: new Set(), torches: new Set()
    }
    this.spawn = this.land.spawn(this.options.biome)
    this.clearSpawn()
  }

  random () { // mulberry32
    let t = this.state.random = this.state.random + 0x6D2B79F5 | 0
    t = Math.imul(t ^ t >>> 15, 1 | t)
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
    return ((t ^ t >>> 14) >>> 0) / 4294967296
  }

  get night () { return this.state.time % DAY >= NIGHT[0] && this.state.time % DAY < NIGHT[1] }
  get peaceful () { return this.options.difficulty === 'peaceful' }
  nextId () { return this.state.nextId++ }
  name (x, y, z) { return this.data.blockOf[this.world.get(Math.floor(x), Math.floor(y), Math.floor(z))].name }
  solid (x, y, z) { return this.data.solid[this.world.get(Math.floor(x), Math.floor(y), Math.floor(z))] === 1 }

  clearSpawn () {
    let [x, y, z] = this.spawn
    while (this.solid(x, y, z) || this.solid(x, y + 1, z)) y++
    while (!this.solid(x, y - 1, z) && y > -60) y--
    this.spawn = [x, y, z]
  }

  surface (x, z) { return this.world.surface(x, z, this.data.solid) }
  cover (x, z) { return this.world.surface(x, z, this.data.covers) } // the height above which there are leaves at most

  setBlock (x, y, z, state) {
    const before = this.data.blockOf[this.world.get(x, y, z)].name
    this.world.set(x, y, z, state)
    const after = this.data.blockOf[state].name
    if (before.includes('torch')) this.state.torches.delete(`${x},${y},${z}`)
    if (after.includes('torch')) this.state.torches.add(`${x},${y},${z}`)
    for (const player of this.players) player.showBlock(x, y, z, state)
  }

  lit (x, y, z) {
    for (const place of this.state.torches) {
      const [tx, ty, tz] = place.split(',').map(Number)
      if (Math.abs(tx - x) + Math.abs(ty - y) + Math.abs(tz - z) < 12) return true
    }
    return false
  }

  // What somebody threw away lies for him as long as he has not gone away from it.
  drop (x, y, z, item, delay = 10, thrower = null) {
    const drops = this.state.drops
    for (const one of drops.values()) { // Equal things that lie together are one.
      if (this.data.sameStack(one.item, item) && one.item.count + item.count <= this.data.stackSize(item.id) &&
        Math.abs(one.x - x) < 1 && Math.abs(one.y - y) < 1 && Math.abs(one.z - z) < 1) {
        drops.set(one.id, { ...one, item: { ...item, count: one.item.count + item.count } })
        for (const player of this.players) player.hide(one.id)
        return
      }
    }
    const id = this.nextId()
    drops.set(id, { id, kind: 'item', x, y, z, sx: x, sy: y, sz: z, item, ready: this.state.age + delay, born: this.state.age, thrower })
  }

  furnace (x, y, z) { return this.state.furnaces.get(`${x},${y},${z}`) }

  tickFurnaces () {
    const { smelt, fuel, stackSize } = this.data
    for (const [where, old] of this.state.furnaces) {
      if (!old.slots[0] && !old.burn && !old.cook) continue
      const one = { ...old, slots: [...old.slots] }
      this.state.furnaces.set(where, one)
      const made = one.slots[0] && smelt.get(one.slots[0].id)
      const room = made && (!one.slots[2] || (one.slots[2].id === made && one.slots[2].count < stackSize(made)))
      if (one.burn > 0) one.burn--
      let changed = false
      if (!one.burn && room && one.slots[1] && fuel.has(one.slots[1].id)) {
        one.burn = one.most = fuel.get(one.slots[1].id)
        one.slots[1] = fewer(one.slots[1])
        changed = true
      }
      if (one.burn && room) {
        if (++one.cook >= 200) {
          one.cook = 0
          one.slots[0] = fewer(one.slots[0])
          one.slots[2] = { id: made, count: (one.slots[2]?.count ?? 0) + 1, damage: 0 }
          changed = true
        }
      } else one.cook = 0
      for (const player of this.players) player.showFurnace(where, one, changed)
    }
  }

  tickDrops () {
    for (const old of this.state.drops.values()) {
      const one = { ...old }
      if (!this.solid(one.x, one.y - 0.1, one.z)) one.y -= 0.3
      if (this.solid(one.x, one.y, one.z)) one.y = Math.floor(one.y) + 1
      if (this.state.age - one.born > 6000 || one.y < -70 || this.name(one.x, one.y, one.z) === 'lava') {
        this.state.drops.delete(one.id)
        continue
      }
      this.state.drops.set(one.id, one)
      if (this.state.age < one.ready) continue
      for (const player of this.players) {
        const body = player.state
        if (one.thrower === player.id) {
          if (distance(one, body) < AWAY) continue
          one.thrower = null
        }
        if (body.dead || Math.abs(body.x - one.x) > 1.3 || Math.abs(body.z - one.z) > 1.3 || one.y < body.y - 0.8 || one.y > body.y + 2.2) continue
        const left = player.give(one.item)
        if (left === one.item.count) continue
        player.taken(one, one.item.count - left)
        if (left) this.state.drops.set(one.id, { ...one, item: { ...one.item, count: left } })
        else this.state.drops.delete(one.id)
        break
      }
    }
  }

  tick () {
    const state = this.state
    state.age++
    if (this.options.daylight) state.time++
    for (const player of this.players) {
      const [cx, cz] = [Math.floor(player.state.x) >> 4, Math.floor(player.state.z) >> 4]
      for (let x = cx - 2; x <= cx + 2; x++) for (let z = cz - 2; z <= cz + 2; z++) populate(this, x, z, key(x, z))
    }
    this.tickFurnaces()
    tickMobs(this)
    this.tickDrops()
    for (const player of this.players) tickBody(this, player)
    if (this.players.length && this.players.every(one => one.state.sleeping && state.age - one.state.sleeping >= 100)) {
      state.time += DAY - state.time % DAY
      for (const player of this.players) {
        player.wake('You slept until the morning.')
        player.time()
      }
    }
    for (const player of this.players) player.update()
  }

  snapshot () {
    const { mobs, drops, furnaces, chests, populated, torches, ...plain } = this.state
    return {
      blocks: this.world.snapshot(),
      state: { ...plain, mobs: new Map(mobs), drops: new Map(drops), furnaces: new Map(furnaces), chests: new Map(chests), populated: new Set(populated), torches: new Set(torches) },
      players: this.players.map(player => player.save())
    }
  }

  restore (saved) {
    const shown = this.players.map(player => player.columns())
    this.world.restore(saved.blocks)
    const { mobs, drops, furnaces, chests, populated, torches, ...plain } = saved.state
    this.state = { ...plain, mobs: new Map(mobs), drops: new Map(drops), furnaces: new Map(furnaces), chests: new Map(chests), populated: new Set(populated), torches: new Set(torches) }
    this.players.forEach((player, i) => {
      for (const [cx, cz, column] of shown[i]) {
        difference(cx, cz, column, this.world.column(cx, cz), (x, y, z, state) => player.showBlock(x, y, z, state))
      }
      player.load(saved.players[i])
    })
  }
}

module.exports = { Game, DAY, NIGHT }
