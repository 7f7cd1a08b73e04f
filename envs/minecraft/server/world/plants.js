'use strict'
// Trees and plants of one column. Crowns stay inside it, so that a column never waits for its neighbours.

const TREES = {
  oak: { low: 4, high: 6, crown: round },
  birch: { low: 5, high: 7, crown: round },
  spruce: { low: 6, high: 9, crown: cone },
  acacia: { low: 4, high: 6, crown: flat }
}

function round (leaf, top) {
  for (let dy = -2; dy <= 1; dy++) {
    const wide = dy < 0 ? 2 : 1
    for (let dx = -wide; dx <= wide; dx++) {
      for (let dz = -wide; dz <= wide; dz++) if (Math.abs(dx) + Math.abs(dz) < wide * 2 || dy < 0) leaf(dx, top + dy, dz)
    }
  }
}

function cone (leaf, top, tall) {
  for (let dy = -tall + 2; dy <= 1; dy++) {
    const wide = dy === 1 ? 0 : (1 - dy) % 2 + (dy < -2 ? 1 : 0)
    for (let dx = -wide; dx <= wide; dx++) {
      for (let dz = -wide; dz <= wide; dz++) if (Math.abs(dx) + Math.abs(dz) <= wide) leaf(dx, top + dy, dz)
    }
  }
}

function flat (leaf, top) {
  for (let dx = -2; dx <= 2; dx++) {
    for (let dz = -2; dz <= 2; dz++) {
      leaf(dx, top, dz)
      if (Math.abs(dx) + Math.abs(dz) < 3) leaf(dx, top + 1, dz)
    }
  }
}

function plant ({ random, set, get, heights, biomeAt, state, SEA }) {
  const ground = [state('grass_block'), state('dirt')]
  const sand = state('sand')
  const height = (x, z) => heights[z << 4 | x]
  const bare = (x, z) => height(x, z) >= SEA && get(x, height(x, z) + 1, z) === 0
  const { trees, plants, top } = biomeAt(8, 8)
  for (const [kind, often] of trees) {
    const count = Math.floor(often) + (random() < often % 1 ? 1 : 0)
    for (let i = 0; i < count; i++) {
      const [x, z] = [2 + Math.floor(random() * 12), 2 + Math.floor(random() * 12)]
      const tall = TREES[kind].low + Math.floor(random() * (TREES[kind].high - TREES[kind].low + 1))
      if (!bare(x, z) || !ground.includes(get(x, height(x, z), z))) continue
      const [log, leaves] = [state(`${kind}_log`), state(`${kind}_leaves`)]
      const base = height(x, z)
      TREES[kind].crown((dx, y, dz) => {
        if (!get(x + dx, y, z + dz)) set(x + dx, y, z + dz, leaves)
      }, base + tall, tall)
      for (let y = base + 1; y <= base + tall; y++) set(x, y, z, log)
      set(x, base, z, state('dirt'))
    }
  }
  for (let x = 0; x < 16; x++) {
    for (let z = 0; z < 16; z++) {
      const y = height(x, z)
      const below = get(x, y, z)
      const roll = random()
      if (!bare(x, z) || roll > Math.max(plants, 0.03)) continue
      if (below === ground[0]) {
        const kind = roll < plants * 0.06 ? ['dandelion', 'poppy', 'cornflower', 'oxeye_daisy'][Math.floor(random() * 4)] : 'grass'
        if (roll < 0.0006) set(x, y + 1, z, state('pumpkin'))
        else if (roll < plants) set(x, y + 1, z, state(kind))
      } else if (below === sand && top === 'sand' && y > SEA) {
        if (roll < 0.006) for (let h = 1; h <= 1 + random() * 3; h++) set(x, y + h, z, state('cactus'))
        else if (roll < 0.015) set(x, y + 1, z, state('dead_bush'))
      }
      const shore = below === sand || below === ground[0]
      if (shore && y === SEA && roll < 0.03 && !get(x, y + 1, z)) for (let h = 1; h <= 3; h++) set(x, y + h, z, state('sugar_cane'))
    }
  }
}

module.exports = { plant }
