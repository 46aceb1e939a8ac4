// mtcute and a user of layer-client talk while things go wrong on purpose, as faults.json lists them.
// In the end both of mtcute's devices and layer-client have the same messages, none twice and none missing. How long it took until
// everything was where it belongs is printed with each step.

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputMedia } from '@mtcute/node'
import { expect, LOGIN_CODE, within } from './harness.mjs'
import { digest, FILE_BYTES } from './mtcute.mjs'
import { BORIS, CAROL } from './mtcute_passage.mjs'

const EACH_WAY = 30
const PATIENCE = Number(process.env.INTEROP_PATIENCE ?? 90) * 1000
const FAULTS = JSON.parse(readFileSync(new URL('faults.json', import.meta.url)))
  .filter(({ name }) => name.includes(process.env.INTEROP_FAULT ?? ''))

const seconds = began => ((performance.now() - began) / 1000).toFixed(1)

/** Thirty messages each way at a time; a fault while each sixth of ours is on its way. Gives who was done after how long. */
async function talk({ server, peer }, [first, second], name, rules) {
  const began = performance.now()
  const took = []
  const done = who => took.push(`${who} ${seconds(began)}`)
  const ours = Array.from({ length: EACH_WAY }, (_, n) => `${name}: mtcute's ${n}`)
  const theirs = Array.from({ length: EACH_WAY }, (_, n) => `${name}: layer-client's ${n}`)
  const answer = async () => {
    for (const text of theirs) {
      await peer.call('send', '@carol_interop', text).catch((error) => {
        // It is there already, and the answer was lost with its session.
        if (!String(error).includes('RANDOM_ID_DUPLICATE')) throw error
      })
    }
    done('layer-client sent')
  }
  let unanswered = 0
  const ask = async () => {
    for (let n = 0; n < EACH_WAY; n += 6) {
      const sent = ours.slice(n, n + 6).map(text => first.client.sendText('boris_interop', text))
      for (const rule of rules) await server.command(rule)
      // When the session in which it asked is gone it asks anew, is told RANDOM_ID_DUPLICATE, and asks for ever. The message is
      // there all the same, once, which is what counts here.
      const answered = await Promise.all(sent.map(one => within(one, 'an answer', 15_000).then(() => 1, () => 0)))
      unanswered += answered.filter(one => !one).length
    }
    done('mtcute sent')
    if (unanswered) took.push(`${unanswered} of mtcute's never answered`)
  }
  await Promise.all([answer(), ask()])
  // A device that says nothing hears of a lost session with its next ping; and even then mtcute asks for nothing that it missed,
  // until another update does not fit.
  await Promise.all([first, second].map(device => device.client.getMe()))
  theirs.push(`${name}: the end`)
  await peer.call('send', '@carol_interop', theirs.at(-1))
  const hear = async (device, texts) => {
    for (const text of texts) await device.received(text, PATIENCE)
    done(device.name)
  }
  const heard = async () => {
    for (const text of [...ours, ...theirs]) await peer.event('new', null, null, null, text)
    done('layer-client')
  }
  await Promise.all([hear(first, theirs), hear(second, [...ours, ...theirs]), heard()])
  return { texts: [...ours, ...theirs], took }
}

function twice(list) {
  return [...new Set(list.filter((text, place) => list.indexOf(text) !== place))]
}

export async function storm(report, directory, world) {
  const { device, peer, server } = world
  const devices = [device('first'), device('second')]
  const [first, second] = devices
  peer.patience = PATIENCE
  await report.step('signs up; a second device signs in', async () => {
    await first.signUp(CAROL, 'Carol')
    await first.client.setMyUsername('carol_interop')
    await second.enter(CAROL)
    await peer.call('sign_up', BORIS, LOGIN_CODE, 'Boris')
    await peer.call('username', 'boris_interop')
  }, { essential: true })

  await report.step('5 MB up and down while connections are cut', async () => {
    await server.command('in method=upload.* chance=20% times=5: close')
    const bytes = randomBytes(FILE_BYTES)
    await first.client.sendMedia('boris_interop', InputMedia.document(bytes, { fileName: 'from-mtcute.bin' }))
    const [, , id] = await peer.event('new', null, null, 'in', '', 'from-mtcute.bin', FILE_BYTES)
    const copy = join(directory, 'peer-copy.bin')
    await peer.call('download', '@carol_interop', id, copy)
    expect(digest(readFileSync(copy)) === digest(bytes), 'layer-client\'s copy differs')
    const own = await second.messages.wait(m => m.media?.fileName === 'from-mtcute.bin', 'the file', PATIENCE)
    expect(digest(await second.client.downloadAsBuffer(own.media)) === digest(bytes), 'the second device\'s copy differs')
    const others = randomBytes(FILE_BYTES)
    const path = join(directory, 'from-layer-client.bin')
    writeFileSync(path, others)
    await peer.call('upload', '@carol_interop', path)
    const seen = await first.messages.wait(m => m.media?.fileName === 'from-layer-client.bin', 'the file', PATIENCE)
    expect(digest(await first.client.downloadAsBuffer(seen.media)) === digest(others), 'mtcute\'s copy differs')
    await server.command('clear')
  }, { deadline: 2 * PATIENCE })

  const everything = []
  for (const { name, before = [], during = [] } of FAULTS) {
    if (name.includes('temporary') && !world.pfs) continue
    await report.step(name, async () => {
      for (const rule of before) await server.command(rule)
      let talked
      try {
        talked = await talk(world, devices, name, during)
      } finally {
        await server.command('clear')
      }
      everything.push(...talked.texts)
      const told = {
        first: first.messages.all.map(message => message.text),
        second: second.messages.all.map(message => message.text),
        'layer-client': peer.events.all.filter(([kind]) => kind === 'new').map(event => event[4]),
      }
      for (const [who, texts] of Object.entries(told)) {
        const repeated = twice(texts.filter(text => talked.texts.includes(text)))
        expect(!repeated.length, `${who} was told twice: ${repeated}`)
      }
      return talked.took
    }, { deadline: 2 * PATIENCE })
  }

  await report.step('all devices have the same messages in the same order, none twice and none missing', async () => {
    const histories = { 'layer-client': await peer.call('history', '@carol_interop', everything.length + 50) }
    for (const { name, client } of devices) {
      histories[name] = []
      for await (const message of client.iterHistory('boris_interop')) histories[name].push(message.text)
    }
    const texts = who => histories[who].filter(text => text !== '')
    for (const who of Object.keys(histories)) {
      const missing = everything.filter(text => !texts(who).includes(text))
      expect(!missing.length && !twice(texts(who)).length && texts(who).length === everything.length,
        `${who}: ${texts(who).length} of ${everything.length}, missing ${missing}, twice ${twice(texts(who))}`)
      const place = texts(who).findIndex((text, place) => text !== texts('first')[place])
      expect(place < 0, `${who} has another order: ${texts(who).slice(place, place + 3)}, not ${texts('first').slice(place, place + 3)}`)
    }
  })
}
