'use strict'
// The worlds as a child process: answers the calls of pathei's Python side on descriptor 3 (wire.js). Several worlds may
// be kept, one is played; time passes only while an action is under way.
Error.stackTraceLimit = 2 // protodef ends every packet with an error, and long traces would take a tenth of the time.
const clock = require('./clock')
clock.install()
const random = { state: 1 }
Math.random = () => { // mineflayer's own chance, seeded and saved with the world.
  let t = random.state = random.state + 0x6D2B79F5 | 0
  t = Math.imul(t ^ t >>> 15, 1 | t)
  t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
  return ((t ^ t >>> 14) >>> 0) / 4294967296
}
require('./lookups').keep()
const wire = require('./wire')
const { load, VERSION } = require('./game/data')
const { Game } = require('./game/game')
const { Session } = require('./bot/session')
const { parse, Refusal, Failure } = require('./bot/skills')
const { Hands } = require('./bot/hands')
const { summon } = require('./game/mobs')
const { observe } = require('./bot/observe')
const { frame } = require('./bot/frame')
const { tables } = require('./bot/tables')

const TICK = 50 // milliseconds
const SETTLING = 20 // ticks until what was just made has come to rest
const KEPT = 4 // worlds that a reset finds again
const DYING = 60 // ticks until the dead are back

const data = load()
const snapshots = new Map()
let worlds = new Map() // seed and options -> the moment of its beginning
let world = null // {game, sessions, time, timers}, the one that is played
let number = 0

// The place of what is worn, or held in the other hand.
const PLACES = { _helmet: 5, _chestplate: 6, _leggings: 7, _boots: 8, shield: 45 }
const place = name => PLACES[Object.keys(PLACES).find(end => name.endsWith(end))]

async function tick () {
  world.game.tick()
  await clock.settle()
  await clock.pass(TICK)
  for (const session of world.sessions) session.ticked()
  await clock.settle()
}

async function begin (seed, { characters = 1, ...options }) {
  const time = clock.fresh()
  clock.enter(time)
  random.state = seed | 0
  world = { game: new Game(data, seed, options), sessions: [], time }
  for (let i = 0; i < characters; i++) world.sessions.push(await new Session(world.game, data).join(characters > 1 ? `char${i}` : 'bot'))
  world.timers = clock.waiting()
  for (let i = 0; i < SETTLING; i++) await tick()
  for (const kind of options.creatures ?? []) summon(world.game, kind)
  for (let i = 0; i < 2; i++) await tick() // Creatures are shown every other tick.
}

// What one begins with, in a world that has just begun.
async function provide ({ inventory = {}, worn = [], food, time }) {
  for (const session of world.sessions) { // Keys may still be held.
    session.abandon()
    session.hands = null
    session.ready()
  }
  await clock.settle()
  if (time !== undefined) world.game.state.time = time
  for (const { player } of world.sessions) {
    if (food !== undefined) player.state.food = food
    for (const [name, count] of Object.entries(inventory)) player.give({ id: data.items[name].id, count, damage: 0 })
    for (const name of worn) player.set(place(name), { id: data.items[name].id, count: 1, damage: 0 })
  }
  await tick()
  for (const { player } of world.sessions) {
    player.sync()
    player.news = []
  }
  await clock.settle()
}

function save () {
  return { world, game: world.game.snapshot(), random: random.state, memory: world.sessions.map(session => session.memory) }
}

async function goBack (saved) {
  if (world !== saved.world) {
    world = saved.world
    clock.enter(world.time)
  }
  world.game.restore(saved.game)
  random.state = saved.random
  world.sessions.forEach((session, i) => { session.memory = saved.memory[i] })
  await clock.settle()
}

// Let one bot act; the others stand where they are. Returns {refused} where the rules do not allow it and nothing changed, {failed} where it was in vain.
async function act (session, text) {
  const asked = parse(text)
  if (!asked) return { refused: `${JSON.stringify(text)} is no action` }
  const before = save()
  session.player.news = []
  clock.forget(world.timers)
  for (const one of world.sessions) one.ready()
  await clock.settle()
  await tick()
  await tick()
  let outcome
  const ended = error => { outcome ??= { error } } // The first end counts: what is given up below may still fail.
  asked.run(session).then(() => ended(null), ended)
  const died = session.player.stats.died?.times ?? 0
  for (let spent = 0; !outcome && spent < asked.seconds * 20; spent++) {
    await tick()
    if ((session.player.stats.died?.times ?? 0) > died) ended(new Failure('you died'))
  }
  ended(new Failure(`it took longer than ${asked.seconds} seconds of the game`))
  session.abandon()
  await clock.settle()
  for (let wait = 0; wait < DYING && world.game.players.some(one => one.state.dead); wait++) await tick()
  const { error } = outcome
  if (error instanceof Refusal) {
    await goBack(before)
    session.player.news = []
    return { refused: error.message }
  }
  for (const { player } of world.sessions) player.time() // Clients are told once a second otherwise.
  await clock.settle()
  if (error && !(error instanceof Failure)) process.stderr.write(`${text}: ${error.stack}\n`)
  return error ? { failed: error.message } : {}
}

const CALLS = {
  hello: () => ({ protocol: 1, name: 'minecraft', versions: { node: process.version, minecraft: VERSION, mineflayer: require('mineflayer/package.json').version } }),
  make: () => tables(data),
  async reset ({ seed, options: { inventory, worn, food, time, ...options } }) {
    for (const thing of Object.keys(inventory ?? {})) if (!Object.hasOwn(data.items, thing)) throw new Error(`there is nothing called ${thing}`)
    for (const thing of worn ?? []) if (!Object.hasOwn(data.items, thing) || !place(thing)) throw new Error(`${thing} cannot be worn`)
    for (const kind of options.creatures ?? []) if (!Object.hasOwn(data.RULES.mobs, kind)) throw new Error(`there is no creature called ${kind} here`)
    const name = JSON.stringify([seed, options])
    const kept = worlds.get(name)
    worlds.delete(name)
    if (kept) await goBack(kept)
    else await begin(seed, options)
    worlds.set(name, kept ?? save())
    if (worlds.size > KEPT) worlds.delete(worlds.keys().next().value)
    await provide({ inventory, worn, food, time })
    return world.sessions.map(observe)
  },
  async step ({ action, bot }) {
    const outcome = await act(world.sessions[bot], action)
    return { ...outcome, seen: world.sessions.map(observe) }
  },
  // One tick or several with the keys held, the head turned once at the beginning.
  async hold ({ count, ...held }) {
    const [session] = world.sessions
    session.hands ??= new Hands(session)
    for (let i = 0; i < count; i++) {
      session.hands.set(i ? { ...held, camera: [0, 0], slot: null } : held)
      await tick()
    }
    return session.hands.see()
  },
  async tick ({ count }) {
    for (let i = 0; i < count; i++) await tick()
    return observe(world.sessions[0])
  },
  frame: ({ bot, width, height }) => frame(world.sessions[bot], width, height).toString('base64'),
  snapshot ({ forget = [] }) {
    for (const old of forget) snapshots.delete(old)
    snapshots.set(++number, save())
    return number
  },
  async restore ({ snapshot }) {
    if (!snapshots.has(snapshot)) throw new Error('there is no such snapshot')
    await goBack(snapshots.get(snapshot))
    return null
  },
  async forge ({ packets }) { // For tests: packets as a forger would send them, each with the ticks that pass then.
    for (const [name, packet, ticks] of packets) {
      world.sessions[0].bot._client.write(name, packet)
      await clock.settle()
      for (let i = 0; i < ticks; i++) await tick()
    }
    return observe(world.sessions[0])
  },
  close: () => { setImmediate(() => process.exit(0)); return null }
}

process.on('unhandledRejection', () => {}) // Promises of mineflayer whose action was abandoned.
wire.serve((call, args) => {
  if (!Object.hasOwn(CALLS, call)) throw new Error(`there is no call ${call}`)
  return CALLS[call](args)
})
