'use strict'
// The rules as Python's side needs them to list what can be done and to plan: recipes, smelting, fuel, food, creatures, and
// what each block leaves when it is broken by whom. Names only, no ids.
const { sources, NATURAL } = require('./skills')

const TIERS = ['wooden', 'stone', 'iron', 'diamond']

function tool (data, block) { // The least tool that a block asks for: null where a hand will do.
  if (!block.harvestTools) return null
  const names = Object.keys(block.harvestTools).map(id => data.itemName(id))
  for (const tier of TIERS) {
    const found = names.find(name => name.startsWith(`${tier}_`))
    if (found) return found
  }
  return names[0] ?? null
}

function recipes (data) {
  const found = []
  for (const recipe of Object.values(data.registry.recipes).flat()) {
    const parts = {}
    for (const part of recipe.inShape?.flat() ?? recipe.ingredients) {
      const id = part == null ? null : Array.isArray(part) ? part[0] : part.id ?? part
      if (id === null || id === -1) continue
      parts[data.itemName(id)] = (parts[data.itemName(id)] ?? 0) + 1
    }
    const wide = recipe.inShape ? recipe.inShape.length > 2 || recipe.inShape.some(row => row.length > 2) : recipe.ingredients.length > 4
    found.push({ name: data.itemName(recipe.result.id), count: recipe.result.count ?? 1, parts, table: wide })
  }
  return found
}

function tables (data) {
  const { registry, RULES } = data
  const named = ids => Object.fromEntries([...ids].map(([id, value]) => [data.itemName(id), value]))
  sources(data, 'dirt')
  const giving = { ...Object.fromEntries(data.sources), ...NATURAL } // item -> the blocks that give it
  return {
    recipes: recipes(data),
    smelting: Object.fromEntries([...data.smelt].map(([id, made]) => [data.itemName(id), data.itemName(made)])),
    fuel: named(data.fuel),
    foods: Object.fromEntries(Object.values(data.foods).map(food => [food.name, food.foodPoints])),
    giving,
    tools: Object.fromEntries(registry.blocksArray.filter(block => block.harvestTools).map(block => [block.name, tool(data, block)])),
    creatures: Object.fromEntries(Object.entries(RULES.mobs).map(([name, { hostile, gives = {} }]) => [name, { hostile: !!hostile, drops: data.leaves(name), gives }])),
    armor: RULES.armor,
    blockNames: registry.blocksArray.map(block => block.name), // by id: they are numbered from 0 without a gap
    itemNames: registry.itemsArray.reduce((names, item) => { names[item.id] = item.name; return names }, ['nothing']),
    durable: registry.itemsArray.filter(item => item.maxDurability).map(item => item.name)
  }
}

module.exports = { tables }
