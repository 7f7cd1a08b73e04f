'use strict'
// A server by others, flying-squid, in a flat world: `node squid.js VERSION`. Prints "PORT" and the port that it listens on.
const squid = require('flying-squid')
const server = squid.createMCServer({
  motd: 'for tests', host: '127.0.0.1', port: 0, 'max-players': 4, 'online-mode': false, logging: false, gameMode: 0, difficulty: 1,
  generation: { name: 'superflat', options: { worldHeight: 80, seed: 3 } }, kickTimeout: 10000, plugins: {}, 'view-distance': 3,
  'player-list-text': { header: '', footer: '' }, 'everybody-op': true, 'max-entities': 100, version: process.argv[2]
})
server.on('listening', () => process.stdout.write(`\nPORT ${server._server.socketServer.address().port}\n`))
