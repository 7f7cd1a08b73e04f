'use strict'
// The land, made of nothing but a seed: eight biomes, rolling hills and lakes, trees, plants, caves with lava in the
// deep, and ores at the depths of 1.18. A column never depends on which others were made. Not here: animals (mobs.js).
const { MIN_Y, SECTIONS } = require('./columns')
const { plant } = require('./plants')

const SEA = 62
const LAYERS = 46 // of caves, four blocks each, from the bottom
const NARROW = 0.085
const INSIDE = [[0, 0], [10, 0], [-10, 0], [0, 10], [0, -10]]
const WIDE = 0.62
const BIOMES = {
  plains: { base: 66, rough: 3, top: 'grass_block', trees: [['oak', 0.35]], plants: 0.25, animals: ['cow', 'sheep', 'pig', 'chicken'] },
  forest: { base: 67, rough: 5, top: 'grass_block', trees: [['oak', 5], ['birch', 2]], plants: 0.1, animals: ['pig', 'sheep', 'chicken', 'cow'] },
  birch_forest: { base: 67, rough: 5, top: 'grass_block', trees: [['birch', 6]], plants: 0.1, animals: ['pig', 'sheep', 'chicken'] },
  taiga: { base: 68, rough: 6, top: 'grass_block', trees: [['spruce', 5]], plants: 0.15, animals: ['sheep', 'chicken', 'pig'] },
  savanna: { base: 68, rough: 3, top: 'grass_block', trees: [['acacia', 1]], plants: 0.35, animals: ['cow', 'sheep', 'chicken'] },
  desert: { base: 66, rough: 4, top: 'sand', trees: [], plants: 0.02, animals: [] },
  windswept_hills: { base: 84, rough: 22, top: 'grass_block', trees: [['spruce', 0.7]], plants: 0.04, animals: ['sheep'] },
  river: { base: 55, rough: 3, top: 'sand', trees: [], plants: 0, animals: [] }
}
// Veins a column, size of one, and depths: evenly between, or thickest in the middle ('peak').
const ORES = [
  ['coal_ore', 20, 12, 0, 192, 'peak'], ['coal_ore', 10, 12, 136, 200, 'even'],
  ['iron_ore', 10, 8, -24, 56, 'peak'], ['iron_ore', 12, 8, 60, 140, 'even'], ['iron_ore', 8, 4, -64, 72, 'even'],
  ['copper_ore', 14, 9, -16, 112, 'peak'], ['gold_ore', 4, 8, -64, 32, 'peak'],
  ['redstone_ore', 4, 7, -64, 15, 'even'], ['redstone_ore', 4, 7, -96, -32, 'peak'],
  ['lapis_ore', 2, 6, -32, 32, 'peak'], ['lapis_ore', 3, 6, -64, 64, 'even'],
  ['diamond_ore', 4, 6, -144, 16, 'peak'], ['emerald_ore', 4, 2, -16, 120, 'even'],
  ['gravel', 4, 24, -60, 80, 'even'], ['granite', 2, 40, 0, 60, 'even'], ['diorite', 2, 40, 0, 60, 'even'],
  ['andesite', 2, 40, 0, 60, 'even'], ['dirt', 4, 24, 0, 80, 'even']
]

function hash (seed, x, y, z) { // Evenly in [0, 1).
  let h = (Math.imul(x, 374761393) + Math.imul(y, 668265263) + Math.imul(z, 1440662683) + Math.imul(seed, 974711)) | 0
  h = Math.imul(h ^ h >>> 15, 2246822519)
  h = Math.imul(h ^ h >>> 13, 3266489917)
  return ((h ^ h >>> 16) >>> 0) / 4294967296
}

function stream (seed) { // mulberry32
  return () => {
    seed = seed + 0x6D2B79F5 | 0
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed)
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
    return ((t ^ t >>> 14) >>> 0) / 4294967296
  }
}

const smooth = t => t * t * (3 - 2 * t)
const mix = (a, b, t) => a + (b - a) * t

function noise2 (seed, x, z) { // Value noise in [-1, 1].
  const [x0, z0] = [Math.floor(x), Math.floor(z)]
  const [u, v] = [smooth(x - x0), smooth(z - z0)]
  const at = (dx, dz) => hash(seed, x0 + dx, 0, z0 + dz)
  return 2 * mix(mix(at(0, 0), at(1, 0), u), mix(at(0, 1), at(1, 1), u), v) - 1
}

function noise3 (seed, x, y, z) {
  const [x0, y0, z0] = [Math.floor(x), Math.floor(y), Math.floor(z)]
  const [u, v, w] = [smooth(x - x0), smooth(y - y0), smooth(z - z0)]
  const at = (dx, dy, dz) => hash(seed, x0 + dx, y0 + dy, z0 + dz)
  const layer = dy => mix(mix(at(0, dy, 0), at(1, dy, 0), u), mix(at(0, dy, 1), at(1, dy, 1), u), w)
  return 2 * mix(layer(0), layer(1), v) - 1
}

const fractal = (seed, x, z) => (noise2(seed, x, z) + noise2(seed + 1, x * 2, z * 2) / 2 + noise2(seed + 2, x * 4, z * 4) / 4) / 1.75

function terrain (data, seed) {
  const { registry, state } = data
  const id = name => state(name)
  const B = Object.fromEntries(['stone', 'deepslate', 'bedrock', 'dirt', 'sandstone', 'water', 'lava', 'sand', 'gravel', 'grass_block', 'snow_block', 'ice'].map(name => [name, id(name)]))
  const biomeId = Object.fromEntries(Object.keys(BIOMES).map(name => [name, registry.biomesByName[name].id]))
  const ores = ORES.map(([name, ...rest]) => [id(name), registry.blocksByName[`deepslate_${name}`] ? id(`deepslate_${name}`) : id(name), name, ...rest])

  function biomeAt (x, z) {
    const warm = fractal(seed + 10, x / 160, z / 160)
    const wet = fractal(seed + 20, x / 140, z / 140)
    const wild = fractal(seed + 30, x / 180, z / 180)
    if (Math.abs(noise2(seed + 40, x / 150, z / 150)) < 0.05) return 'river'
    if (wild > 0.38) return 'windswept_hills'
    if (warm > 0.3) return wet > 0.05 ? 'savanna' : 'desert'
    if (warm < -0.3) return 'taiga'
    if (wet > 0.22) return 'birch_forest'
    return wet > -0.12 ? 'forest' : 'plains'
  }

  function heightAt (x, z) { // The heights of the neighbourhood, blended so that biomes meet without cliffs.
    let [base, rough] = [0, 0]
    for (const [dx, dz] of [[0, 0], [7, 3], [-3, 7], [-7, -3], [3, -7]]) {
      const biome = BIOMES[biomeAt(x + dx, z + dz)]
      base += biome.base / 5
      rough += biome.rough / 5
    }
    return Math.round(base + rough * fractal(seed + 50, x / 48, z / 48))
  }

  // Which blocks are caves: noise on a grid of four blocks, blended in between. Where two noises are both near nothing
  // there is a tunnel, where a third is large a hall. Most cells can be ruled out by their corners alone.
  function caves (cx, cz) {
    const grid = [[60, 26, 20], [70, 26, 20], [80, 34, 18]].map(([number, scale, squash]) => {
      const values = new Float32Array(25 * LAYERS)
      for (let i = 0; i < 25; i++) {
        const [x, z] = [(cx * 16 + (i % 5) * 4) / scale, (cz * 16 + Math.floor(i / 5) * 4) / scale]
        for (let j = 0; j < LAYERS; j++) values[i * LAYERS + j] = noise3(seed + number, x, (MIN_Y + j * 4) / squash, z)
      }
      return values
    })
    const open = new Uint8Array(256 * 4 * LAYERS)
    const corners = new Float32Array(8)
    const look = (values, i, j) => {
      let [low, high] = [2, -2]
      for (let c = 0; c < 8; c++) {
        const value = corners[c] = values[(i + (c & 1) + (c >> 1 & 1) * 5) * LAYERS + j + (c >> 2)]
        if (value < low) low = value
        if (value > high) high = value
      }
      return [low, high]
    }
    const blend = (u, v, w) => {
      const side = c => mix(mix(corners[c], corners[c + 1], u), mix(corners[c + 2], corners[c + 3], u), w)
      return mix(side(0), side(4), v)
    }
    const cell = new Uint8Array(64)
    for (let i = 0; i < 20; i++) {
      if (i % 5 === 4) continue
      for (let j = 0; j < LAYERS - 1; j++) {
        cell.fill(0)
        let found = false
        const meet = ([low, high]) => low < NARROW && high > -NARROW
        if (meet(look(grid[0], i, j)) && meet(look(grid[1], i, j))) {
          for (let n = 0; n < 64; n++) cell[n] = Math.abs(blend((n & 3) / 4, (n >> 4) / 4, (n >> 2 & 3) / 4)) < NARROW ? 1 : 0
          look(grid[0], i, j)
          for (let n = 0; n < 64; n++) if (cell[n]) cell[n] = Math.abs(blend((n & 3) / 4, (n >> 4) / 4, (n >> 2 & 3) / 4)) < NARROW ? 1 : 0
          found = true
        }
        if (MIN_Y + j * 4 < 40 && look(grid[2], i, j)[1] > WIDE) {
          for (let n = 0; n < 64; n++) if (blend((n & 3) / 4, (n >> 4) / 4, (n >> 2 & 3) / 4) > WIDE) cell[n] = 1
          found = true
        }
        if (!found) continue
        const [x, z] = [(i % 5) * 4, Math.floor(i / 5) * 4]
        for (let n = 0; n < 64; n++) open[(j * 4 + (n >> 4)) << 8 | (z + (n >> 2 & 3)) << 4 | x + (n & 3)] = cell[n]
      }
    }
    return open
  }

  function generate (cx, cz) {
    const sections = new Array(SECTIONS).fill(null)
    const set = (x, y, z, block) => {
      const section = sections[(y - MIN_Y) >> 4] ??= new Uint16Array(4096)
      section[(y & 15) << 8 | z << 4 | x] = block
    }
    const get = (x, y, z) => sections[(y - MIN_Y) >> 4]?.[(y & 15) << 8 | z << 4 | x] ?? 0
    const biomes = new Uint16Array(16)
    for (let i = 0; i < 16; i++) biomes[i] = biomeId[biomeAt(cx * 16 + (i & 3) * 4, cz * 16 + (i >> 2) * 4)]
    const open = caves(cx, cz)
    const heights = new Int16Array(256)
    for (let i = 0; i < 256; i++) heights[i] = heightAt(cx * 16 + (i & 15), cz * 16 + (i >> 4))
    const full = Math.max(0, (Math.min(...heights) - 9 - MIN_Y) >> 4) // So many sections are rock to their top.
    for (let sy = 0; sy < full; sy++) {
      const section = sections[sy] = new Uint16Array(4096).fill(sy < 4 ? B.deepslate : B.stone)
      for (let i = 0; i < 4096; i++) if (open[sy << 12 | i]) section[i] = sy === 0 && i >> 8 < 10 ? B.lava : 0
    }
    for (let i = 0; i < 512; i++) sections[0][i] = i < 256 ? B.bedrock : B.deepslate
    for (let i = 0; i < 256; i++) {
      const [x, z, height] = [i & 15, i >> 4, heights[i]]
      const { top } = BIOMES[biomeAt(cx * 16 + x, cz * 16 + z)]
      const wet = height < SEA
      for (let y = MIN_Y + full * 16; y <= height; y++) {
        let block = y < 0 ? B.deepslate : B.stone
        if (y === height) block = wet ? B[top === 'sand' ? 'sand' : 'dirt'] : height > 96 ? B.stone : B[top]
        else if (y > height - 4 && height <= 96) block = top === 'sand' ? (y > height - 3 ? B.sand : B.sandstone) : B.dirt
        if ((!wet || y < height - 8) && y < 120 && open[(y - MIN_Y) << 8 | i]) block = 0
        if (block) set(x, y, z, block)
      }
      for (let y = height + 1; y <= SEA; y++) set(x, y, z, B.water)
    }
    const random = stream(Math.floor(hash(seed, cx, 7, cz) * 4294967296))
    veins(random, set, get, BIOMES[biomeAt(cx * 16 + 8, cz * 16 + 8)] === BIOMES.windswept_hills)
    plant({ random, set, get, heights, biomeAt: (x, z) => BIOMES[biomeAt(cx * 16 + x, cz * 16 + z)], state: id, SEA })
    return { sections, biomes }
  }

  function veins (random, set, get, hills) {
    for (const [shallow, deep, name, tries, size, low, high, form] of ores) {
      if (name === 'emerald_ore' && !hills) continue
      for (let i = 0; i < tries; i++) {
        const share = form === 'peak' ? (random() + random()) / 2 : random()
        let [x, y, z] = [random() * 16 | 0, Math.round(low + share * (high - low)), random() * 16 | 0]
        for (let j = 0; j < size; j++) {
          if (x >= 0 && x < 16 && z >= 0 && z < 16 && y > MIN_Y) {
            const there = get(x, y, z)
            if (there === B.stone) set(x, y, z, shallow)
            else if (there === B.deepslate && (deep !== shallow || name === 'gravel')) set(x, y, z, deep)
          }
          const way = random() * 6 | 0
          if (way < 2) x += way * 2 - 1
          else if (way < 4) y += way * 2 - 5
          else z += way * 2 - 9
        }
      }
    }
  }

  function spawn (biome) { // A dry place among trees or in a biome, as near to the middle as there is one.
    const fits = biome ? (x, z) => INSIDE.every(([dx, dz]) => biomeAt(x + dx, z + dz) === biome) : (x, z) => /forest|taiga/.test(biomeAt(x, z))
    for (let ring = 0; ring < (biome ? 160 : 40); ring++) {
      for (let turn = 0; turn < Math.max(1, ring * 4); turn++) {
        const angle = turn / Math.max(1, ring * 4) * 2 * Math.PI
        const [x, z] = [Math.round(8 + Math.cos(angle) * ring * 12), Math.round(8 + Math.sin(angle) * ring * 12)]
        if (fits(x, z) && heightAt(x, z) > SEA + 1) return [x, heightAt(x, z) + 1, z]
      }
    }
    if (biome) throw new Error(`world ${seed} has no ${biome} near its middle: take another`)
    return [8, Math.max(heightAt(8, 8), SEA) + 1, 8]
  }

  return { generate, biomeAt, heightAt, spawn, animals: name => BIOMES[name].animals }
}

module.exports = { terrain, stream, hash, BIOMES, SEA }
