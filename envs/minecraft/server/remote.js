'use strict'
// Playing on a server of the user's, as a child process: answers on descriptor 3 as main.js does, but in real time, and
// without snapshots. `node remote.js ADDRESS`, where ADDRESS is JSON (bot/remote.js).
const wire = require('./wire')
const { parse, Refusal, Failure } = require('./bot/skills')
const { RemoteSession, seconds } = require('./bot/remote')
const { observe } = require('./bot/observe')
const { frame } = require('./bot/frame')
const { tables } = require('./bot/tables')

const LONGEST = 240 // seconds that an action may take, whatever it says: Python waits no longer than five minutes.
const DYING = 5 // seconds until the dead are back

const address = JSON.parse(process.argv[2])
let session = null
let rules = null

async function join () {
  if (session && !session.over) return
  session = await new RemoteSession().join(address)
}

async function act (text) {
  const asked = parse(text)
  if (!asked) return { refused: `${JSON.stringify(text)} is no action` }
  const { bot } = session
  session.player.news = []
  session.ready()
  const most = Math.min(asked.seconds, LONGEST)
  let dies
  const died = new Promise((resolve, reject) => bot.once('death', dies = () => reject(new Failure('you died'))))
  const late = seconds(most).then(() => { throw new Failure(`it took longer than ${most} seconds`) })
  const ended = session.ended.then(why => { throw new Error(why) })
  for (const one of [died, late, ended]) one.catch(() => {})
  let error = null
  try {
    await Promise.race([asked.run(session), died, late, ended])
  } catch (thrown) {
    error = thrown
  }
  bot.off('death', dies)
  if (session.over) throw new Error(session.over)
  session.abandon()
  for (let wait = 0; wait < DYING * 10 && !bot.isAlive; wait++) await seconds(0.1)
  if (error instanceof Refusal) return { refused: error.message }
  if (error && !(error instanceof Failure)) process.stderr.write(`${text}: ${error.stack}\n`)
  return error ? { failed: error.message } : {}
}

const CALLS = {
  hello: () => ({ protocol: 1, name: 'minecraft', versions: { node: process.version, mineflayer: require('mineflayer/package.json').version } }),
  async make () {
    await join()
    return rules ??= tables(session.data)
  },
  async reset () {
    await join()
    session.player.news = []
    session.player.stats = {}
    session.game.state.age = session.player.state.born = 0
    return [{ ...observe(session), minecraft: session.bot.version }]
  },
  async step ({ action }) {
    if (!session || session.over) throw new Error(session?.over ?? 'no server was joined')
    return { ...await act(action), seen: [observe(session)] }
  },
  frame: ({ width, height }) => frame(session, width, height).toString('base64'),
  close () {
    session?.bot.quit()
    setTimeout(() => process.exit(0), 100)
    return null
  }
}

process.on('unhandledRejection', () => {}) // Promises of mineflayer whose action was abandoned.
process.on('uncaughtException', error => process.stderr.write(`${error.stack}\n`)) // A packet that it cannot read ends no game.
wire.serve((call, args) => {
  if (!Object.hasOwn(CALLS, call)) throw new Error(`there is no call ${call}`)
  return CALLS[call](args)
})
