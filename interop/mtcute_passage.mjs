// What mtcute and a user of layer-client do to show that a way carries everything: a shorter form of the whole conversation.

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputMedia, MemoryStorage } from '@mtcute/node'
import { expect, LOGIN_CODE } from './harness.mjs'
import { digest, FILE_BYTES } from './mtcute.mjs'

export const CAROL = '+15550200001'
export const BORIS = '+15550200002'

export async function passage(report, directory, { device, peer, smallOnly }) {
  const storage = new MemoryStorage()
  const first = device('first', { storage })
  await report.step('signs up', async () => {
    await first.signUp(CAROL, 'Carol')
    await first.client.setMyUsername('carol_interop')
  }, { essential: true })

  await report.step('finds layer-client\'s user', async () => {
    const boris = Number((await peer.call('sign_up', BORIS, LOGIN_CODE, 'Boris'))[0])
    await peer.call('username', 'boris_interop')
    expect((await first.client.getUser('boris_interop')).id === boris, 'another user')
  }, { essential: true })

  await report.step('sends a text to layer-client, and receives one', async () => {
    await first.client.sendText('boris_interop', 'hello from mtcute')
    await peer.event('new', null, null, 'in', 'hello from mtcute')
    await peer.call('send', '@carol_interop', 'hello from layer-client')
    await first.received('hello from layer-client')
  })

  if (!smallOnly) await files(report, directory, first, peer)

  await report.step('comes back the same way and catches up with what happened meanwhile', async () => {
    await first.client.destroy()
    await peer.call('send', '@carol_interop', 'while you were away')
    const after = device('after', { storage })
    await after.listen()
    await after.received('while you were away')
  })
}

async function files(report, directory, first, peer) {
  await report.step('uploads 5 MB; layer-client downloads them', async () => {
    const bytes = randomBytes(FILE_BYTES)
    await first.client.sendMedia('boris_interop', InputMedia.document(bytes, { fileName: 'from-mtcute.bin' }))
    const [, , id] = await peer.event('new', null, null, 'in', '', 'from-mtcute.bin', FILE_BYTES)
    const copy = join(directory, 'peer-copy.bin')
    await peer.call('download', '@carol_interop', id, copy)
    expect(digest(readFileSync(copy)) === digest(bytes), 'layer-client\'s copy differs')
  })

  await report.step('downloads 5 MB that layer-client uploaded', async () => {
    const bytes = randomBytes(FILE_BYTES)
    const path = join(directory, 'from-layer-client.bin')
    writeFileSync(path, bytes)
    await peer.call('upload', '@carol_interop', path)
    const seen = await first.messages.wait(m => m.media?.fileName === 'from-layer-client.bin', 'the file')
    expect(digest(await first.client.downloadAsBuffer(seen.media)) === digest(bytes), 'mtcute\'s copy differs')
  })
}
