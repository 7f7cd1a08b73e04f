'use strict'
// What minecraft-data's tables say, and rules.json where they are silent, prepared for quick look-up. Items are
// {id, count, damage}; blocks are state ids. The rules are pathei's own, not Mojang's.
// Not here: anything that changes during a game.
const registryOf = require('prismarine-registry')
const RULES = require('../rules.json')

const VERSION = '1.18.2'

function load (registry = registryOf(VERSION)) {
  const Block = require('prismarine-block')(registry)
  const items = registry.itemsByName
  const itemName = id => registry.items[id].name
  const blockOf = new Array(registry.blocksArray.at(-1).maxStateId + 1)
  for (const block of registry.blocksArray) for (let s = block.minStateId; s <= block.maxStateId; s++) blockOf[s] = block
  const solid = new Uint8Array(blockOf.length)
  const covers = new Uint8Array(blockOf.length) // what hides the sky: leaves do not
  const shaped = new Map()
  const model = id => (model.cache[id] ??= Block.fromStateId(id, 0))
  model.cache = []
  for (const block of registry.blocksArray) {
    for (let s = block.minStateId; s <= block.maxStateId; s++) covers[s] = solid[s] = block.boundingBox === 'block' ? 1 : 0
    if (block.name.endsWith('_leaves')) covers.fill(0, block.minStateId, block.maxStateId + 1)
  }
  const state = name => registry.blocksByName[name].defaultState
  const liquid = id => { const name = blockOf[id].name; return name === 'water' || name === 'lava' ? name : null }

  const byGroup = (name, groups) => {
    const key = Object.keys(groups).find(part => part.endsWith('_') ? name.startsWith(part) : name.endsWith(part))
    return key && groups[key]
  }
  const smelt = new Map()
  const fuel = new Map()
  for (const { id, name } of registry.itemsArray) {
    const made = RULES.smelt[name] ?? (/^(stripped_)?(crimson|warped)/.test(name) ? undefined : byGroup(name, RULES.smelt_groups))
    if (made) smelt.set(id, items[made].id)
    const ticks = RULES.fuel[name] ?? byGroup(name, RULES.fuel_groups)
    if (ticks) fuel.set(id, ticks)
  }

  // Recipes by their pattern: rows of ids, trimmed, and mirrored as well; those without a shape by their sorted ids.
  const idOf = part => part == null ? 0 : Array.isArray(part) ? part[0] : typeof part === 'object' ? part.id : part
  const shapeless = new Map()
  for (const recipe of Object.values(registry.recipes).flat()) {
    const made = { id: recipe.result.id, count: recipe.result.count ?? 1, damage: 0 }
    if (recipe.inShape) {
      const rows = recipe.inShape.map(row => row.map(idOf))
      shaped.set(rows.map(row => row.join()).join('/'), made)
      shaped.set(rows.map(row => [...row].reverse().join()).join('/'), made)
    } else shapeless.set(recipe.ingredients.map(idOf).sort((a, b) => a - b).join(), made)
  }
  function crafted (grid) { // A square grid of items or null, row by row; returns what it makes, or null.
    const width = Math.sqrt(grid.length)
    const used = grid.flatMap((item, place) => item ? [place] : [])
    if (!used.length) return null
    const columns = used.map(place => place % width)
    const rows = used.map(place => Math.floor(place / width))
    const pattern = []
    for (let y = Math.min(...rows); y <= Math.max(...rows); y++) {
      const row = []
      for (let x = Math.min(...columns); x <= Math.max(...columns); x++) row.push(grid[y * width + x]?.id ?? 0)
      pattern.push(row.join())
    }
    const made = shaped.get(pattern.join('/')) ?? shapeless.get(used.map(place => grid[place].id).sort((a, b) => a - b).join())
    return made ? { ...made } : null
  }

  const stackSize = id => registry.items[id].stackSize
  const durability = id => registry.items[id]?.maxDurability ?? 0
  const sameStack = (a, b) => a && b && a.id === b.id && a.damage === b.damage && stackSize(a.id) > 1

  function drops (id, tool, random) { // What a block leaves when it is broken with a tool (an item or null).
    const block = blockOf[id]
    if (block.harvestTools && !(tool && block.harvestTools[tool.id])) return []
    const leaves = block.name.endsWith('_leaves') ? block.name.slice(0, -7) : null
    const own = RULES.drops[block.name] ?? (leaves && RULES.drops.leaves)
    const found = []
    const put = (name, low, high) => {
      const item = items[name]
      const count = low + Math.floor(random() * (high - low + 1))
      if (item && count > 0) found.push({ id: item.id, count, damage: 0 })
    }
    if (own) {
      for (const [name, chance, low, high, last] of own) {
        if (random() >= chance) continue
        put(name === 'sapling' ? `${leaves}_sapling` : name, low, high)
        if (last) break
      }
      return found
    }
    const table = registry.blockLoot[block.name]?.drops ?? []
    for (const one of table) {
      if (one.silkTouch || one.blockAge > 0 || (one.dropChance < 1 && !one.noSilkTouch && table.length > 1)) continue
      put(one.item, one.stackSizeRange[0] ?? 1, one.stackSizeRange[1] ?? one.stackSizeRange[0] ?? 1)
    }
    if (!registry.blockLoot[block.name] && items[block.name]) put(block.name, 1, 1)
    return found
  }

  function lootTable (mob) { // [thing, chance, least, most]
    const own = RULES.mobs[mob].drops
    return own
      ? Object.entries(own).map(([item, [low, high]]) => [item, 1, low, high])
      : (registry.entityLoot[mob]?.drops ?? []).map(one => [one.item, one.dropChance, one.dropChance === 1 ? 0 : 1, one.dropChance === 1 ? 2 : 1])
  }

  const leaves = mob => lootTable(mob).filter(([, chance]) => chance > 0.1).map(([name]) => name) // what one may reckon with

  function loot (mob, random) {
    return lootTable(mob).flatMap(([name, chance, low, high]) => {
      const count = random() < chance ? low + Math.floor(random() * (high - low + 1)) : 0
      return count ? [{ id: items[name].id, count, damage: 0 }] : []
    })
  }

  function digTicks (id, tool, { water = false, air = false } = {}) {
    const time = model(id).digTime(tool?.id ?? null, false, water, air, [], {})
    return Math.ceil(time / 50)
  }

  const placeable = new Map() // item id -> block
  for (const block of registry.blocksArray) if (items[block.name]) placeable.set(items[block.name].id, block)
  placeable.set(items.torch.id, registry.blocksByName.torch)
  return {
    VERSION, RULES, registry, Block, items, itemName, blockOf, solid, covers, model, state, liquid, smelt, fuel, crafted, stackSize, durability, sameStack,
    drops, loot, leaves, digTicks, placeable, foods: registry.foods, air: 0
  }
}

module.exports = { load, VERSION }
