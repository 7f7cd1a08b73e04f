'use strict'
// prismarine-physics asks for its modules and for the tables of its version again at every tick, which took an eighth of the
// time of a world. Here the answers are kept: they never change. Must be called before a client is made.
const once = ask => {
  const known = new Map()
  return key => {
    if (!known.has(key)) known.set(key, ask(key))
    return known.get(key)
  }
}

function keep () {
  require('prismarine-physics')
  const asking = require.cache[require.resolve('prismarine-physics')]
  const load = asking.require
  asking.require = once(name => {
    const found = load.call(asking, name)
    return name === 'minecraft-data' ? Object.assign(once(found), found) : found
  })
}

module.exports = { keep }
