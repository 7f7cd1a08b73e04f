'use strict'
// Actions in words, done with what a player can do: mine, craft, place, smelt, kill, eat, equip, use, deposit, withdraw, drop,
// sleep, explore, go, collect, wait. One that the rules do not allow throws `Refusal`, and the world is as if it had not been
// tried; one that was tried in vain throws `Failure`. Both say why; nothing is given for nothing.
const { Vec3 } = require('vec3')
const clock = require('../clock')
const { NEVER } = require('./navigate')
const { TOOL } = require('./session')

class Refusal extends Error {}
class Failure extends Error {}

const DIRECTIONS = { north: [0, -1], south: [0, 1], west: [-1, 0], east: [1, 0] }
const USED = /chest|table|furnace|barrel/ // what a click opens
const FOOD_ORDER = ['rotten_flesh', 'spider_eye', 'chicken', 'beef', 'porkchop', 'mutton']

const refuse = text => { throw new Refusal(text) }
const fail = text => { throw new Failure(text) }
const refuseAtFirst = (done, text) => done ? fail(text) : refuse(text)

function known (session, name) {
  if (session.id(name) === undefined) refuse(`there is nothing called ${name}`)
  return session.data.items[name]
}

// The blocks that leave an item when they are broken, or the block itself.
function sources (data, name) {
  data.sources ??= new Map()
  if (!data.sources.size) {
    for (const block of data.registry.blocksArray) {
      const own = data.RULES.drops[block.name]?.map(one => one[0])
      const table = own ?? (data.registry.blockLoot[block.name]?.drops ?? []).filter(one => !one.silkTouch).map(one => one.item)
      for (const item of table) data.sources.set(item, [...(data.sources.get(item) ?? []), block.name])
    }
  }
  const found = new Set(data.sources.get(name) ?? [])
  if (data.registry.blocksByName[name]) found.add(name)
  if (data.registry.blocksByName[`deepslate_${name}`]) found.add(`deepslate_${name}`)
  return [...found]
}

const NATURAL = { cobblestone: ['stone', 'cobblestone'], dirt: ['dirt', 'grass_block'], stick: ['dead_bush'], cobbled_deepslate: ['deepslate', 'cobbled_deepslate'], gravel: ['gravel'], flint: ['gravel'] }

async function mine (session, count, name) {
  const { data } = session
  const names = NATURAL[name] ?? sources(data, name)
  if (!names.length || (session.id(name) === undefined && !data.registry.blocksByName[name])) refuse(`no block gives ${name}`)
  const bad = new Set()
  const skip = at => bad.has(at.join())
  for (let done = 0; done < count;) {
    const [at] = session.find(names, { skip })
    if (!at && bad.size) fail(`the ${name} that is near cannot be reached (${done} of ${count} mined)`)
    if (!at) refuseAtFirst(done, done ? `there is no more ${name} within 32 blocks (${done} of ${count} mined)` : `there is no ${name} within 32 blocks`)
    const state = session.view.get(...at)
    const block = data.blockOf[state]
    const [tool] = session.tools(state)
    if (block.harvestTools && !(tool && block.harvestTools[tool.type])) {
      const least = Object.keys(block.harvestTools).map(id => data.itemName(id)).find(one => /^(wooden|stone|iron|diamond)_/.test(one) && !/^golden/.test(one))
      refuseAtFirst(done + bad.size, `${block.name} gives nothing without a ${least} or better`)
    }
    await session.walker.near(at[0] + 0.5, at[1] - 0.6, at[2] + 0.5, 3.4)
    if (!await session.dig(...at)) {
      bad.add(at.join())
      if (bad.size > 8) fail(`the ${name} that is near cannot be reached`)
      continue
    }
    done++
    const before = session.count(name)
    await gather(session, at, 5)
    if (full(session) && session.count(name) <= before) fail(`${FULL} (${done} of ${count} mined)`)
  }
}

const FULL = 'you can carry no more kinds of things: drop or deposit something'
const full = session => session.bot.inventory.emptySlotCount() === 0

async function gather (session, [x, y, z], range) { // Pick up what lies about.
  await session.pause(6)
  for (let tries = 0; tries < 4; tries++) {
    const [one] = session.entities(entity => entity.name === 'item' && entity.position.distanceTo(new Vec3(x + 0.5, y, z + 0.5)) < range + 1, 24)
    if (!one) return
    const { position } = one
    await session.walker.near(position.x, position.y, position.z, 0.9, { tries: 2 })
    await session.pause(3)
    if (session.bot.entities[one.id] && full(session)) return
  }
}

async function collect (session) {
  const [one] = session.entities(entity => entity.name === 'item')
  if (!one) refuse('nothing lies on the ground within 32 blocks')
  const at = one.position.floored()
  await gather(session, [at.x, at.y, at.z], 16)
  if (session.bot.entities[one.id] && full(session)) fail(FULL)
}

async function reachBlock (session, name, what) { // Go to the nearest of these blocks that can be reached, and return it.
  const found = session.find([name].flat(), { most: 3 })
  if (!found.length) refuse(what)
  for (const at of found) if (await session.walker.near(at[0] + 0.5, at[1], at[2] + 0.5, 2.6)) return session.bot.blockAt(new Vec3(...at))
  fail(`the ${session.name(...found[0])} cannot be reached`)
}

async function craft (session, count, name) {
  const { bot } = session
  const item = known(session, name)
  const all = bot.recipesAll(item.id, null, true)
  if (!all.length) refuse(`${name} is not made by crafting`)
  for (let made = 0; made < count;) {
    let [recipe] = bot.recipesFor(item.id, null, 1, null)
    let table = null
    if (!recipe) {
      [recipe] = bot.recipesFor(item.id, null, 1, true)
      if (!recipe) refuseAtFirst(made, missing(session, all, name, made, count))
      table = await reachBlock(session, 'crafting_table', `${name} needs a crafting_table within 32 blocks: craft one and place it`)
    }
    const before = session.count(name)
    await bot.craft(recipe, 1, table)
    await session.pause(2)
    const gained = session.count(name) - before
    if (gained <= 0) fail(`the server did not accept the crafting of ${name}`)
    session.did('crafted', name, gained)
    made += gained
  }
}

function missing (session, recipes, name, made, count) {
  const lacks = recipes.map(recipe => recipe.delta.filter(one => one.count < 0)
    .map(one => [session.data.itemName(one.id), -one.count - session.count(session.data.itemName(one.id))]).filter(([, lack]) => lack > 0))
  const least = lacks.sort((a, b) => a.reduce((s, [, n]) => s + n, 0) - b.reduce((s, [, n]) => s + n, 0))[0]
  const part = made ? ` (${made} of ${count} made)` : ''
  return `${name} needs ${least.map(([item, lack]) => `${lack} more ${item}`).join(' and ')}${part}`
}

async function place (session, name) {
  known(session, name)
  const { bot, data } = session
  const item = session.items().find(one => one.name === name) ?? refuse(`you have no ${name}`)
  if (!data.placeable.has(item.type)) refuse(`${name} cannot be placed`)
  const [x, y, z] = session.walker.feet()
  const free = (a, b, c) => /^(air|cave_air|grass|fern|dead_bush|snow)$/.test(session.name(a, b, c))
  const spots = []
  for (let dx = -3; dx <= 3; dx++) for (let dz = -3; dz <= 3; dz++) for (let dy = -2; dy <= 1; dy++) if (Math.abs(dx) + Math.abs(dz) > 1) spots.push([dx, dy, dz])
  spots.sort((a, b) => Math.hypot(...a) - Math.hypot(...b))
  await session.hold(item)
  const onto = (a, b, c) => data.solid[session.view.get(a, b, c)] === 1 && !USED.test(session.name(a, b, c))
  const put = async at => {
    if (session.view.get(...at) && !await session.dig(...at)) return false
    await session.hold(session.items().find(one => one.name === name))
    try {
      await bot.placeBlock(bot.blockAt(new Vec3(at[0], at[1] - 1, at[2])), new Vec3(0, 1, 0))
    } catch { return false }
    await session.tick()
    session.did('placed', name)
    return true
  }
  const ats = spots.map(([dx, dy, dz]) => [x + dx, y + dy, z + dz]).filter(([a, b, c]) => onto(a, b - 1, c))
  const open = ats.filter(at => free(...at)).slice(0, 5)
  // Where all is rock, as in a tunnel, a place is dug first.
  const rock = ats.filter(at => at[1] >= y && onto(...at) && !NEVER.test(session.name(...at))).slice(0, 5)
  for (const at of [...open, ...rock]) if (await put(at)) return
  fail(`there is no free place for the ${name} here`)
}

async function smelt (session, count, name) {
  const { bot, data } = session
  const item = known(session, name)
  const made = data.smelt.get(item.id)
  if (!made) refuse(`${name} cannot be smelted`)
  if (session.count(name) < count) refuse(`you have ${session.count(name)} ${name}, not ${count}`)
  const fuels = session.items().filter(one => data.fuel.has(one.type) && one.name !== name && !/_(pickaxe|axe|sword|shovel|hoe)$|^crafting_table$|^chest$/.test(one.name))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.slot - b.slot)
  if (!fuels.length) refuse('smelting needs fuel: coal, charcoal, planks or logs')
  const block = await reachBlock(session, 'furnace', 'smelting needs a furnace within 32 blocks: craft one and place it')
  const furnace = await bot.openFurnace(block)
  let got = 0
  try {
    for (const old of [2, 0]) if (furnace.slots[old] && (old === 2 || furnace.slots[0].type !== item.id)) await bot.putAway(old)
    let left = count * 200
    const fuel = fuels.find(one => session.count(one.name) * data.fuel.get(one.type) >= left) ?? fuels[0]
    if (!furnace.fuelItem() || furnace.fuelItem().type === fuel.type) {
      const need = Math.min(Math.ceil(left / data.fuel.get(fuel.type)), session.count(fuel.name))
      await furnace.putFuel(fuel.type, null, need)
    }
    await furnace.putInput(item.id, null, count)
    for (let idle = 0; got < count && idle < 260; left--) {
      await session.tick()
      const out = furnace.outputItem()
      idle++
      if (out && out.count + got > (session.smelted ?? 0)) { session.smelted = out.count + got; idle = 0 }
      if (out && out.count >= count - got) { got += out.count; await furnace.takeOutput() }
    }
    if (got < count) {
      if (furnace.outputItem()) { got += furnace.outputItem().count; await furnace.takeOutput() }
      if (furnace.inputItem()) await furnace.takeInput()
      fail(`the fuel was used up (${got} of ${count} smelted)`)
    }
  } finally {
    if (got) session.did('smelted', data.itemName(made), got)
    session.smelted = 0
    if (bot.currentWindow) bot.closeWindow(bot.currentWindow)
  }
}

const rank = name => ['coal', 'charcoal'].includes(name) ? 0 : name.endsWith('_planks') ? 1 : name === 'stick' ? 3 : 2

function weapon (session) {
  const { attack } = session.data.RULES
  return session.items().filter(item => attack[item.name]).sort((a, b) => attack[b.name] - attack[a.name] || a.slot - b.slot)[0]
}

async function kill (session, name) {
  const { bot } = session
  if (!session.data.RULES.mobs[name]) refuse(`there is no creature called ${name} here`)
  const [target] = session.entities(one => one.name === name)
  if (!target) refuse(`there is no ${name} within 32 blocks`)
  const best = weapon(session)
  if (best) await session.hold(best)
  for (let rest = 0, tries = 0; bot.entities[target.id]; rest--) {
    const { position } = target
    const apart = position.distanceTo(bot.entity.position)
    if (apart > 3) {
      if (apart > 40 || tries++ > 30) fail(`the ${name} got away`)
      bot.clearControlStates()
      const way = await chase(session, target)
      if (!way) fail(`the ${name} cannot be reached`)
      continue
    }
    bot.lookAt(position.offset(0, target.height * 0.7, 0), true)
    if (rest <= 0) {
      bot.attack(target)
      rest = 13
    }
    bot.setControlState('forward', apart > 2)
    await session.tick()
  }
  bot.clearControlStates()
  session.did('killed', name)
  const at = target.position.floored()
  await gather(session, [at.x, at.y, at.z], 4)
}

async function chase (session, target) {
  const { x, y, z } = target.position
  const before = session.position().distanceTo(target.position)
  await session.walker.near(x, y, z, 2, { tries: 1 })
  return session.position().distanceTo(target.position) < Math.max(before, 6)
}

async function eat (session, name) {
  const { bot, data } = session
  const foods = session.items().filter(item => data.foods[item.type] && (!name || item.name === name))
  if (!foods.length) refuse(name ? `you have no ${name} to eat` : 'you have nothing to eat')
  if (bot.food >= 20) refuse('you are not hungry')
  foods.sort((a, b) => FOOD_ORDER.indexOf(b.name) < 0 ? 1 : FOOD_ORDER.indexOf(a.name) < 0 ? -1 : FOOD_ORDER.indexOf(b.name) - FOOD_ORDER.indexOf(a.name))
  foods.sort((a, b) => (FOOD_ORDER.includes(a.name) ? 1 : 0) - (FOOD_ORDER.includes(b.name) ? 1 : 0))
  await session.hold(foods[0])
  await bot.consume()
  session.did('eaten', foods[0].name)
}

async function equip (session, name) {
  const { bot } = session
  known(session, name)
  const item = session.items().find(one => one.name === name) ?? refuse(`you have no ${name}`)
  const piece = ['helmet', 'chestplate', 'leggings', 'boots'].findIndex(one => name.endsWith(`_${one}`))
  if (piece < 0) return session.hold(item)
  if (bot.inventory.slots[5 + piece]) {
    await bot.clickWindow(5 + piece, 0, 1)
    await clock.settle()
  }
  await bot.clickWindow(session.items().find(one => one.name === name).slot, 0, 1)
  await clock.settle()
}

// Use a tool for what it is for: shears on a sheep, a bucket on a cow, a hoe on the ground, any other on the nearest soft block.
async function use (session, name) {
  known(session, name)
  const item = session.items().find(one => one.name === name) ?? refuse(`you have no ${name}`)
  const { mobs } = session.data.RULES
  const giver = Object.keys(mobs).find(kind => mobs[kind].gives?.[name])
  if (giver) return useOnCreature(session, giver, item)
  if (!TOOL.test(name)) refuse(`${name} is no tool: equip, place, eat or smelt it`)
  const bad = new Set()
  while (bad.size < 8) {
    const [at] = session.find(name.endsWith('_hoe') ? TILLED : SOFT, { skip: at => bad.has(at.join()) })
    if (!at) break
    bad.add(at.join())
    if (name.endsWith('_hoe') ? await till(session, at, item) : await breakWith(session, at, item)) return
  }
  refuseAtFirst(bad.size, `nothing near can be worked with ${name}`)
}

const SOFT = ['dirt', 'grass_block', 'sand', 'gravel', 'stone', 'deepslate']
const TILLED = ['dirt', 'grass_block']

async function breakWith (session, at, item) {
  await session.walker.near(at[0] + 0.5, at[1] - 0.6, at[2] + 0.5, 3.4)
  return session.dig(...at, session.items().find(one => one.name === item.name))
}

async function till (session, [x, y, z], item) {
  if (session.view.get(x, y + 1, z)) return false
  await session.walker.near(x + 0.5, y + 1, z + 0.5, 2.6)
  await session.hold(session.items().find(one => one.name === item.name))
  await session.bot.activateBlock(session.bot.blockAt(new Vec3(x, y, z)), new Vec3(0, 1, 0))
  await session.pause(2)
  if (session.name(x, y, z) !== 'farmland') return false
  session.did('used', item.name)
  return true
}

async function useOnCreature (session, kind, item) {
  const held = () => JSON.stringify(session.items().map(one => [one.name, one.count]).sort())
  const near = session.entities(one => one.name === kind)
  if (!near.length) refuse(`there is no ${kind} within 32 blocks`)
  const before = held()
  for (const target of near) {
    for (let tries = 0; tries < 3; tries++) { // It walks about.
      await session.walker.near(target.position.x, target.position.y, target.position.z, 2, { tries: 1 })
      if (!session.bot.entities[target.id] || target.position.distanceTo(session.position()) > 3.5) continue
      await session.hold(session.items().find(one => one.name === item.name))
      await session.bot.activateEntity(target)
      await session.pause(2)
      const at = target.position.floored()
      await gather(session, [at.x, at.y, at.z], 4)
      if (held() === before) break
      session.did('used', item.name)
      return
    }
  }
  fail(`no ${kind} that is near gives anything now`)
}

async function store (session, count, name, into) {
  const { bot } = session
  const item = known(session, name)
  if (into && session.count(name) < count) refuse(`you have ${session.count(name)} ${name}, not ${count}`)
  const block = await reachBlock(session, 'chest', 'there is no chest within 32 blocks: craft one and place it')
  const chest = await bot.openContainer(block)
  try {
    const inside = chest.containerItems().reduce((sum, one) => sum + (one.name === name ? one.count : 0), 0)
    if (!into && inside < count) fail(`the chest holds ${inside} ${name}, not ${count}`)
    await (into ? chest.deposit(item.id, null, count) : chest.withdraw(item.id, null, count))
    await clock.settle()
    const held = {}
    for (const one of chest.containerItems()) held[one.name] = (held[one.name] ?? 0) + one.count
    session.memory = { ...session.memory, [block.position.toArray().join(' ')]: held }
  } finally {
    bot.closeWindow(chest)
  }
}

async function drop (session, count, name) {
  const item = known(session, name)
  if (session.count(name) < count) refuse(`you have ${session.count(name)} ${name}, not ${count}`)
  await session.bot.toss(item.id, null, count)
  await clock.settle()
}

async function sleep (session) {
  const { bot } = session
  const beds = session.data.registry.blocksArray.filter(block => block.name.endsWith('_bed')).map(block => block.name)
  const time = bot.time.timeOfDay
  if (time < 12542 || time > 23459) refuse('one can sleep only at night')
  const block = await reachBlock(session, beds, 'there is no bed within 32 blocks: craft one and place it')
  await bot.sleep(block).catch(error => fail(/monsters/.test(error.message) ? 'hostile creatures are too near to sleep' : 'the bed could not be used'))
  for (let tick = 0; tick < 140 && bot.isSleeping; tick++) await session.tick()
  if (!bot.isSleeping) session.did('slept', 'times')
}

async function explore (session, way) {
  const [x, y, z] = session.walker.feet()
  if (way === 'down' || way === 'up') {
    const goal = way === 'down' ? Math.max(-58, y - 12) : Math.min(y + 12, 318)
    const top = (a, b, c) => way === 'up' && b >= session.game.cover(a, c)
    if (y === goal || top(x, y, z)) refuse(way === 'down' ? 'it does not get deeper' : 'you are under the open sky')
    await session.walker.go((a, b, c) => way === 'down' ? b <= goal : b >= goal || top(a, b, c), (a, b) => Math.abs(b - goal) * 1.4)
    const now = session.walker.feet()
    if (now[1] === y && !top(...now)) fail(`there is no way ${way}`)
    return
  }
  const [dx, dz] = DIRECTIONS[way] ?? refuse(`${way} is no direction: north, south, east, west, up or down`)
  for (let leg = 0; leg < 2; leg++) {
    const [a, , c] = session.walker.feet()
    const along = (u, w) => (u - a) * dx + (w - c) * dz
    await session.walker.go((u, v, w) => along(u, w) >= 16, (u, v, w) => Math.max(0, 16 - along(u, w)) + Math.abs((u - a) * dz) * 0.1 + Math.abs((w - c) * dx) * 0.1, { tries: 2 })
  }
  const [nx, , nz] = session.walker.feet()
  if (Math.hypot(nx - x, nz - z) < 3) fail(`the way ${way} is blocked`)
}

async function goTo (session, x, y, z) {
  if (!await session.walker.near(x + 0.5, y, z + 0.5, 1.2, { tries: 12 })) fail(`${x} ${y} ${z} could not be reached; you are at ${session.walker.feet().join(' ')}`)
}

const many = text => text === undefined ? 1 : Math.min(64, Math.max(1, +text))
const ACTIONS = [ // pattern, game seconds it may take, what it does
  [/^mine (?:(\d+) )?(\w+)$/, m => 40 + 40 * many(m[1]), (s, m) => mine(s, many(m[1]), m[2])],
  [/^craft (?:(\d+) )?(\w+)$/, () => 60, (s, m) => craft(s, many(m[1]), m[2])],
  [/^place (\w+)$/, () => 20, (s, m) => place(s, m[1])],
  [/^smelt (?:(\d+) )?(\w+)$/, m => 60 + 12 * many(m[1]), (s, m) => smelt(s, many(m[1]), m[2])],
  [/^kill (\w+)$/, () => 90, (s, m) => kill(s, m[1])],
  [/^eat(?: (\w+))?$/, () => 10, (s, m) => eat(s, m[1])],
  [/^use (\w+)$/, () => 60, (s, m) => use(s, m[1])],
  [/^equip (\w+)$/, () => 10, (s, m) => equip(s, m[1])],
  [/^deposit (?:(\d+) )?(\w+)$/, () => 60, (s, m) => store(s, many(m[1]), m[2], true)],
  [/^withdraw (?:(\d+) )?(\w+)$/, () => 60, (s, m) => store(s, many(m[1]), m[2], false)],
  [/^drop (?:(\d+) )?(\w+)$/, () => 10, (s, m) => drop(s, many(m[1]), m[2])],
  [/^sleep$/, () => 60, s => sleep(s)],
  [/^explore (\w+)$/, () => 90, (s, m) => explore(s, m[1])],
  [/^go to (-?\d+) (-?\d+) (-?\d+)$/, () => 180, (s, m) => goTo(s, +m[1], +m[2], +m[3])],
  [/^collect$/, () => 60, s => collect(s)],
  [/^wait$/, () => 10, s => s.pause(100)]
]

// What a sentence asks for: {seconds, run}, or null where it is no action.
function parse (text) {
  for (const [pattern, seconds, run] of ACTIONS) {
    const found = pattern.exec(text)
    if (found) return { seconds: seconds(found), run: session => run(session, found) }
  }
  return null
}

module.exports = { parse, Refusal, Failure, sources, NATURAL }
