'use strict'
// A server by others, flying-squid, in a flat world: `node squid.js VERSION`. Prints "PORT" and the port that it listens on.
// It numbers the kinds of values of a creature's metadata as 1.18 does. From 1.19.3 on the protocol has another numbering, its
// own encoder fails on an item that drops, and nothing more reaches the client: the kinds are written here as they are then.
const protocol = require('minecraft-protocol')
const squid = require('flying-squid')
const version = process.argv[2]

const fields = require('minecraft-data')(version).protocol.types.entityMetadataItem?.[1].fields ?? {} // Later versions send none of it.
const named = 'item_stack' in fields
if (named || fields[7] === 'slot') {
  const kinds = named
    ? { 0: 'byte', 1: 'int', 5: 'optional_component', 6: 'item_stack', 7: 'boolean', 18: 'pose' }
    : { 0: 0, 1: 1, 5: 6, 6: 7, 7: 8, 18: 19 }
  const { write } = protocol.Client.prototype
  protocol.Client.prototype.write = function (name, packet) {
    if (name !== 'entity_metadata' || !this.isServer) return write.call(this, name, packet)
    return write.call(this, name, { ...packet, metadata: packet.metadata.map(one => ({ ...one, type: kinds[one.type] ?? one.type })) })
  }
}

const server = squid.createMCServer({
  motd: 'for tests', host: '127.0.0.1', port: 0, 'max-players': 4, 'online-mode': false, logging: false, gameMode: 0, difficulty: 1,
  generation: { name: 'superflat', options: { worldHeight: 80, seed: 3 } }, kickTimeout: 10000, plugins: {}, 'view-distance': 3,
  'player-list-text': { header: '', footer: '' }, 'everybody-op': true, 'max-entities': 100, version
})
server.on('listening', () => process.stdout.write(`\nPORT ${server._server.socketServer.address().port}\n`))
