'use strict'
// What a bot sees as a picture, drawn by casting a ray for each point through the blocks that its client knows: plain
// colours with a grain, daylight, shade under cover, fog. No display, no graphics library, and nothing of Minecraft's
// own pictures. Not here: what is perceived as text (observe.js).
const { MIN_Y, place } = require('../world/columns')

const EYE = 1.62
const FAR = 56 // blocks
const FIELD = 70 * Math.PI / 180 // from the lower to the upper edge
const GRAIN = 8 // points along the edge of a block
const SHADE = [0.82, 1, 0.68] // a face that looks along x, y, z
const CAVE = 0.3 // light deep under cover
const SHADOW = 0.7 // light right under cover
const DEEP = 10 // blocks under cover until it is as dark as in a cave
const PALETTE = { // the first pattern that a name contains
  'grass_block': [104, 159, 66], 'leaves$': [58, 110, 44], 'birch_log': [206, 203, 190], '_log$': [104, 82, 50], 'crafting_table': [150, 104, 58],
  'planks$': [170, 136, 82], '^chest$': [160, 112, 44], 'dirt|farmland|podzol': [134, 96, 67], 'sandstone': [216, 203, 155], '^sand$': [219, 207, 163],
  'gravel': [131, 127, 126], 'snow': [240, 248, 250], 'ice': [160, 190, 250], 'water': [46, 86, 190], 'lava|fire': [226, 106, 22], 'bedrock': [60, 60, 60],
  'furnace': [98, 98, 98], 'deepslate': [80, 80, 84], 'granite': [150, 104, 86], 'diorite': [188, 188, 188], 'andesite': [136, 136, 137], 'stone|_ore$': [125, 125, 125],
  'cactus|sugar_cane': [86, 128, 42], 'pumpkin': [200, 118, 24], 'torch': [255, 214, 110], '_bed$|poppy|tulip': [180, 40, 38], 'dandelion': [240, 220, 60],
  'cornflower': [80, 110, 220], 'daisy|lily|wool$': [232, 232, 228], 'dead_bush': [140, 100, 46], 'grass|fern|vine|sapling': [96, 150, 58],
  'clay': [160, 166, 179], 'terracotta': [152, 94, 68], 'glass': [210, 230, 236], 'diamond': [98, 219, 214], 'iron': [216, 216, 216], 'gold': [250, 214, 74], 'coal': [36, 36, 36]
}
const EARTH = [134, 96, 67]
const DEEP_WATER = [30, 60, 150]
const ORES = { coal: [36, 36, 36], iron: [214, 173, 145], copper: [196, 108, 72], gold: [250, 214, 74], redstone: [210, 20, 16], lapis: [38, 72, 176], diamond: [98, 230, 224], emerald: [46, 200, 96] }
const BODIES = { // width, height, and the colours of body and head
  zombie: [0.6, 1.95, [38, 110, 112], [84, 132, 66]], skeleton: [0.6, 1.99, [190, 190, 190], [206, 206, 206]], creeper: [0.6, 1.7, [84, 166, 74], [74, 150, 66]],
  spider: [1.4, 0.9, [54, 46, 40], [54, 46, 40]], cow: [0.9, 1.4, [72, 54, 40], [86, 66, 50]], pig: [0.9, 0.9, [232, 150, 148], [240, 164, 160]], sheep: [0.9, 1.3, [232, 232, 228], [204, 174, 150]],
  chicken: [0.4, 0.7, [240, 240, 240], [214, 60, 40]], player: [0.6, 1.8, [46, 130, 160], [190, 140, 110]], item: [0.3, 0.3, [214, 190, 120], [214, 190, 120]]
}

const hash = (a, b, c) => { // 0 to 1
  let h = Math.imul(a, 374761393) ^ Math.imul(b, 668265263) ^ Math.imul(c, 2147483647)
  h = Math.imul(h ^ h >>> 13, 1274126177)
  return ((h ^ h >>> 16) >>> 0) / 4294967296
}

const unknown = name => [0, 1, 2].map(part => 70 + Math.floor(hash(name.length, name.charCodeAt(0), part + name.charCodeAt(name.length - 1)) * 130))

function materials (data) { // How each state is drawn: {color, speckle, plant, clear}, or null for air.
  const patterns = Object.entries(PALETTE).map(([pattern, color]) => [new RegExp(pattern), color])
  const made = new Map()
  return data.blockOf.map(block => {
    if (!block || /(^|_)air$/.test(block.name)) return null
    if (!made.has(block.name)) {
      const ore = Object.keys(ORES).find(one => block.name.endsWith(`${one}_ore`))
      made.set(block.name, {
        color: patterns.find(([pattern]) => pattern.test(block.name))?.[1] ?? unknown(block.name),
        speckle: ore && ORES[ore], grassy: block.name === 'grass_block', clear: block.name === 'water',
        plant: block.boundingBox === 'empty' && !/water|lava/.test(block.name), number: block.id, leafy: /leaves$/.test(block.name)
      })
    }
    return made.get(block.name)
  })
}

const painted = [0, 0, 0] // Filled anew by each `paint`: a picture has too many points for an array each.

function paint (kind, axis, u, v) { // The colour of a point of a face, 0 to 255.
  const i = Math.floor(u * GRAIN)
  const j = Math.floor(v * GRAIN)
  const grain = 1 + (hash(i, j, kind.number) - 0.5) * (kind.leafy ? 0.6 : 0.18)
  let color = kind.color
  if (kind.speckle && hash(i >> 1, j >> 1, kind.number + 7) > 0.72) color = kind.speckle
  if (kind.grassy && axis !== 1 && v < 0.75 + hash(i, 0, 3) * 0.15) color = EARTH
  for (let part = 0; part < 3; part++) painted[part] = color[part] * grain
  return painted
}

const HORIZON = [150, 190, 245]
const HIGHER = [60, 50, 10] // by which the sky is darker straight above

const light = time => Math.max(0.12, Math.min(1, 0.6 + 1.2 * Math.sin(time / 24000 * 2 * Math.PI)))

function crossed (ox, oy, oz, dx, dy, dz, x, y, z, kind) { // A plant is two sheets that cross in its block.
  const a = ox - x
  const b = oz - z
  for (let sheet = 0; sheet < 2; sheet++) {
    const t = sheet ? (1 - a - b) / (dx + dz) : (b - a) / (dx - dz)
    const u = a + dx * t
    const v = oy + dy * t - y
    const w = b + dz * t
    if (!(t > 0) || u < 0 || u > 1 || v < 0 || v > 0.8 || w < 0 || w > 1) continue
    if (hash(Math.floor(u * GRAIN), Math.floor(v * GRAIN) >> 1, kind.number) > 0.45 + v * 0.4) return { t, u, v }
  }
  return null
}

function boxes (session) { // What moves and lies about, as [low corner, high corner, entity].
  return session.entities(() => true, FAR).slice(0, 40).map(one => {
    const [width, height, body, head] = BODIES[one.type === 'player' ? 'player' : one.name] ?? [0.6, 1, [150, 110, 150], [150, 110, 150]]
    const { x, y, z } = one.position
    return { low: [x - width / 2, y, z - width / 2], high: [x + width / 2, y + height, z + width / 2], body, head }
  })
}

const way = [0, 0, 0] // of the ray that is followed

function struck (from, { low, high }) { // The distance to a box along a ray, Infinity where it is missed.
  let near = 0
  let far = Infinity
  for (let i = 0; i < 3; i++) {
    const a = (low[i] - from[i]) / way[i]
    const b = (high[i] - from[i]) / way[i]
    near = Math.max(near, Math.min(a, b))
    far = Math.min(far, Math.max(a, b))
  }
  return near <= far ? near : Infinity
}

class Camera {
  constructor (session) {
    const { data, bot } = session
    const { position: { x, y, z }, yaw, pitch } = bot.entity
    data.materials ??= materials(data)
    Object.assign(this, { session, kinds: data.materials, from: [x, y + EYE, z], yaw, pitch, day: light(bot.time.timeOfDay), tops: new Map(), boxes: boxes(session), point: [0, 0, 0] })
  }

  lit (x, y, z) { // Light at a place: the sky's, and less the deeper under cover.
    const key = x * 65536 + z
    let top = this.tops.get(key)
    if (top === undefined) this.tops.set(key, top = this.session.game.surface(x, z))
    const torch = this.session.game.lit?.(x, y, z) ? 0.85 : 0
    const under = top - 1 - y
    if (under <= 0) return Math.max(torch, this.day)
    return Math.max(torch, CAVE * 0.6, this.day * Math.max(CAVE, SHADOW - (SHADOW - CAVE) * under / DEEP))
  }

  // What a ray meets: its colour, each part 0 to 255.
  ray (dx, dy, dz) {
    const { from: [ox, oy, oz], kinds, session: { view } } = this
    let most = FAR
    let body = null
    way[0] = dx
    way[1] = dy
    way[2] = dz
    for (const box of this.boxes) {
      const t = struck(this.from, box)
      if (t < most) [most, body] = [t, box]
    }
    const [sx, sy, sz] = [Math.sign(dx), Math.sign(dy), Math.sign(dz)]
    const [ix, iy, iz] = [Math.abs(1 / dx), Math.abs(1 / dy), Math.abs(1 / dz)]
    let x = Math.floor(ox)
    let y = Math.floor(oy)
    let z = Math.floor(oz)
    let tx = (sx > 0 ? x + 1 - ox : ox - x) * ix // how far to the next block along each direction
    let ty = (sy > 0 ? y + 1 - oy : oy - y) * iy
    let tz = (sz > 0 ? z + 1 - oz : oz - z) * iz
    let t = 0
    let axis = 1
    let wet = 0
    let [cx, cy, cz, section] = [NaN, NaN, NaN, null] // A ray stays in a section for some blocks.
    for (;;) {
      if (x >> 4 !== cx || (y - MIN_Y) >> 4 !== cy || z >> 4 !== cz) {
        cx = x >> 4
        cy = (y - MIN_Y) >> 4
        cz = z >> 4
        section = view.section(cx, cy, cz)
      }
      const kind = section ? kinds[section[place(x, y, z)]] : null
      if (kind?.clear) wet++
      else if (kind?.plant) {
        const hit = crossed(ox, oy, oz, dx, dy, dz, x, y, z, kind)
        if (hit && hit.t < most) return this.shaded(paint(kind, 1, hit.u, hit.v), hit.t, this.lit(x, y, z), wet, dy)
      } else if (kind && t > 0) {
        const [px, py, pz] = [ox + dx * t - x, oy + dy * t - y, oz + dz * t - z]
        const color = paint(kind, axis, axis === 0 ? pz : px, axis === 1 ? pz : py)
        const [lx, ly, lz] = [x - (axis === 0 ? sx : 0), y - (axis === 1 ? sy : 0), z - (axis === 2 ? sz : 0)]
        return this.shaded(color, t, this.lit(lx, ly, lz) * (axis === 1 && sy > 0 ? 0.5 : SHADE[axis]), wet, dy)
      }
      if (tx < ty && tx < tz) {
        t = tx
        axis = 0
        tx += ix
        x += sx
      } else if (ty < tz) {
        t = ty
        axis = 1
        ty += iy
        y += sy
      } else {
        t = tz
        axis = 2
        tz += iz
        z += sz
      }
      if (t < most) continue
      if (!body) return this.shaded(null, FAR, 1, wet, dy)
      const high = (oy + dy * most - body.low[1]) / (body.high[1] - body.low[1])
      return this.shaded(high > 0.72 ? body.head : body.body, most, this.lit(Math.floor(ox + dx * most), Math.floor(oy + dy * most), Math.floor(oz + dz * most)), wet, dy)
    }
  }

  shaded (color, t, bright, wet, up) { // Against the sky: blue by day, dark by night, lighter towards the horizon.
    const fog = color ? Math.max(0, (t / FAR - 0.6) / 0.4) ** 2 : 1
    const blue = Math.min(0.85, wet * 0.22)
    for (let part = 0; part < 3; part++) {
      const behind = 12 + (HORIZON[part] - HIGHER[part] * Math.max(0, up)) * this.day
      const seen = color ? color[part] * bright * (1 - fog) + behind * fog : behind
      this.point[part] = seen * (1 - blue) + DEEP_WATER[part] * this.day * blue
    }
    return this.point
  }
}

// The picture as bytes: rows from the top, three for each point.
function frame (session, width, height) {
  const camera = new Camera(session)
  const bytes = Buffer.alloc(width * height * 3)
  const tall = Math.tan(FIELD / 2)
  const wide = tall * width / height
  const [cy, sy, cp, sp] = [Math.cos(camera.yaw), Math.sin(camera.yaw), Math.cos(camera.pitch), Math.sin(camera.pitch)]
  let at = 0
  for (let row = 0; row < height; row++) {
    const v = tall * (1 - 2 * (row + 0.5) / height)
    for (let column = 0; column < width; column++) {
      const u = wide * (2 * (column + 0.5) / width - 1)
      const along = cp - v * sp // forwards on the level; the camera looks along (-sin yaw, sin pitch, -cos yaw)
      const [dx, dy, dz] = [-sy * along + cy * u, sp + v * cp, -cy * along - sy * u]
      const long = Math.hypot(dx, dy, dz)
      const point = camera.ray(dx / long || 1e-9, dy / long || 1e-9, dz / long || 1e-9)
      for (let part = 0; part < 3; part++) bytes[at++] = Math.max(0, Math.min(255, point[part]))
    }
  }
  return bytes
}

module.exports = { frame }
