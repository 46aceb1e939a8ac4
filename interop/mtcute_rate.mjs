// How many updates a second mtcute takes, to compare with `soak rate` of layer-client, which plays the same on the same data centre:
//   cargo build --release -p layer-client --example soak
//   taskset -c 0 node --no-warnings interop/mtcute_rate.mjs target/release/examples/soak [SECONDS]

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { TcpTransport } from '@mtcute/node'
import { addPublicKey, NodeCryptoProvider } from '@mtcute/node/utils.js'
import { Device } from './mtcute.mjs'

const [soak, seconds = '20'] = process.argv.slice(2)
// As `soak rate` starts it.
const options = ['serve', '--window', '900', '--chats', '48', '--cut-every', '0', '--lost', '0']
const centre = spawn('taskset', ['-c', '1', soak, ...options], { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface({ input: centre.stdout })
const [first] = await once(lines, 'line')
const [address, key] = first.split('\t')
const colon = address.lastIndexOf(':')
const crypto = new NodeCryptoProvider()
await crypto.initialize()
addPublicKey(crypto, key.replaceAll('|', '\n'), false)
const server = { address: id => ({ id, ipAddress: address.slice(0, colon), port: Number(address.slice(colon + 1)) }) }
const device = new Device({ server, transport: () => new TcpTransport(), log: [], pfs: false }, 'first', { firstDc: 1 })
const { client } = device
// The device keeps what it is told, for the scenarios; here it is only counted.
let taken = 0
let told = 0
const take = () => {
  taken += 1
  if (taken >= told + 20) centre.stdin.write(`taken ${told = taken}\n`)
}
for (const kind of ['onNewMessage', 'onEditMessage', 'onDeleteMessage']) client[kind].clear()
client.onNewMessage.add(message => / said$/.test(message.text) && take())
client.onEditMessage.add(take)
client.onDeleteMessage.add(take)
await device.enter('+15550001')
centre.stdin.write('start\n')

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))
await pause(3000)
const [before, computed, began] = [taken, process.cpuUsage(), performance.now()]
await pause(Number(seconds) * 1000)
const count = taken - before
const { user, system } = process.cpuUsage(computed)
const time = (performance.now() - began) / 1000
console.log(`mtcute 0.28.2: ${Math.round(count / time)} updates a second over ${time.toFixed(0)} s, `
  + `${((user + system) / count).toFixed(1)} us of processor time for each (${((user + system) / time / 1e4).toFixed(0)} % of a core)`)
process.exit(0)
