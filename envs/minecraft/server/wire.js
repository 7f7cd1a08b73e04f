'use strict'
// Messages to and from Python on file descriptor 3: four bytes of length (big-endian), then JSON in UTF-8.
// Not here: what the calls mean (main.js).
const net = require('net')

const LIMIT = 64 << 20

function serve (handle) {
  const socket = new net.Socket({ fd: 3, readable: true, writable: true })
  let held = Buffer.alloc(0)
  const queue = []
  let busy = false

  function send (message) {
    const body = Buffer.from(JSON.stringify(message))
    const head = Buffer.alloc(4)
    head.writeUInt32BE(body.length)
    socket.write(Buffer.concat([head, body]))
  }

  async function work () {
    if (busy) return
    busy = true
    while (queue.length) {
      const { id, call, args } = queue.shift()
      try {
        send({ id, result: (await handle(call, args ?? {})) ?? null })
      } catch (error) {
        send({ id, error: { type: error.name, message: error.message } })
      }
    }
    busy = false
  }

  socket.on('data', data => {
    held = held.length ? Buffer.concat([held, data]) : data
    while (held.length >= 4) {
      const size = held.readUInt32BE(0)
      if (size > LIMIT) process.exit(2)
      if (held.length < 4 + size) break
      queue.push(JSON.parse(held.subarray(4, 4 + size).toString()))
      held = held.subarray(4 + size)
    }
    work()
  })
  socket.on('end', () => process.exit(0))
  socket.on('error', () => process.exit(0))
}

module.exports = { serve }
