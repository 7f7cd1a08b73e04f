'use strict'
// pathei's own world as a server on a TCP port, in real time, for one test: `node world_server.js SERVER_FOLDER SEED INVENTORY`.
// Prints "PORT" and the port that it listens on. The clock is the machine's, so `clock.install` is not called.
const net = require('net')
const path = require('path')
const folder = process.argv[2]
const { load } = require(path.join(folder, 'game', 'data'))
const { Game } = require(path.join(folder, 'game', 'game'))
const { accept } = require(path.join(folder, 'bot', 'session'))

const data = load()
const game = new Game(data, +process.argv[3], { difficulty: 'peaceful' })
const held = JSON.parse(process.argv[4])
const server = net.createServer(socket => accept(game, socket, player => {
  for (const [name, count] of Object.entries(held)) player.give({ id: data.items[name].id, count, damage: 0 })
}))
setInterval(() => game.tick(), 50)
server.listen(0, '127.0.0.1', () => process.stdout.write(`PORT ${server.address().port}\n`))
