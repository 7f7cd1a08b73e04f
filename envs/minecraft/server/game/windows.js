'use strict'
// What a click in an inventory window does. The server alone decides: what the client claims to hold is never believed,
// so a forged click gains nothing. Windows: the player's own (with its 2x2 grid), crafting table, furnace, chest.
// A slot number of a window is resolved to a list and a place in it. Not here: packets (player.js).
const fewer = item => item.count > 1 ? { ...item, count: item.count - 1 } : null

const TYPES = { crafting: { id: 11, own: 10, grid: 9 }, furnace: { id: 13, own: 3, grid: 0 }, chest: { id: 2, own: 27, grid: 0 } }
const PIECES = ['helmet', 'chestplate', 'leggings', 'boots']

const gridOf = window => window ? TYPES[window.type].grid : 4
const size = window => window ? TYPES[window.type].own + 36 : 46

function locate (game, body, slot) { // [the list, the place in it]
  const { window } = body
  if (!window) return [body.slots, slot]
  const { own } = TYPES[window.type]
  if (slot >= own) return [body.slots, slot - own + 9]
  if (window.type === 'crafting') return [window.grid, slot]
  const from = window.type === 'furnace' ? game.state.furnaces : game.state.chests
  if (window.type === 'furnace') return [from.get(window.at)?.slots ?? new Array(3).fill(null), slot]
  return [from.get(window.at) ?? new Array(27).fill(null), slot]
}

function read (game, body, slot) {
  const [list, place] = locate(game, body, slot)
  return list[place]
}

function write (game, body, slot, item) {
  const { window } = body
  const value = item && item.count > 0 ? item : null
  if (window && slot < TYPES[window.type].own && window.type !== 'crafting') { // Shared, so replaced and not written to.
    const all = window.type === 'furnace' ? game.state.furnaces : game.state.chests
    const old = all.get(window.at)
    if (!old) return
    if (window.type === 'furnace') all.set(window.at, { ...old, slots: old.slots.map((one, i) => i === slot ? value : one) })
    else all.set(window.at, old.map((one, i) => i === slot ? value : one))
    return
  }
  const [list, place] = locate(game, body, slot)
  list[place] = value
}

function accepts (game, body, slot, item) {
  const { window } = body
  const grid = gridOf(window)
  if (grid && slot === 0) return false
  if (window?.type === 'furnace' && slot === 2) return false
  if (!window && slot >= 5 && slot < 9) return !item || game.data.itemName(item.id).endsWith(`_${PIECES[slot - 5]}`)
  return true
}

function result (game, body) {
  const grid = gridOf(body.window)
  if (!grid) return
  const list = body.window ? body.window.grid : body.slots
  list[0] = game.data.crafted(list.slice(1, 1 + grid))
}

function take (game, body) { // What the grid made was taken: its ingredients are gone.
  const grid = gridOf(body.window)
  const list = body.window ? body.window.grid : body.slots
  for (let i = 1; i <= grid; i++) if (list[i]) list[i] = fewer(list[i])
  result(game, body)
}

// Put an item into the player's slots (the hotbar first when asked); returns how many are left over.
function stow (data, slots, item, order = [[36, 45], [9, 36]]) {
  let { count } = item
  for (const [from, to] of order) {
    for (let i = from; i < to && count; i++) {
      const there = slots[i]
      if (!data.sameStack(there, item)) continue
      const moved = Math.min(count, data.stackSize(item.id) - there.count)
      if (moved > 0) slots[i] = { ...there, count: there.count + moved }
      count -= Math.max(0, moved)
    }
  }
  for (const [from, to] of order) {
    for (let i = from; i < to && count; i++) {
      if (slots[i]) continue
      const moved = Math.min(count, data.stackSize(item.id))
      slots[i] = { ...item, count: moved }
      count -= moved
    }
  }
  return count
}

function ordinary (game, body, slot, right) {
  const { data } = game
  const [there, hand] = [read(game, body, slot), body.cursor]
  const takeOnly = !accepts(game, body, slot, hand ?? { id: -1 }) && !(slot >= 5 && slot < 9 && !body.window && !hand)
  if (takeOnly || (gridOf(body.window) && slot === 0)) {
    if (!there) return null
    const fits = !hand || (data.sameStack(hand, there) && hand.count + there.count <= data.stackSize(there.id))
    if (!fits) return null
    if (!(slot === 0 && gridOf(body.window)) && !(body.window?.type === 'furnace' && slot === 2)) return null
    body.cursor = { ...there, count: there.count + (hand?.count ?? 0) }
    if (slot === 0 && gridOf(body.window)) {
      take(game, body)
      return ['crafted', there]
    }
    write(game, body, slot, null)
    return ['smelted', there]
  }
  const most = item => data.stackSize(item.id)
  if (!hand) {
    if (!there) return null
    const taken = right ? Math.ceil(there.count / 2) : there.count
    body.cursor = { ...there, count: taken }
    write(game, body, slot, { ...there, count: there.count - taken })
  } else if (!there || data.sameStack(there, hand)) {
    const moved = Math.min(right ? 1 : hand.count, most(hand) - (there?.count ?? 0))
    if (moved <= 0) return null
    write(game, body, slot, { ...hand, count: (there?.count ?? 0) + moved })
    body.cursor = hand.count > moved ? { ...hand, count: hand.count - moved } : null
  } else {
    write(game, body, slot, hand)
    body.cursor = there
  }
  return null
}

function quick (game, body, slot) { // Shift-click: to the other part of the window.
  const { data } = game
  const there = read(game, body, slot)
  if (!there) return null
  const { window } = body
  const own = window ? TYPES[window.type].own : 9
  if (gridOf(window) && slot === 0) {
    let made = 0
    for (let item = there; item && item.id === there.id; item = read(game, body, 0)) {
      const slots = [...body.slots]
      if (stow(data, slots, item, [[9, 45]])) break
      for (let i = 9; i < 45; i++) body.slots[i] = slots[i]
      made += item.count
      take(game, body)
    }
    return made ? ['crafted', { ...there, count: made }] : null
  }
  if (slot < own) {
    const left = stow(data, body.slots, there, [[9, 45]])
    write(game, body, slot, left ? { ...there, count: left } : null)
    return window?.type === 'furnace' && slot === 2 && left < there.count ? ['smelted', { ...there, count: there.count - left }] : null
  }
  const targets = []
  if (window?.type === 'chest') for (let i = 0; i < 27; i++) targets.push(i)
  if (window?.type === 'furnace') targets.push(data.smelt.has(there.id) ? 0 : data.fuel.has(there.id) ? 1 : -1)
  if (!window) for (let i = 5; i < 9; i++) if (accepts(game, body, i, there) && !read(game, body, i)) targets.push(i)
  let { count } = there
  for (const pass of [true, false]) {
    for (const target of targets.filter(one => one >= 0)) {
      const held = read(game, body, target)
      if (!count || (pass ? !data.sameStack(held, there) : held)) continue
      const moved = Math.min(count, (target >= 5 && !window ? 1 : data.stackSize(there.id)) - (held?.count ?? 0))
      if (moved <= 0) continue
      write(game, body, target, { ...there, count: (held?.count ?? 0) + moved })
      count -= moved
    }
  }
  if (!targets.length || targets[0] < 0) { // Between the hotbar and the rest.
    const place = window ? slot - own + 9 : slot
    body.slots[place] = null
    count = stow(data, body.slots, there, place >= 36 ? [[9, 36]] : [[36, 45]])
    body.slots[place] = count ? { ...there, count } : null
    return null
  }
  write(game, body, slot, count ? { ...there, count } : null)
  return null
}

function swap (game, body, slot, key) { // A number key, or 40 for the other hand.
  const place = key === 40 ? 45 : 36 + key
  if (key !== 40 && !(key >= 0 && key < 9)) return null
  const [there, mine] = [read(game, body, slot), body.slots[place]]
  if (mine && !accepts(game, body, slot, mine)) return null
  const isResult = (gridOf(body.window) && slot === 0) || (body.window?.type === 'furnace' && slot === 2)
  if (isResult && (mine || !there)) return null
  body.slots[place] = there
  if (gridOf(body.window) && slot === 0) {
    take(game, body)
    return ['crafted', there]
  }
  write(game, body, slot, mine)
  return isResult ? ['smelted', there] : null
}

// Perform a click. Returns {made: ['crafted' | 'smelted', item] or null, dropped: item or null}.
function click (game, body, { slot, mouseButton, mode }) {
  let [made, dropped] = [null, null]
  if (slot === -999) {
    if (mode === 0 && body.cursor && (mouseButton === 0 || mouseButton === 1)) {
      dropped = mouseButton ? { ...body.cursor, count: 1 } : body.cursor
      body.cursor = mouseButton ? fewer(body.cursor) : null
    }
  } else if (slot >= 0 && slot < size(body.window)) {
    if (mode === 0 && (mouseButton === 0 || mouseButton === 1)) made = ordinary(game, body, slot, mouseButton === 1)
    else if (mode === 1) made = quick(game, body, slot)
    else if (mode === 2) made = swap(game, body, slot, mouseButton)
    else if (mode === 4 && read(game, body, slot) && accepts(game, body, slot, null)) {
      const there = read(game, body, slot)
      dropped = mouseButton ? there : { ...there, count: 1 }
      write(game, body, slot, mouseButton ? null : fewer(there))
    }
    result(game, body)
  }
  return { made, dropped }
}

function left (body) { // What lies in the grid and on the cursor when a window is closed.
  const list = body.window ? body.window.grid ?? [] : body.slots
  const found = [body.cursor]
  for (let i = 1; i <= gridOf(body.window); i++) {
    found.push(list[i])
    list[i] = null
  }
  if (gridOf(body.window)) list[0] = null
  body.cursor = null
  return found.filter(Boolean)
}

module.exports = { fewer, TYPES, click, read, size, gridOf, stow, left }
