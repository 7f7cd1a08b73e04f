'use strict'
// Finding a way through blocks (A*, digging where that is quicker) and walking it with the keys that a player has.
// Bounded: a search gives up after a number of places and then leads as near as it got. Not here: what the way is for.
const { Vec3 } = require('vec3')

const MOST = 4000 // places looked at
const SIDES = [[1, 0], [-1, 0], [0, 1], [0, -1]]
const TICKS = 4.6 // to walk one block
const SAFE = 3 // blocks that one falls without being hurt
const FALLS = [[16, 8], [10, 5]] // with this health, drops so deep are taken where there is no better way
const SLOWER = 5 // how much longer one digs with the head in water, or while swimming
const BREATH = 120 // ticks of air left at which one goes up for more
const NEVER = /^(bedrock|crafting_table|furnace|chest|barrel|cactus|lava|fire)$|_bed$|_door$/
const NOTHING = []
const WATER = 1
const FORBIDDEN = 2 // neither walked through nor broken

const kindOfWay = block => block.name === 'water' ? WATER : NEVER.test(block.name) ? FORBIDDEN : 0

class Heap {
  constructor () { this.list = [] }
  get size () { return this.list.length }
  push (node) {
    const { list } = this
    let at = list.push(node) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (list[up].total <= node.total) break
      list[at] = list[up]
      at = up
    }
    list[at] = node
  }

  pop () {
    const { list } = this
    const first = list[0]
    const last = list.pop()
    if (!list.length) return first
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= list.length) break
      if (down + 1 < list.length && list[down + 1].total < list[down].total) down++
      if (list[down].total >= last.total) break
      list[at] = list[down]
      at = down
    }
    list[at] = last
    return first
  }
}

const fallCost = drop => 1 + drop * 0.4 + Math.max(0, drop - SAFE) * 12

const keyOf = (x, y, z) => ((x + 32768) * 65536 + z + 32768) * 512 + y + 64

// A way from a place to one for which `reached` holds; `guess` is at most the cost that is left. Each step is {x, y, z, dig}.
// `fall` is the deepest drop that is taken.
function findWay (data, world, from, reached, guess, digCost, fall = SAFE) {
  const ways = data.ways ??= Uint8Array.from(data.blockOf, kindOfWay)
  const solid = (x, y, z) => data.solid[world.get(x, y, z)] === 1
  const water = (x, y, z) => ways[world.get(x, y, z)] === WATER
  const lava = (x, y, z) => ways[world.get(x, y, z)] === FORBIDDEN
  const cost = (x, y, z) => { // of having this place free
    const state = world.get(x, y, z)
    if (ways[state] === FORBIDDEN) return Infinity
    return data.solid[state] ? digCost(state) : 0
  }
  const leaks = (x, y, z) => water(x, y + 1, z) || SIDES.some(([dx, dz]) => water(x + dx, y, z + dz)) // water comes in
  const open = new Heap()
  const best = new Map([[keyOf(...from), 0]])
  let nearest = { x: from[0], y: from[1], z: from[2], spent: 0, left: guess(...from), before: null, dig: NOTHING, floods: false }
  nearest.total = nearest.left
  open.push(nearest)
  const start = nearest
  let looked = 0
  while (open.size && looked++ < MOST) {
    const here = open.pop()
    if (here.spent > best.get(keyOf(here.x, here.y, here.z))) continue
    if (here.left < nearest.left) nearest = here
    if (reached(here.x, here.y, here.z)) return { steps: unwind(here), whole: true }
    const { x, y, z } = here
    const go = (tx, ty, tz, price, places) => {
      let spent = here.spent + price
      const key = keyOf(tx, ty, tz)
      const least = best.get(key) ?? Infinity
      if (spent >= least || ty < -62) return
      let dig = NOTHING
      let floods = here.floods
      for (const place of places) {
        const one = cost(...place)
        if (!one) continue
        dig = [...dig, place]
        spent += one * hindered
        floods ||= leaks(...place)
      }
      if (spent >= least) return
      best.set(key, spent)
      const left = guess(tx, ty, tz)
      open.push({ x: tx, y: ty, z: tz, spent, left, total: spent + 1.3 * left, before: here, dig, floods })
    }
    const wet = water(x, y, z)
    const under = here.floods || water(x, y + 1, z)
    const swims = wet && !solid(x, y - 1, z)
    const hindered = under && swims ? Infinity : under || swims ? SLOWER : 1 // both together take longer than one's breath
    const footing = wet || solid(x, y - 1, z) // who only looks out of the water cannot step up from there
    for (const [dx, dz] of SIDES) {
      const [nx, nz] = [x + dx, z + dz]
      const slow = water(nx, y, nz) ? 2.5 : 1
      if (solid(nx, y - 1, nz) || water(nx, y, nz) || (wet && water(nx, y - 1, nz))) go(nx, y, nz, slow, [[nx, y + 1, nz], [nx, y, nz]])
      else {
        for (let drop = 1; drop <= fall; drop++) {
          if (lava(nx, y - drop, nz)) break
          if (!solid(nx, y - drop - 1, nz) && !water(nx, y - drop, nz)) continue
          go(nx, y - drop, nz, fallCost(drop), [[nx, y + 1, nz], [nx, y, nz]])
          break
        }
      }
      if (solid(nx, y, nz) && footing) go(nx, y + 1, nz, 1.6, [[x, y + 2, z], [nx, y + 2, nz], [nx, y + 1, nz]])
      if (solid(nx, y - 2, nz) && solid(nx, y - 1, nz)) go(nx, y - 1, nz, 1.4, [[nx, y + 1, nz], [nx, y, nz], [nx, y - 1, nz]])
    }
    for (const [dx, dz] of [[1, 1], [1, -1], [-1, 1], [-1, -1]]) {
      const [nx, nz] = [x + dx, z + dz]
      const free = !solid(nx, y, nz) && !solid(nx, y + 1, nz) && !solid(x, y, nz) && !solid(x, y + 1, nz) && !solid(nx, y, z) && !solid(nx, y + 1, z)
      if (free && solid(nx, y - 1, nz) && solid(x, y - 1, nz) && solid(nx, y - 1, z) && !cost(nx, y, nz)) go(nx, y, nz, 1.42, [])
    }
    if (wet && (water(x, y + 1, z) || !solid(x, y + 1, z))) go(x, y + 1, z, 2, [[x, y + 2, z]])
    for (let drop = 1; solid(x, y - 1, z) && drop <= fall; drop++) { // through the floor
      if (lava(x, y - drop, z)) break
      if (!solid(x, y - drop - 1, z) && !water(x, y - drop, z)) continue
      go(x, y - drop, z, fallCost(drop), [[x, y - 1, z]])
      break
    }
  }
  return { steps: unwind(nearest), whole: false, stuck: nearest === start }
}

function unwind (node) {
  const steps = []
  for (; node.before; node = node.before) steps.push(node)
  return steps.reverse()
}

class Walker {
  constructor (session) { this.session = session }

  feet () {
    const { position } = this.session.bot.entity
    return [Math.floor(position.x), Math.floor(position.y + 0.2), Math.floor(position.z)]
  }

  // Go to where `reached` holds. Returns whether that worked; digs with the tool that suits.
  async go (reached, guess, { tries = 6, dig = true } = {}) {
    const { session } = this
    for (let attempt = 0; attempt < tries; attempt++) {
      if (this.choking()) await this.surface()
      const from = this.feet()
      if (reached(...from)) return true
      const costs = session.digCosts()
      const fall = FALLS.find(([health]) => session.bot.health >= health)?.[1] ?? SAFE
      const digCost = state => dig ? costs(state) / TICKS : Infinity
      const way = findWay(session.data, session.view, from, reached, guess, digCost, fall)
      if (way.stuck || !way.steps.length) return reached(...this.feet())
      await this.follow(way.steps)
    }
    return reached(...this.feet())
  }

  under () { // Whether the head is in water.
    const [x, y, z] = this.feet()
    return this.session.name(x, y + 1, z) === 'water'
  }

  choking () { return this.session.player.state.air < BREATH && this.under() }

  async surface () { // The nearest place with air for the head, whatever else is wanted.
    const { session } = this
    const open = (x, y, z) => !session.data.solid[session.view.get(x, y + 1, z)] && session.name(x, y + 1, z) !== 'water'
    const way = findWay(session.data, session.view, this.feet(), open, () => 0, () => Infinity)
    for (const step of way.steps) if (!await this.step(step)) return
    for (let tick = 0; tick < 20 && way.whole; tick++) await session.tick()
  }

  async near (x, y, z, reach, options) {
    const far = (a, b, c) => Math.hypot(a + 0.5 - x, b - y, c + 0.5 - z)
    return this.go((a, b, c) => far(a, b, c) <= reach, (a, b, c) => Math.max(0, far(a, b, c) - reach), options)
  }

  async follow (steps) {
    const { session } = this
    const { bot } = session
    try {
      for (const step of steps) {
        if (this.choking()) return
        for (const place of step.dig) {
          bot.setControlState('forward', false)
          bot.setControlState('jump', false)
          if (!await session.dig(...place)) return
        }
        if (!await this.step(step)) return
      }
    } finally {
      bot.clearControlStates()
    }
  }

  async step ({ x, y, z }) {
    const { session } = this
    const { bot } = session
    for (let tick = 0; tick < 45; tick++) {
      const { position } = bot.entity
      const [dx, dz] = [x + 0.5 - position.x, z + 0.5 - position.z]
      const swims = session.name(Math.floor(position.x), Math.floor(position.y + 0.3), Math.floor(position.z)) === 'water'
      if (Math.abs(dx) < 0.3 && Math.abs(dz) < 0.3 && Math.abs(position.y - y) < (swims ? 1 : 0.6) && (bot.entity.onGround || swims)) return true
      if (tick > 25 && position.y < y - 1.2 && !swims) return false
      bot.look(Math.atan2(-dx, -dz), 0, true)
      const apart = Math.hypot(dx, dz)
      bot.setControlState('forward', apart > 0.15)
      bot.setControlState('sprint', apart > 2)
      bot.setControlState('jump', (y > position.y + 0.4 && apart < 1.5) || (swims && y >= position.y - 0.5))
      await session.tick()
    }
    return false
  }
}

module.exports = { Walker, NEVER, findWay }
