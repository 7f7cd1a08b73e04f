'use strict'
// One connection of the protocol (1.18.2): what is sent to the client, and what its packets ask for. The same code serves a
// client in this process and one over TCP. Not here: what is done with the asking (interact.js), windows' clicks (windows.js).
const { encode, key } = require('../world/columns')
const { fresh, moved, armour, tire } = require('./body')
const windows = require('./windows')
const interact = require('./interact')

const VIEW = 3 // Columns shown on every side.
const REACH = 48 // Blocks within which creatures are shown.
const PROPERTIES = { burn: 0, most: 1, cook: 2, whole: 3 }

const uuid = id => `00000000-0000-4000-8000-${id.toString(16).padStart(12, '0')}`
const long = value => [Math.floor(value / 4294967296), value >>> 0]
const angle = radians => Math.round(radians / (2 * Math.PI) * 256) << 24 >> 24

class Player {
  constructor (game, client, name) {
    Object.assign(this, { game, client, name, id: game.nextId() })
    this.state = { ...fresh(game.spawn), food: game.options.food }
    this.stats = {}
    this.news = []
    this.shown = new Set() // Columns
    this.seen = new Map() // Creatures and items: id -> what was sent of them
    this.sent = ''
    this.teleports = 0
    this.version = 0
    this.listen()
    this.join()
    game.players.push(this)
  }

  send (name, packet) { this.client.write(name, packet) }

  join () {
    const { registry } = this.game.data
    const body = this.state
    this.send('login', { ...registry.loginPacket, entityId: this.id, gameMode: 0, previousGameMode: -1, hashedSeed: [0, 0], maxPlayers: 20, viewDistance: VIEW, simulationDistance: VIEW, reducedDebugInfo: false, enableRespawnScreen: true, isDebug: false, isFlat: false })
    this.send('spawn_position', { location: { x: body.spawn[0], y: body.spawn[1], z: body.spawn[2] }, angle: 0 })
    this.send('held_item_slot', { slot: body.held })
    this.showColumns()
    this.time()
    this.place()
    this.health(true)
    this.inventory()
    for (const other of this.game.players) for (const [to, who] of [[this, other], [other, this]]) to.announce(who)
  }

  announce (other) {
    this.send('player_info', { action: 'add_player', data: [{ uuid: uuid(other.id), name: other.name, properties: [], gamemode: 0, ping: 0, displayName: undefined }] })
  }

  leave () {
    this.close()
    this.game.players.splice(this.game.players.indexOf(this), 1)
    for (const other of this.game.players) other.hide(this.id)
  }

  // ---- what is sent to the client ----
  time () { this.send('update_time', { age: long(this.game.state.age), time: long(this.game.state.time) }) }

  place () {
    const { x, y, z, yaw, pitch } = this.state
    this.send('position', { x, y, z, yaw, pitch, flags: 0, teleportId: ++this.teleports, dismountVehicle: false })
  }

  health (always = false) {
    const { health, food, saturation } = this.state
    const now = `${health} ${food} ${saturation}`
    if (now === this.sent && !always) return
    this.sent = now
    this.send('update_health', { health, food, foodSaturation: saturation })
  }

  notch (item) {
    if (!item) return { present: false }
    const nbtData = item.damage ? { type: 'compound', name: '', value: { Damage: { type: 'int', value: item.damage } } } : undefined
    return { present: true, itemId: item.id, itemCount: item.count, nbtData }
  }

  inventory () {
    const { window } = this.state
    const items = Array.from({ length: windows.size(window) }, (_, slot) => this.notch(windows.read(this.game, this.state, slot)))
    this.send('window_items', { windowId: window?.id ?? 0, stateId: ++this.version, items, carriedItem: this.notch(this.state.cursor) })
  }

  showSlot (slot) { // Of the player's own window, also while another is open.
    const { window, slots } = this.state
    if (window && slot >= 9 && slot < 45) this.send('set_slot', { windowId: window.id, stateId: ++this.version, slot: slot - 9 + windows.TYPES[window.type].own, item: this.notch(slots[slot]) })
    else this.send('set_slot', { windowId: 0, stateId: ++this.version, slot, item: this.notch(slots[slot]) })
  }

  columns () {
    return [...this.shown].map(name => { const [cx, cz] = name.split(',').map(Number); return [cx, cz, this.game.world.column(cx, cz)] })
  }

  showColumns () {
    const [cx, cz] = [Math.floor(this.state.x) >> 4, Math.floor(this.state.z) >> 4]
    for (const name of this.shown) {
      const [x, z] = name.split(',').map(Number)
      if (Math.abs(x - cx) <= VIEW + 1 && Math.abs(z - cz) <= VIEW + 1) continue
      this.shown.delete(name)
      this.send('unload_chunk', { chunkX: x, chunkZ: z })
    }
    for (let ring = 0; ring <= VIEW; ring++) {
      for (let x = cx - ring; x <= cx + ring; x++) {
        for (let z = cz - ring; z <= cz + ring; z++) if (!this.shown.has(key(x, z))) this.showColumn(x, z)
      }
    }
    this.send('update_view_position', { chunkX: cx, chunkZ: cz })
    this.centre = key(cx, cz)
  }

  showColumn (x, z) {
    this.shown.add(key(x, z))
    const none = { skyLightMask: [], blockLightMask: [], emptySkyLightMask: [], emptyBlockLightMask: [], skyLight: [], blockLight: [] }
    const heightmaps = { type: 'compound', name: '', value: {} }
    this.send('map_chunk', { x, z, heightmaps, chunkData: encode(this.game.world.column(x, z)), blockEntities: [], trustEdges: true, ...none })
  }

  showBlock (x, y, z, type) {
    if (this.shown.has(key(x >> 4, z >> 4))) this.send('block_change', { location: { x, y, z }, type })
  }

  showFurnace (where, furnace, changed) {
    const { window } = this.state
    if (window?.at !== where) return
    if (changed) for (let slot = 0; slot < 3; slot++) this.send('set_slot', { windowId: window.id, stateId: ++this.version, slot, item: this.notch(furnace.slots[slot]) })
    if (changed || furnace.cook % 20 === 0) this.progress(furnace)
  }

  progress (furnace) {
    for (const [name, property] of Object.entries(PROPERTIES)) this.send('craft_progress_bar', { windowId: this.state.window.id, property, value: name === 'whole' ? 200 : furnace[name] })
  }

  hide (id) {
    if (this.seen.delete(id)) this.send('entity_destroy', { entityIds: [id] })
  }

  taken (drop, count) {
    this.send('collect', { collectedEntityId: drop.id, collectorEntityId: this.id, pickupItemCount: count })
    this.hide(drop.id)
    this.count('collected', this.game.data.itemName(drop.item.id), count)
  }

  others () {
    const { mobs, drops } = this.game.state
    const found = [...mobs.values(), ...drops.values()]
    for (const one of this.game.players) if (one !== this && !one.state.dead) found.push({ id: one.id, kind: 'player', name: one.name, ...position(one.state), sx: one.state.x, sy: one.state.y, sz: one.state.z })
    return found.filter(one => Math.abs(one.x - this.state.x) < REACH && Math.abs(one.z - this.state.z) < REACH)
  }

  reveal (one) {
    const at = { x: one.sx, y: one.sy, z: one.sz }
    const velocity = { x: 0, y: 0, z: 0 }
    const { entitiesByName } = this.game.data.registry
    this.seen.set(one.id, `${one.sx} ${one.sy} ${one.sz}`)
    if (one.kind === 'player') this.send('named_entity_spawn', { entityId: one.id, playerUUID: uuid(one.id), ...at, yaw: 0, pitch: 0 })
    else if (one.kind === 'item') {
      this.send('spawn_entity', { entityId: one.id, objectUUID: uuid(one.id), type: entitiesByName.item.id, ...at, pitch: 0, yaw: 0, objectData: 1, velocity })
      this.send('entity_metadata', { entityId: one.id, metadata: [{ key: 8, type: 6, value: this.notch(one.item) }] })
    } else this.send('spawn_entity_living', { entityId: one.id, entityUUID: uuid(one.id), type: entitiesByName[one.kind].id, ...at, yaw: angle(one.yaw), pitch: 0, headPitch: 0, velocity })
  }

  showOthers () {
    const near = this.others()
    const ids = new Set(near.map(one => one.id))
    for (const id of [...this.seen.keys()]) if (!ids.has(id)) this.hide(id)
    for (const one of near) {
      const at = `${one.sx} ${one.sy} ${one.sz}`
      if (!this.seen.has(one.id)) this.reveal(one)
      else if (this.seen.get(one.id) !== at) {
        this.seen.set(one.id, at)
        this.send('entity_teleport', { entityId: one.id, x: one.sx, y: one.sy, z: one.sz, yaw: angle(one.yaw ?? 0), pitch: 0, onGround: true })
      }
    }
  }

  update () { // At the end of every tick.
    const { age, mobs, drops } = this.game.state
    this.health()
    if (age % 20 === 0) this.time()
    const [cx, cz] = [Math.floor(this.state.x) >> 4, Math.floor(this.state.z) >> 4]
    if (key(cx, cz) !== this.centre) this.showColumns()
    if (age % 2) return
    if (this === this.game.players[0]) { // Where creatures are shown to be follows where they are, every other tick.
      for (const all of [mobs, drops]) for (const one of all.values()) if (one.sx !== one.x || one.sy !== one.y || one.sz !== one.z) all.set(one.id, { ...one, sx: one.x, sy: one.y, sz: one.z })
    }
    this.showOthers()
  }

  // ---- what happens to the player ----
  count (what, name, number = 1) {
    const kinds = this.stats[what] ?? {}
    this.stats = { ...this.stats, [what]: { ...kinds, [name]: (kinds[name] ?? 0) + number } }
  }

  say (text) { this.news = [...this.news, text].slice(-12) }

  give (item) { // Returns how many did not fit.
    const before = [...this.state.slots]
    const over = windows.stow(this.game.data, this.state.slots, item)
    before.forEach((old, slot) => { if (old !== this.state.slots[slot]) this.showSlot(slot) })
    return over
  }

  set (slot, item) {
    this.state.slots[slot] = item
    this.showSlot(slot)
  }

  get hand () { return this.state.slots[36 + this.state.held] }

  wear (slot, amount = 1) { // A tool or a piece of armour is used up.
    const item = this.state.slots[slot]
    const most = item && this.game.data.durability(item.id)
    if (!most) return
    const damage = item.damage + amount
    if (damage >= most) {
      this.say(`Your ${this.game.data.itemName(item.id)} broke.`)
      this.set(slot, null)
    } else this.set(slot, { ...item, damage })
  }

  hurt (damage, why, direct = false) {
    const body = this.state
    const { age } = this.game.state
    if (body.dead || damage <= 0 || age - body.hurtAt < 10) return
    body.hurtAt = age
    if (body.sleeping) this.wake('You were woken.')
    const points = direct ? 0 : armour(this.game, body)
    if (points) for (let slot = 5; slot < 9; slot++) this.wear(slot)
    body.health = Math.max(0, body.health - Math.max(1, Math.round(damage * (1 - Math.min(20, points) * 0.04))))
    tire(body, 0.1)
    this.say(`${why[0].toUpperCase()}${why.slice(1)} (health ${body.health}).`)
    this.send('entity_status', { entityId: this.id, entityStatus: 2 })
    if (body.health <= 0) this.die(why)
    this.health()
  }

  die (why) {
    const body = this.state
    this.close()
    if (!this.game.options.keep_inventory) {
      for (let slot = 5; slot < 46; slot++) {
        if (body.slots[slot]) this.game.drop(body.x, body.y + 0.5, body.z, body.slots[slot], 40)
        body.slots[slot] = null
      }
    }
    Object.assign(body, { dead: true, eating: null, digging: null })
    this.count('died', 'times')
    this.say(`You died: ${why}.${this.game.options.keep_inventory ? '' : ' What you carried lies where you died.'}`)
  }

  respawn () {
    const body = this.state
    if (!body.dead) return
    const { slots, held, windows: opened, spawn } = body
    this.state = { ...fresh(spawn), slots, held, windows: opened, born: this.game.state.age }
    const { registry } = this.game.data
    this.send('respawn', { dimension: registry.loginPacket.dimension, worldName: registry.loginPacket.worldName, hashedSeed: [0, 0], gamemode: 0, previousGamemode: 255, isDebug: false, isFlat: false, copyMetadata: true })
    this.showColumns()
    this.place()
    this.health(true)
    this.inventory()
    this.say('You came back to life where you last slept, or where you began.')
  }

  wake (why) {
    this.state.sleeping = 0
    this.send('animation', { entityId: this.id, animation: 2 })
    this.say(why)
  }

  open (type, at) {
    const body = this.state
    this.close()
    const furnace = this.game.state.furnaces.get(at)
    body.window = { id: body.windows % 100 + 1, type, at, grid: type === 'crafting' ? new Array(10).fill(null) : null }
    body.windows++
    this.send('open_window', { windowId: body.window.id, inventoryType: windows.TYPES[type].id, windowTitle: '{"text":""}' })
    this.inventory()
    if (type === 'furnace') this.progress(furnace)
  }

  close () { // Close the window that is open and put away what lies in grids and on the cursor.
    const body = this.state
    const over = windows.left(body)
    body.window = null
    for (const item of over) {
      const left = windows.stow(this.game.data, body.slots, item)
      if (left) this.game.drop(body.x, body.y + 1, body.z, { ...item, count: left })
    }
    if (over.length) this.inventory()
  }

  eaten () { interact.eat(this.game, this) }

  // ---- what its packets ask for ----
  listen () {
    const { client } = this
    const move = packet => {
      const body = this.state
      if (body.dead) return
      if (packet.yaw !== undefined) Object.assign(body, { yaw: packet.yaw, pitch: packet.pitch })
      // A client that stands still says only that it stands ('flying'); digging in the air takes five times as long.
      if (!moved(this.game, this, packet.x ?? body.x, packet.y ?? body.y, packet.z ?? body.z, packet.onGround)) this.place()
    }
    for (const name of ['position', 'position_look', 'look', 'flying']) client.on(name, move)
    client.on('held_item_slot', ({ slotId }) => { if (slotId >= 0 && slotId < 9) Object.assign(this.state, { held: slotId, eating: null }) })
    client.on('close_window', () => this.close())
    client.on('window_click', packet => this.clicked(packet))
    client.on('client_command', () => this.respawn())
    client.on('entity_action', ({ actionId }) => {
      if (/sprinting/.test(actionId)) this.state.sprinting = actionId === 'start_sprinting'
      if (/sneaking/.test(actionId)) this.state.sneaking = actionId === 'start_sneaking'
      if (actionId === 'stop_sleeping' && this.state.sleeping) this.wake('You got up.')
    })
    const alive = act => packet => { if (!this.state.dead) act(this.game, this, packet) }
    client.on('block_dig', alive(interact.dig))
    client.on('block_place', alive(interact.useOn))
    client.on('use_item', alive(interact.use))
    client.on('use_entity', alive(interact.useEntity))
  }

  clicked (packet) {
    const { game, state: body } = this
    if (packet.windowId !== (body.window?.id ?? 0) || body.dead) return this.inventory()
    const count = windows.size(body.window)
    const before = Array.from({ length: count }, (_, slot) => windows.read(game, body, slot))
    const { made, dropped } = windows.click(game, body, packet)
    if (dropped) game.drop(body.x, body.y + 1, body.z, dropped, 40, this.id)
    if (made) this.count(made[0], game.data.itemName(made[1].id), made[1].count)
    if (packet.mode !== 0 || packet.stateId < 0) return this.inventory()
    const grid = windows.gridOf(body.window)
    for (let slot = count - 1; slot >= 0; slot--) {
      const now = windows.read(game, body, slot)
      const answered = grid && slot === 0 && packet.slot >= 0 && packet.slot <= grid
      if (now !== before[slot] || answered) this.send('set_slot', { windowId: body.window?.id ?? 0, stateId: ++this.version, slot, item: this.notch(now) })
    }
  }

  // ---- snapshots ----
  save () {
    const { window, slots, ...plain } = this.state
    return { state: { ...plain, slots: [...slots], window: window && { ...window, grid: window.grid && [...window.grid] } }, stats: this.stats, news: this.news, seen: new Map(this.seen) }
  }

  load (saved) {
    if (this.state.window) this.send('close_window', { windowId: this.state.window.id })
    const { window, slots, ...plain } = saved.state
    this.state = { ...plain, slots: [...slots], window: window && { ...window, grid: window.grid && [...window.grid] } }
    Object.assign(this, { stats: saved.stats, news: saved.news })
    this.sync()
    const near = new Map(this.others().map(one => [one.id, one]))
    for (const [id, at] of [...this.seen]) { // A creature that stands where it stood need not be shown again.
      if (saved.seen.get(id) !== at || !near.has(id) || near.get(id).kind === 'item') this.hide(id)
    }
    for (const id of saved.seen.keys()) if (near.has(id) && !this.seen.has(id)) this.reveal(near.get(id))
  }

  sync () { // Tell the client everything about itself again.
    this.send('held_item_slot', { slot: this.state.held })
    this.showColumns()
    this.time()
    this.inventory()
    this.health(true)
    this.place()
  }
}

const position = ({ x, y, z }) => ({ x, y, z })

module.exports = { Player, VIEW }
