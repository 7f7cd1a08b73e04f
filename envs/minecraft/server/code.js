'use strict'
// Runs a program of an agent's: an `async function (bot)`, in a process without network, files or the world. Everything that
// it does to the world it asks for on standard output, a JSON line each, and what came of it is read from standard input.
// Chance and the clock are fixed, so the same program does the same. Not here: the sandbox, which Python starts (code.py).
const readline = require('readline')
const vm = require('vm')

const lines = readline.createInterface({ input: process.stdin })
const waiting = []

const write = message => process.stdout.write(`${JSON.stringify(message)}\n`)
const ask = message => new Promise(resolve => { waiting.push(resolve); write(message) })
lines.on('line', line => waiting.shift()?.(JSON.parse(line)))

// The program gets a realm of its own, with nothing of node in it; what keeps it in is the sandbox and not the realm.
const PRELUDE = `(async (ask, source) => {
  'use strict'
  let seen
  const update = text => { const answer = JSON.parse(text); seen = answer.seen; return answer }
  const doing = async action => {
    const answer = update(await ask(JSON.stringify({ do: String(action) })))
    if (answer.error) throw new Error(answer.error)
    return seen
  }
  update(await ask(JSON.stringify({ look: true })))
  const bot = Object.freeze({
    do: doing,
    chat: text => { ask(JSON.stringify({ say: String(text) })) },
    get entity () { const [x, y, z] = seen.position; return { position: { x, y, z } } },
    get health () { return seen.health },
    get food () { return seen.food },
    get time () { return { timeOfDay: seen.time } },
    get biome () { return seen.biome },
    get blocks () { return [...seen.within] },
    get creatures () { return seen.entities.map(one => one.name) },
    inventory: Object.freeze({
      items: () => Object.entries(seen.inventory).map(([name, count]) => ({ name, count })),
      count: name => seen.inventory[name] ?? 0
    })
  })
  const mineBlock = (bot, name, count = 1) => doing('mine ' + count + ' ' + name)
  const craftItem = (bot, name, count = 1) => doing('craft ' + count + ' ' + name)
  const placeItem = (bot, name) => doing('place ' + name)
  const smeltItem = (bot, name, fuel, count = 1) => doing('smelt ' + count + ' ' + name)
  const killMob = (bot, name) => doing('kill ' + name)
  const exploreUntil = async (bot, direction, seconds, found) => {
    const ways = { x: ['west', 'east'], y: ['down', 'up'], z: ['north', 'south'] }
    const axis = ['x', 'y', 'z'].find(one => direction[one]) ?? 'x'
    for (let leg = 0; leg < Math.max(1, Math.ceil(seconds / 10)); leg++) {
      const result = found?.()
      if (result) return result
      await doing('explore ' + ways[axis][direction[axis] > 0 ? 1 : 0])
    }
    return found?.() || null
  }
  Object.assign(globalThis, { mineBlock, craftItem, placeItem, smeltItem, killMob, exploreUntil })
  const main = (0, eval)('(' + source + ')')
  if (typeof main !== 'function') throw new Error('the program is not a function')
  await main(bot)
})`

function realm () {
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: true, wasm: false } })
  vm.runInContext(`{ let t = 1; Math.random = () => { t = t * 48271 % 2147483647; return t / 2147483647 }
    const Real = Date; globalThis.Date = class extends Real { constructor (...a) { super(...(a.length ? a : [0])) } static now () { return 0 } } }`, context)
  return context
}

lines.once('line', async first => {
  const { source } = JSON.parse(first)
  try {
    const context = realm()
    const run = vm.runInContext(PRELUDE, context)
    await run(async text => JSON.stringify(await ask(JSON.parse(text))), source)
    write({ done: true })
  } catch (error) {
    write({ done: true, error: String(error?.message ?? error).slice(0, 500) })
  }
  process.stdout.end(() => process.exit(0))
})
