'use strict'
// A virtual clock: inside this process time passes only when `pass` says so, so that a game second takes as long as its
// work takes and every run is the same. Each world has a time of its own (`fresh`, `enter`), which stands still while
// another is played. Also the in-memory stream pair that joins a client to its world.
// `install` must be called before mineflayer is loaded, because some modules keep what they find at that moment.
const { Duplex } = require('stream')
const { performance } = require('perf_hooks')

const real = { setTimeout: global.setTimeout, clearTimeout: global.clearTimeout, setImmediate: global.setImmediate, Date: global.Date }
const EPOCH = 1600000000000
const fresh = () => ({ now: 0, number: 0, timers: [] })
let time = fresh()
let traffic = 0

class Timer {
  constructor (run, delay, args, every) {
    Object.assign(this, { run, args, every, at: time.now + delay, number: ++time.number, alive: true })
    time.timers.push(this)
  }

  ref () { return this }
  unref () { return this }
  hasRef () { return true }
  refresh () { return this }
  close () { this.alive = false }
}

const milliseconds = delay => Math.max(1, Math.floor(+delay) || 0)

function install () {
  global.setTimeout = (run, delay, ...args) => new Timer(run, milliseconds(delay), args, 0)
  global.setInterval = (run, delay, ...args) => new Timer(run, milliseconds(delay), args, milliseconds(delay))
  global.clearTimeout = global.clearInterval = timer => {
    if (timer instanceof Timer) timer.alive = false
    else if (timer) real.clearTimeout(timer)
  }
  global.setTimeout[require('util').promisify.custom] = (delay, value) =>
    new Promise(resolve => global.setTimeout(() => resolve(value), delay))
  Object.defineProperty(performance, 'now', { value: () => time.now, configurable: true, writable: true })
  global.Date = class extends real.Date {
    constructor (...parts) {
      if (parts.length) super(...parts)
      else super(EPOCH + time.now)
    }

    static now () { return EPOCH + time.now }
  }
}

function pair () {
  const end = () => new Duplex({
    read () {},
    write (chunk, encoding, done) {
      traffic++
      real.setImmediate(() => { traffic++; this.other.push(chunk); done() })
    },
    final (done) { this.other.push(null); done() }
  })
  const [one, other] = [end(), end()]
  one.other = other
  other.other = one
  return [one, other]
}

const turn = () => new Promise(resolve => real.setImmediate(resolve))

// Let everything happen that needs no time: packets on their way and promises.
async function settle () {
  for (let quiet = 0; quiet < 2;) {
    const before = traffic
    await turn()
    quiet = before === traffic ? quiet + 1 : 0
  }
}

async function pass (duration) {
  const end = time.now + duration
  for (;;) {
    let next = null
    for (const timer of time.timers) {
      if (timer.alive && timer.at <= end && (!next || timer.at < next.at || (timer.at === next.at && timer.number < next.number))) next = timer
    }
    if (!next) break
    time.now = Math.max(time.now, next.at)
    if (next.every) Object.assign(next, { at: next.at + next.every, number: ++time.number })
    else next.alive = false
    next.run(...next.args)
    await settle()
  }
  time.now = end
  time.timers = time.timers.filter(timer => timer.alive)
}

// What is still waiting is forgotten, but not what repeats: `keep` says which of those to keep.
function forget (keep) {
  time.timers = time.timers.filter(timer => keep.has(timer))
}

const waiting = () => new Set(time.timers.filter(timer => timer.alive && timer.every))

const enter = other => { time = other }

module.exports = { install, pair, settle, pass, forget, waiting, fresh, enter }
