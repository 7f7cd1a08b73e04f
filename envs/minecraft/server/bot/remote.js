'use strict'
// A bot on a server of the user's, over TCP and in real time: the same session as in a world of this process, except that
// nothing is known of the server but what it tells its client. The blocks are those that the client was sent, what was
// done is counted by what the client saw of it, and nothing can be saved or taken back. Not here: actions (skills.js).
const path = require('path')
const mineflayer = require('mineflayer')
const { Session } = require('./session')
const { load } = require('../game/data')
const { MIN_Y, SECTIONS, place, surface } = require('../world/columns')

const FULL_AIR = 300
const NEWS = 12
const LONGEST = 200 // characters of a message that is passed on
const CHUNKS_S = 20 // seconds until the land around must have come

const seconds = (count, value) => new Promise(resolve => setTimeout(resolve, count * 1000, value))

class View { // What the client was sent of the land, in the form of `Columns`.
  constructor (bot) {
    Object.assign(this, { bot, columns: new Map(), kinds: new WeakMap() })
    bot.on('chunkColumnLoad', at => this.columns.delete(`${at.x >> 4},${at.z >> 4}`))
    bot.on('chunkColumnUnload', at => this.columns.delete(`${at.x >> 4},${at.z >> 4}`))
    bot.on('blockUpdate', (old, { position: { x, y, z }, stateId }) => {
      const section = this.columns.get(`${x >> 4},${z >> 4}`)?.[(y - MIN_Y) >> 4]
      if (section === undefined) return
      if (section === null) return void this.columns.delete(`${x >> 4},${z >> 4}`)
      section[place(x, y, z)] = stateId
      this.kinds.delete(section)
    })
  }

  section (cx, sy, cz) {
    if (sy < 0 || sy >= SECTIONS) return null
    let column = this.columns.get(`${cx},${cz}`)
    if (!column) this.columns.set(`${cx},${cz}`, column = [])
    if (column[sy] === undefined) column[sy] = this.read(cx, sy, cz)
    return column[sy]
  }

  read (cx, sy, cz) { // null where all is air, or nothing was sent.
    const chunk = this.bot.world.getColumn(cx, cz)
    if (!chunk) return null
    const section = new Uint16Array(4096)
    let full = false
    const at = { x: 0, y: 0, z: 0 }
    for (let i = 0; i < 4096; i++) {
      Object.assign(at, { x: i & 15, y: MIN_Y + sy * 16 + (i >> 8), z: i >> 4 & 15 })
      if ((section[i] = chunk.getBlockStateId(at))) full = true
    }
    return full ? section : null
  }

  get (x, y, z) {
    const section = this.section(x >> 4, (y - MIN_Y) >> 4, z >> 4)
    return section ? section[place(x, y, z)] : 0
  }

  surface (x, z, solid) { return surface(sy => this.section(x >> 4, sy, z >> 4), x, z, solid) }

  biome (x, z) {
    const chunk = this.bot.world.getColumn(x >> 4, z >> 4)
    return chunk ? chunk.getBiome({ x: x & 15, y: Math.floor(this.bot.entity.position.y), z: z & 15 }) : -1
  }
}

class RemoteSession extends Session {
  // Join a server. `address` is {host, port, username, version, account}; account is the e-mail address of the user's own.
  async join ({ host, port, username, version, account }) {
    const where = `the server at ${host}:${port}`
    this.ended = new Promise(resolve => { this.end = resolve })
    this.ended.then(why => { this.over = why })
    const code = () => this.end(`the account ${account} is not signed in here: run NODE_PATH=${process.env.NODE_PATH} node ${path.join(__dirname, '..', 'signin.js')} ${account}`)
    this.bot = mineflayer.createBot({
      host, port, version: version || false, auth: account ? 'microsoft' : 'offline', username: account ?? username, hideErrors: true, logErrors: false,
      connectTimeout: 20_000, onMsaCode: code
    })
    const { bot } = this
    bot.on('error', error => this.end(`${where} cannot be played on: ${error.message || error.code || error}`))
    bot.on('kicked', reason => this.end(`${where} refused the player: ${typeof reason === 'string' ? reason : JSON.stringify(reason)}`))
    bot.on('end', reason => this.end(`${where} ended the connection (${reason})`))
    const spawned = new Promise(resolve => bot.once('spawn', resolve))
    await this.unless(Promise.race([spawned, seconds(60).then(() => { throw new Error(`${where} let the player join, but not into its world`) })]))
    bot.setMaxListeners(0)
    this.prepare()
    await this.unless(Promise.race([bot.waitForChunksToLoad(), seconds(CHUNKS_S)]))
    await this.unless(this.pause(20))
    return this
  }

  async unless (promise) { // What a promise brings, unless the connection ends before.
    const over = await Promise.race([promise.then(() => null), this.ended])
    if (over) throw new Error(over)
  }

  prepare () {
    const { bot } = this
    this.data = load(bot.registry)
    this.view = new View(bot)
    const { view, data: { solid, covers } } = this
    this.game = { world: view, surface: (x, z) => view.surface(x, z, solid), cover: (x, z) => view.surface(x, z, covers), state: { age: 0 } }
    this.player = { state: { get air () { return Math.min(FULL_AIR, Math.max(0, (bot.oxygenLevel ?? 20) * 15)) }, get dead () { return !bot.isAlive }, born: 0 }, news: [], stats: {} }
    this.health = bot.health
    bot.on('physicsTick', () => { this.game.state.age++; this.ticked() })
    bot.on('health', () => {
      if (bot.health < this.health && bot.health > 0) this.say(`You were hurt (health ${bot.health}).`)
      this.health = bot.health
    })
    bot.on('death', () => { this.did('died', 'times'); this.player.state.born = this.game.state.age; this.say('You died.') })
    bot.on('playerCollect', (who, what) => {
      const item = who === bot.entity && this.dropped(what)
      if (item) this.did('collected', item.name, item.count)
    })
    bot.on('messagestr', text => { if (text.trim()) this.say(text.trim().slice(0, LONGEST)) })
  }

  say (text) { this.player.news = [...this.player.news, text].slice(-NEWS) }

  did (what, name, number = 1) {
    const kinds = this.player.stats[what] ?? {}
    this.player.stats = { ...this.player.stats, [what]: { ...kinds, [name]: (kinds[name] ?? 0) + number } }
  }

  ready () { this.bot.clearControlStates() }
}

module.exports = { RemoteSession, seconds }
