'use strict'
// The blocks of a world: columns of 16 x 384 x 16 that a generator makes when they are first asked for. A snapshot costs
// nothing but the list of changed columns: what it holds is never written again, later changes go into copies.
// Also the form that the protocol gives to a column. Not here: what blocks mean.
const MIN_Y = -64
const HEIGHT = 384
const SECTIONS = HEIGHT / 16

const key = (cx, cz) => `${cx},${cz}`
const place = (x, y, z) => (y & 15) << 8 | (z & 15) << 4 | (x & 15)

class Columns {
  constructor (generate) {
    this.generate = generate // (cx, cz) => {sections, biomes}
    this.pristine = new Map()
    this.changed = new Map()
    this.era = 0
    this.last = null // The column that was asked for last, [cx, cz, column]: the next question is mostly about it too.
    this.kinds = new WeakMap() // section -> the different states in it, kept by those who look for blocks
  }

  column (cx, cz) {
    const { last } = this
    if (last && last[0] === cx && last[1] === cz) return last[2]
    const name = key(cx, cz)
    let found = this.changed.get(name) ?? this.pristine.get(name)
    if (!found) this.pristine.set(name, found = { ...this.generate(cx, cz), era: -1, own: new Uint8Array(SECTIONS) })
    this.last = [cx, cz, found]
    return found
  }

  section (cx, sy, cz) { // sy counts from the bottom; null where all is air or outside.
    return sy < 0 || sy >= SECTIONS ? null : this.column(cx, cz).sections[sy]
  }

  get (x, y, z) {
    const section = this.section(x >> 4, (y - MIN_Y) >> 4, z >> 4)
    return section ? section[place(x, y, z)] : 0
  }

  set (x, y, z, state) {
    const sy = (y - MIN_Y) >> 4
    if (sy < 0 || sy >= SECTIONS) return
    const [cx, cz] = [x >> 4, z >> 4]
    let column = this.column(cx, cz)
    if (column.era !== this.era) {
      column = { sections: [...column.sections], biomes: column.biomes, era: this.era, own: new Uint8Array(SECTIONS) }
      this.changed.set(key(cx, cz), column)
      this.last = null
    }
    if (!column.own[sy]) {
      column.sections[sy] = column.sections[sy]?.slice() ?? new Uint16Array(4096)
      column.own[sy] = 1
    }
    this.kinds.delete(column.sections[sy])
    column.sections[sy][place(x, y, z)] = state
  }

  // The lowest y above everything solid in a column: where the sky begins.
  surface (x, z, solid) { return surface(sy => this.section(x >> 4, sy, z >> 4), x, z, solid) }

  biome (x, z) { return this.column(x >> 4, z >> 4).biomes[(z >> 2 & 3) << 2 | (x >> 2 & 3)] }

  snapshot () {
    this.era++
    return new Map(this.changed)
  }

  restore (changed) {
    this.era++
    this.changed = new Map(changed)
    this.last = null
  }
}

function surface (section, x, z, solid) {
  for (let sy = SECTIONS - 1; sy >= 0; sy--) {
    const blocks = section(sy)
    if (!blocks) continue
    for (let y = 15; y >= 0; y--) if (solid[blocks[place(x, y, z)]]) return sy * 16 + y + MIN_Y + 1
  }
  return MIN_Y
}

// The changes that lead from one column to another: calls `tell(x, y, z, state)` for each.
function difference (cx, cz, from, to, tell) {
  if (from === to) return
  for (let sy = 0; sy < SECTIONS; sy++) {
    const [a, b] = [from.sections[sy], to.sections[sy]]
    if (a === b) continue
    for (let i = 0; i < 4096; i++) {
      const state = b ? b[i] : 0
      if ((a ? a[i] : 0) !== state) tell(cx * 16 + (i & 15), MIN_Y + sy * 16 + (i >> 8), cz * 16 + (i >> 4 & 15), state)
    }
  }
}

const codes = new Int16Array(1 << 16).fill(-1)

class Bytes {
  constructor () {
    this.data = Buffer.alloc(1 << 15)
    this.size = 0
  }

  byte (value) {
    if (this.size === this.data.length) this.data = Buffer.concat([this.data, Buffer.alloc(this.size)])
    this.data[this.size++] = value
  }

  varint (value) {
    for (; value > 127; value >>>= 7) this.byte(value & 127 | 128)
    this.byte(value)
  }

  long (high, low) {
    for (const half of [high, low]) for (let shift = 24; shift >= 0; shift -= 8) this.byte(half >>> shift & 255)
  }

  palette (values, smallest, most, direct) { // A paletted container.
    const palette = []
    for (let i = 0; i < values.length; i++) if (codes[values[i]] < 0) codes[values[i]] = palette.push(values[i]) - 1
    const listed = palette.length <= 1 << most
    const bits = palette.length === 1 ? 0 : listed ? Math.max(smallest, 32 - Math.clz32(palette.length - 1)) : direct
    this.byte(bits)
    if (bits && listed) this.varint(palette.length)
    if (listed) for (const value of palette) this.varint(value)
    const each = bits ? Math.floor(64 / bits) : 0
    this.varint(bits ? Math.ceil(values.length / each) : 0)
    for (let i = 0; i < values.length && bits; i += each) {
      let [high, low] = [0, 0]
      for (let k = 0; k < each && i + k < values.length; k++) {
        const code = listed ? codes[values[i + k]] : values[i + k]
        const shift = k * bits
        if (shift >= 32) high |= code << (shift - 32)
        else {
          low |= code << shift
          if (shift + bits > 32) high |= code >>> (32 - shift)
        }
      }
      this.long(high, low)
    }
    for (const value of palette) codes[value] = -1
  }
}

function encode (column) {
  const bytes = new Bytes()
  const biomes = Array.from({ length: 64 }, (_, i) => column.biomes[i & 15])
  for (const section of column.sections) {
    let full = 0
    if (section) for (let i = 0; i < 4096; i++) if (section[i]) full++
    bytes.byte(full >> 8)
    bytes.byte(full & 255)
    bytes.palette(full ? section : [0], 4, 8, 15)
    bytes.palette(biomes, 1, 3, 6)
  }
  return bytes.data.subarray(0, bytes.size)
}

module.exports = { Columns, difference, encode, key, place, surface, MIN_Y, HEIGHT, SECTIONS }
