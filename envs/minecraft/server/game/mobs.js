'use strict'
// Creatures: animals that come with the land, hostile ones that come in the dark, how they wander, flee, pursue and strike,
// and what they leave. Rules of pathei's own, simpler than Mojang's: no flight, no arrows that can be dodged.
const NEAR = 40 // Creatures further than this from every player stand still.
const SIGHT = 16
const MOST_HOSTILE = 6

function place (game, kind, x, y, z) {
  const id = game.nextId()
  game.state.mobs.set(id, { id, kind, x, y, z, sx: x, sy: y, sz: z, yaw: 0, health: game.data.RULES.mobs[kind].health, way: null, until: 0, struck: 0, hurt: -100, fuse: 0, fall: 0, shear: 0 })
}

// Put a creature on open ground a few blocks from where the players begin.
function summon (game, kind) {
  const [x0, y0, z0] = game.spawn
  let at = [x0 + 2, y0, z0]
  for (let tries = 0; tries < 60; tries++) {
    const [angle, far] = [game.random() * 2 * Math.PI, 3 + game.random() * 4]
    const [x, z] = [x0 + Math.round(Math.cos(angle) * far), z0 + Math.round(Math.sin(angle) * far)]
    const y = game.surface(x, z)
    if (Math.abs(y - y0) > 3 || !/grass_block|dirt|sand|stone|snow/.test(game.name(x, y - 1, z)) || game.solid(x, y, z) || game.name(x, y, z) === 'water') continue
    at = [x, y, z]
    break
  }
  place(game, kind, at[0] + 0.5, at[1], at[2] + 0.5)
}

function populate (game, cx, cz, name) { // The animals of a column, once.
  if (game.state.populated.has(name)) return
  game.state.populated.add(name)
  if (!game.options.spawn_mobs || game.random() > 0.22) return
  const [x, z] = [cx * 16 + 4 + Math.floor(game.random() * 8), cz * 16 + 4 + Math.floor(game.random() * 8)]
  const kinds = game.land.animals(game.land.biomeAt(x, z))
  if (!kinds.length) return
  const kind = kinds[Math.floor(game.random() * kinds.length)]
  const count = 2 + Math.floor(game.random() * 3)
  for (let i = 0; i < count; i++) {
    const [ax, az] = [x + (i & 1) * 2, z + (i >> 1) * 2]
    const y = game.surface(ax, az)
    if (game.name(ax, y - 1, az).match(/grass_block|dirt|sand|snow/)) place(game, kind, ax + 0.5, y, az + 0.5)
  }
}

function spawnHostile (game, player) {
  if (game.peaceful || !game.options.spawn_mobs || game.state.age % 40 || game.random() > 0.5) return
  let near = 0
  for (const mob of game.state.mobs.values()) if (game.data.RULES.mobs[mob.kind].hostile && distance(mob, player.state) < 48) near++
  if (near >= MOST_HOSTILE) return
  const [angle, far] = [game.random() * 2 * Math.PI, 18 + game.random() * 14]
  const [x, z] = [Math.floor(player.state.x + Math.cos(angle) * far), Math.floor(player.state.z + Math.sin(angle) * far)]
  const top = game.surface(x, z)
  let y = game.random() < 0.5 ? top : Math.floor(player.state.y + game.random() * 12 - 6)
  if (y >= top) y = top
  while (y > -60 && !game.solid(x, y - 1, z)) y--
  const dark = y < top ? true : game.night
  if (!dark || game.solid(x, y, z) || game.solid(x, y + 1, z) || game.name(x, y, z) !== 'air' || game.lit(x, y, z)) return
  const kinds = ['zombie', 'zombie', 'skeleton', 'spider', 'creeper']
  place(game, kinds[Math.floor(game.random() * kinds.length)], x + 0.5, y, z + 0.5)
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z)

function nearest (game, mob) {
  let [best, least] = [null, Infinity]
  for (const player of game.players) {
    const far = distance(mob, player.state)
    if (!player.state.dead && far < least) [best, least] = [player, far]
  }
  return [best, least]
}

function walk (game, mob, dx, dz) {
  const free = (x, y, z) => !game.solid(x, y, z) && !game.solid(x, y + 1, z)
  const [x, z] = [mob.x + dx, mob.z + dz]
  if (free(x, mob.y, z)) {
    let drop = 0
    while (drop < 4 && !game.solid(x, mob.y - 1 - drop, z)) drop++
    if (drop < 4 || mob.y % 1) [mob.x, mob.z] = [x, z]
  } else if (free(x, mob.y + 1, z) && free(mob.x, mob.y + 1, mob.z)) [mob.x, mob.y, mob.z] = [x, Math.floor(mob.y) + 1, z]
  else mob.way = null
  mob.yaw = Math.atan2(-dx, dz)
}

function settle (game, mob) { // Gravity, water and lava.
  const here = game.name(mob.x, mob.y, mob.z)
  if (here === 'water') mob.y += 0.05
  else if (game.solid(mob.x, mob.y, mob.z)) mob.y = Math.floor(mob.y) + 1
  else if (!game.solid(mob.x, mob.y - 0.01, mob.z)) {
    mob.y = Math.max(Math.ceil(mob.y) - 1, mob.y - 0.4)
    if (game.solid(mob.x, mob.y - 0.01, mob.z)) mob.y = Math.ceil(mob.y - 0.01)
  }
  if (here === 'lava') mob.health -= 1
}

function strike (game, mob, player, far, rule) {
  const age = game.state.age
  if (rule.bursts) {
    mob.fuse = far < 3 ? mob.fuse + 1 : 0
    if (mob.fuse < 30) return far < 3
    game.state.mobs.delete(mob.id)
    for (const one of game.players) {
      const reach = distance(mob, one.state)
      if (reach < 5) one.hurt(Math.round(rule.damage * 2 * (1 - reach / 5)), 'a creeper blew up')
    }
    return true
  }
  const reach = mob.kind === 'skeleton' ? 10 : 1.6
  if (far > reach || age - mob.struck < (mob.kind === 'skeleton' ? 40 : 20)) return far <= 1.2
  mob.struck = age
  if (mob.kind !== 'skeleton' || game.random() < 0.5) player.hurt(rule.damage, mob.kind === 'skeleton' ? 'a skeleton shot you' : `a ${mob.kind} hit you`)
  return far <= 1.2
}

function think (game, mob) {
  const rule = game.data.RULES.mobs[mob.kind]
  const { age } = game.state
  const [player, far] = nearest(game, mob)
  if (far > NEAR) {
    if (rule.hostile && far > 64) game.state.mobs.delete(mob.id)
    return
  }
  const calm = mob.kind === 'spider' && !game.night && mob.hurt < age - 200 && mob.y >= game.surface(Math.floor(mob.x), Math.floor(mob.z))
  if (rule.hostile && game.peaceful) return game.state.mobs.delete(mob.id)
  if (rule.hostile && far < SIGHT && !calm) {
    const still = strike(game, mob, player, far, rule)
    if (!still && !(mob.kind === 'skeleton' && far < 8)) {
      const [dx, dz] = [player.state.x - mob.x, player.state.z - mob.z]
      const length = Math.hypot(dx, dz) || 1
      walk(game, mob, dx / length * rule.speed, dz / length * rule.speed)
    }
  } else if (mob.until > age && mob.way) walk(game, mob, mob.way[0] * rule.speed * mob.way[2], mob.way[1] * rule.speed * mob.way[2])
  else if (age % 4 === mob.id % 4 && game.random() < 0.02) {
    const angle = game.random() * 2 * Math.PI
    Object.assign(mob, { way: [Math.cos(angle), Math.sin(angle), 1], until: age + 20 + Math.floor(game.random() * 40) })
  }
  if (mob.kind === 'sheep' && mob.shear && age > mob.shear) mob.shear = 0
  if (rule.burns && age % 20 === 0 && game.state.time % 24000 < 12500 && mob.y >= game.surface(Math.floor(mob.x), Math.floor(mob.z))) mob.health -= 2
  settle(game, mob)
  if (mob.health <= 0 && game.state.mobs.has(mob.id)) game.state.mobs.delete(mob.id)
}

function tickMobs (game) {
  for (const player of game.players) spawnHostile(game, player)
  for (const old of [...game.state.mobs.values()]) { // Replaced, never written to: a snapshot may hold the old one.
    const mob = { ...old }
    game.state.mobs.set(mob.id, mob)
    think(game, mob)
  }
}

// A player's blow. Returns whether it killed.
function wound (game, player, id, damage) {
  const old = game.state.mobs.get(id)
  const { age } = game.state
  if (!old || age - old.hurt < 10) return false
  const [dx, dz] = [old.x - player.state.x, old.z - player.state.z]
  const length = Math.hypot(dx, dz) || 1
  const mob = { ...old, health: old.health - damage, hurt: age, way: [dx / length, dz / length, 2.2], until: age + 50, fuse: 0 }
  game.state.mobs.set(id, mob)
  for (let i = 0; i < 4; i++) walk(game, mob, dx / length * 0.2, dz / length * 0.2)
  for (const one of game.players) if (one.seen.has(id)) one.send('entity_status', { entityId: id, entityStatus: mob.health > 0 ? 2 : 3 })
  if (mob.health > 0) return false
  game.state.mobs.delete(id)
  for (const item of game.data.loot(mob.kind, () => game.random())) game.drop(mob.x, mob.y + 0.3, mob.z, item)
  return true
}

module.exports = { tickMobs, populate, summon, wound, place, distance }
