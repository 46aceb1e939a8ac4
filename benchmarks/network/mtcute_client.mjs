// mtcute on Node. The command line is that of src/lib.rs.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import Long from 'long'
import { MemoryStorage, TelegramClient } from '@mtcute/node'

const [path, what, ...words] = process.argv.slice(2)
const world = JSON.parse(readFileSync(path, 'utf8'))
const [first, ...others] = world.accounts
const [ipAddress, port] = world.address.split(':')
const dc = { id: world.dc_id, ipAddress, port: Number(port) }
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function connect(account) {
  const client = new TelegramClient({
    apiId: 1,
    apiHash: 'hash',
    storage: new MemoryStorage(),
    defaultDcs: { main: dc, media: dc },
    logLevel: Number(process.env.BENCHMARK_LOG ?? 1),
  })
  await client.importSession({
    primaryDcs: { main: dc, media: dc },
    self: { userId: account.user_id, isBot: false, isPremium: false, usernames: [] },
    authKey: Buffer.from(account.auth_key, 'hex'),
  })
  await client.connect()
  await client.call({ _: 'help.getNearestDc' })
  return client
}

async function mark(point) {
  console.log(point)
  if ((await lines.next()).done) throw new Error('the driver is gone')
}

const client = await connect(first)
await mark('ready')
const idle = []
switch (what) {
  case 'requests': {
    const [count, inFlight] = words.map(Number)
    let begun = 0
    const worker = async () => {
      while (begun++ < count) await client.call({ _: 'help.getNearestDc' })
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
    break
  }
  case 'download': {
    const { id, access_hash, file_reference, size } = world.document
    await client.downloadToFile(words[0], {
      _: 'inputDocumentFileLocation',
      id: Long.fromString(id),
      accessHash: Long.fromString(access_hash),
      fileReference: Buffer.from(file_reference, 'hex'),
      thumbSize: '',
    }, { fileSize: size, dcId: world.dc_id })
    break
  }
  case 'upload':
    await client.uploadFile({ file: words[0] })
    break
  case 'idle':
    for (const account of others.slice(0, Number(words[0]))) idle.push(await connect(account))
    break
}
await mark('done')
// Its file is not yet written when it says so: what is still to come is let come.
for (const each of [client, ...idle]) await each.destroy()
process.stdin.destroy()
