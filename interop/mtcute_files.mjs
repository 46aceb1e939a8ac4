// Files between mtcute and a user of layer-client, with what can happen to them on the way: parts that fail, waits, a reference that
// expires in the middle, another data centre, and the sizes of photos. mtcute 0.28.2 asks for no CDN (`downloadAsIterable` throws
// "Received CDN redirect, which is not supported (yet)"), nor does it get a reference again: that is left to its user. With PFS its
// first download from a data centre of which it has no key waits for ever, so this goes without.

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { InputMedia } from '@mtcute/node'
import { expect, LOGIN_CODE } from './harness.mjs'
import { digest } from './mtcute.mjs'
import { BORIS, CAROL } from './mtcute_passage.mjs'

const LARGE = 12_000_000
const PATIENCE = 60_000

/** A real picture, of noise: mtcute takes the size of most bytes for the largest. */
function png(width, height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data])
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0])
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  const lines = Buffer.concat(Array.from({ length: height }, () => Buffer.concat([Buffer.from([0]), randomBytes(width)])))
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0)),
  ])
}

export async function files(report, directory, { server, device, peer }) {
  const [first, second] = [device('first'), device('second')]
  await report.step('signs up, with a second device, and finds layer-client\'s user of another data centre', async () => {
    await first.signUp(CAROL, 'Carol')
    await first.client.setMyUsername('carol_interop')
    const boris = Number((await peer.call('sign_up', BORIS, LOGIN_CODE, 'Boris'))[0])
    await peer.call('username', 'boris_interop')
    expect((await first.client.getUser('boris_interop')).id === boris, 'another user')
    await second.enter(CAROL)
  }, { essential: true })

  /** Runs with rules, and checks that each of them took hold. */
  const during = async (rules, run) => {
    const numbers = []
    for (const rule of rules) numbers.push((await server.command(rule)).fault)
    let listed
    try {
      await run()
    } finally {
      listed = (await server.command('list')).faults
      await server.command('clear')
    }
    const idle = listed.filter(fault => numbers.includes(fault.fault) && !fault.fired)
    expect(!idle.length, `these never happened: ${idle.map(fault => fault.rule)}`)
  }
  const upload = async (fileName, bytes) => {
    await first.client.sendMedia('boris_interop', InputMedia.document(bytes, { fileName }))
    const [, , id] = await peer.event('new', null, null, 'in', '', fileName, bytes.length)
    const copy = join(directory, `peer-copy-${fileName}`)
    await peer.call('download', '@carol_interop', id, copy)
    expect(digest(readFileSync(copy)) === digest(bytes), 'layer-client\'s copy differs')
  }
  const deadline = { deadline: 2 * PATIENCE }

  // Up
  const sent = randomBytes(LARGE)
  await report.step('uploads 12 MB while parts fail and have to wait; layer-client downloads them', () => during([
    'method=upload.save* part=3 times=1: error -503 Timeout',
    'method=upload.save* part=5 times=2: error 500 RPC_CALL_FAIL',
    'method=upload.save* part=9 times=1: flood-premium-wait 1',
  ], () => upload('from-mtcute.bin', sent)), deadline)

  // Down
  const theirs = randomBytes(LARGE)
  let message
  await report.step('downloads 12 MB that layer-client uploaded, from another data centre', async () => {
    const path = join(directory, 'from-layer-client.bin')
    writeFileSync(path, theirs)
    await peer.call('upload', '@carol_interop', path)
    message = await first.messages.wait(m => m.media?.fileName === 'from-layer-client.bin', 'the file', PATIENCE)
    const before = server.calls('DC 1: upload.getFile')
    expect(digest(await first.client.downloadAsBuffer(message.media)) === digest(theirs), 'mtcute\'s copy differs')
    expect(server.calls('DC 1: upload.getFile') > before, 'nothing was asked of DC 1')
  }, deadline)

  await report.step('waits in the middle', () => during([
    'method=upload.getFile offset=3MiB times=1: flood-premium-wait 1',
    'method=upload.getFile offset=5MiB times=1: error -503 Timeout',
    'method=upload.getFile offset=6MiB times=1: flood-wait 1',
  ], async () => {
    expect(digest(await first.client.downloadAsBuffer(message.media)) === digest(theirs), 'mtcute\'s copy differs')
  }), deadline)

  await report.step('is told that a reference expires in the middle; with the message read again it holds', async () => {
    await during(['method=upload.getFile offset=7MiB times=1: expire-references'], async () => {
      const failed = await first.client.downloadAsBuffer(message.media).then(() => undefined, error => error)
      expect(failed?.text === 'FILE_REFERENCE_EXPIRED', `expected FILE_REFERENCE_EXPIRED, got ${failed}`)
    })
    const [again] = await first.client.getMessages('boris_interop', [message.id])
    expect(digest(await first.client.downloadAsBuffer(again.media)) === digest(theirs), 'mtcute\'s copy differs')
    message = again
  }, deadline)

  await report.step('downloads from a connection that is slow', () => during(['method=upload.getFile: bandwidth 4MiB'], async () => {
    expect(digest(await first.client.downloadAsBuffer(message.media)) === digest(theirs), 'mtcute\'s copy differs')
  }), deadline)

  await report.step('is not sent to the CDN, for which it does not ask; who asks is sent there', async () => {
    await server.command('cdn 1000000')
    const before = server.calls('DC 203')
    expect(digest(await first.client.downloadAsBuffer(message.media)) === digest(theirs), 'mtcute\'s copy differs')
    const { id, accessHash, fileReference, dcId } = message.media.raw
    const answer = await first.client.call({
      _: 'upload.getFile', cdnSupported: true, offset: 0, limit: 4096,
      location: { _: 'inputDocumentFileLocation', id, accessHash, fileReference, thumbSize: '' },
    }, { dcId, kind: 'download' })
    expect(answer._ === 'upload.fileCdnRedirect' && answer.dcId === 203, `the answer is ${answer._}`)
    expect(server.calls('DC 203') === before, 'the CDN was asked')
    await server.command('cdn nothing')
  }, deadline)

  await report.step('its second device downloads what the first sent', async () => {
    const seen = await second.messages.wait(m => m.media?.fileName === 'from-mtcute.bin', 'the file')
    const [fresh] = await second.client.getMessages('boris_interop', [seen.id])
    expect(digest(await second.client.downloadAsBuffer(fresh.media)) === digest(sent), 'the second device\'s copy differs')
  }, deadline)

  // Photos
  await report.step('sends a photo; every size of it comes back, and layer-client has it whole', async () => {
    const picture = png(1600, 1200)
    await first.client.sendMedia('boris_interop', InputMedia.photo(picture))
    const seen = await second.messages.wait(m => m.media?.type === 'photo', 'the photo', PATIENCE)
    const sizes = Object.fromEntries(seen.media.thumbnails.map(size => [size.type, size]))
    for (const [letter, width, height] of [['m', 320, 240], ['x', 800, 600], ['y', 1280, 960], ['w', 1600, 1200]]) {
      const size = sizes[letter]
      expect(size?.width === width && size.height === height, `${letter}: ${size?.width}x${size?.height}`)
      const data = Buffer.from(await second.client.downloadAsBuffer(size))
      if (letter === 'w') expect(digest(data) === digest(picture), 'the largest is not what was sent')
      else expect(data.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])) && data.at(-1) === 0xd9, `${letter} is no JPEG`)
    }
    // The stripped one, which mtcute makes into a whole JPEG.
    const stripped = Buffer.from(await second.client.downloadAsBuffer(sizes.i))
    expect(stripped.subarray(0, 2).equals(Buffer.from([0xff, 0xd8])) && stripped.at(-1) === 0xd9, 'the stripped one is no JPEG')
    const [, , id] = await peer.event('new', null, null, 'in', '', null, picture.length)
    const copy = join(directory, 'peer-picture.png')
    await peer.call('download', '@carol_interop', id, copy)
    expect(digest(readFileSync(copy)) === digest(picture), 'layer-client\'s picture differs')
  })

  await report.step('receives a photo that layer-client sends', async () => {
    const picture = png(1000, 500)
    const path = join(directory, 'other.png')
    writeFileSync(path, picture)
    await peer.call('photo', '@carol_interop', path)
    const seen = await first.messages.wait(m => m.media?.type === 'photo' && !m.isOutgoing, 'the photo', PATIENCE)
    expect(digest(await first.client.downloadAsBuffer(seen.media)) === digest(picture), 'mtcute\'s picture differs')
  })

  await report.step('has a profile photo, and the second device sees it', async () => {
    const portrait = png(640, 640)
    await first.client.setMyProfilePhoto({ type: 'photo', media: portrait })
    const me = await second.client.getMe()
    const photo = me.photo
    expect(photo, 'no photo')
    expect(digest(await second.client.downloadAsBuffer(photo.big)) === digest(portrait), 'the profile photo differs')
    const photos = await second.client.getProfilePhotos('me')
    expect(photos.length === 1 && digest(await second.client.downloadAsBuffer(photos[0])) === digest(portrait), 'another photo is listed')
  })
}
