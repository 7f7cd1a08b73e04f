'use strict'
// Sign in once with an account of one's own: `node signin.js EMAIL` shows Microsoft's page and a code, and waits. What it
// gets is kept where mineflayer's client looks for it; pathei sees no password.
const path = require('path')
const folder = require('minecraft-folder-path')
const { Authflow, Titles } = require('prismarine-auth')

const options = { authTitle: Titles.MinecraftNintendoSwitch, deviceType: 'Nintendo', flow: 'live' } // as minecraft-protocol has them
new Authflow(process.argv[2], path.join(folder, 'nmp-cache'), options).getMinecraftJavaToken({ fetchProfile: true })
  .then(({ profile }) => console.log(`Signed in as ${profile.name}.`), error => { console.error(error.message); process.exitCode = 1 })
