// mtcute against the embedded data centre, with a user of layer-client beside it.
// `node mtcute_scenario.mjs KIND …`, a kind of KINDS below, with or without `+pfs` behind it; without names, those of ALL. Those
// of FULL go through everything, those with `+faults` through the storm of `mtcute_faults.mjs`, those with `+files` through what can
// happen to files (`mtcute_files.mjs`), the others through the passage of `mtcute_passage.mjs`.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectWs } from '@fuman/net'
import {
  BotKeyboard, HttpProxyTcpTransport, InputMedia, IntermediatePacketCodec, MemoryStorage, MtProxyTcpTransport,
  ObfuscatedPacketCodec, PaddedIntermediatePacketCodec, SocksProxyTcpTransport, TcpTransport,
} from '@mtcute/node'
import { addPublicKey, NodeCryptoProvider } from '@mtcute/node/utils.js'
import { expect, LOGIN_CODE, Peer, Proxy, Report, Server, within } from './harness.mjs'
import { describe, Device, digest, FILE_BYTES, FIRST_DC, refused } from './mtcute.mjs'
import { storm } from './mtcute_faults.mjs'
import { files } from './mtcute_files.mjs'
import { BORIS, CAROL, passage } from './mtcute_passage.mjs'

const PASSWORD = 'correct horse'
const DOMAIN = Buffer.from('example.org').toString('hex')

function withCodec(makeCodec) {
  return class extends TcpTransport {
    packetCodec() {
      return makeCodec()
    }
  }
}

const Padded = withCodec(() => new PaddedIntermediatePacketCodec())
const ObfuscatedPadded = withCodec(() => new ObfuscatedPacketCodec(new PaddedIntermediatePacketCodec()))
const Obfuscated = withCodec(() => new ObfuscatedPacketCodec(new IntermediatePacketCodec()))

/** What mtcute does in a browser, with Node's WebSocket and without TLS. */
class WebSocketTransport {
  connect({ ipAddress, port }) {
    return connectWs({ url: `ws://${ipAddress}:${port}/apiws`, protocols: 'binary' })
  }

  packetCodec() {
    return new ObfuscatedPacketCodec(new IntermediatePacketCodec())
  }
}

function mtproxy({ ipAddress, port }, secret) {
  return new MtProxyTcpTransport({ host: ipAddress, port, secret })
}

function socks({ port, user, password }, version) {
  return new SocksProxyTcpTransport({ host: '127.0.0.1', port, version, user, password })
}

function http({ port, user, password }) {
  return new HttpProxyTcpTransport({ host: '127.0.0.1', port, user, password })
}

/** How mtcute reaches the data centre: from its address, the server's MTProxy secret and our proxy, a transport. */
const KINDS = {
  'intermediate': () => new TcpTransport(),
  'padded': () => new Padded(),
  'obfuscated': () => new Obfuscated(),
  'obfuscated-padded': () => new ObfuscatedPadded(),
  'websocket': () => new WebSocketTransport(),
  'mtproxy': (dc, secret) => mtproxy(dc, secret),
  'mtproxy-dd': (dc, secret) => mtproxy(dc, `dd${secret}`),
  'mtproxy-ee': (dc, secret) => mtproxy(dc, `ee${secret}${DOMAIN}`),
  'socks4': (_dc, _secret, proxy) => socks(proxy, 4),
  'socks5': (_dc, _secret, proxy) => socks(proxy, 5),
  'socks5-password': (_dc, _secret, proxy) => socks(proxy, 5),
  'http': (_dc, _secret, proxy) => http(proxy),
  'http-password': (_dc, _secret, proxy) => http(proxy),
}
const FULL = ['intermediate', 'obfuscated+pfs', 'mtproxy-dd+pfs']
const ALL = [
  ...FULL, 'intermediate+pfs+faults', 'obfuscated+files', 'intermediate+pfs', 'padded', 'padded+pfs', 'obfuscated', 'obfuscated-padded', 'mtproxy', 'mtproxy+pfs',
  'mtproxy-ee', 'mtproxy-ee+pfs', 'websocket', 'websocket+pfs',
  'socks4', 'socks5', 'socks5-password+pfs', 'http+pfs', 'http-password',
]

/** The same way for layer-client, as options of its example. */
function sameWay(name, pfs, world) {
  const { port } = world.server.address(FIRST_DC)
  const secret = { 'mtproxy': '', 'mtproxy-dd': 'dd', 'mtproxy-ee': 'ee' }[name]
  const { user, password, port: through } = world.proxy ?? {}
  const who = user === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
  const way = secret !== undefined
    ? ['--proxy', `tg://proxy?server=127.0.0.1&port=${port}&secret=${secret}${world.secret}${secret === 'ee' ? DOMAIN : ''}`]
    : world.proxy
      ? ['--proxy', `${name.startsWith('http') ? 'http' : 'socks5'}://${who}127.0.0.1:${through}`]
      : ['--transport', { obfuscated: 'obfuscated-intermediate', websocket: 'ws-intermediate' }[name] ?? name]
  return [...way, '--pfs', String(pfs)]
}

async function run(report, kind) {
  const directory = mkdtempSync(join(tmpdir(), 'interop-'))
  const [name, ...more] = kind.split('+')
  const world = { log: [], devices: [], transport: KINDS[name], pfs: more.includes('pfs'), secret: randomBytes(16).toString('hex') }
  try {
    world.server = await Server.start(
      directory, '--mtproxy-secret', world.secret, '--mtproxy-secret', `ee${world.secret}${DOMAIN}`,
      // The CDN serves nothing until it is told to.
      ...(more.includes('files') ? ['--cdn', String(2 ** 40)] : []))
    const through = /^(socks\d|http)(-password)?$/.exec(name)
    if (through) {
      world.proxy = await Proxy.start(directory, world.server, through[2] && { user: 'someone', password: 'a secret: %' })
    }
    // Of files it matters that the two live on different data centres.
    world.peer = new Peer(directory, world.server, sameWay(name, world.pfs, world), more.includes('files') ? 1 : FIRST_DC)
    const crypto = new NodeCryptoProvider()
    await crypto.initialize()
    addPublicKey(crypto, world.server.publicKey, false)
    world.device = (name, options) => {
      const device = new Device(world, name, options)
      world.devices.push(device)
      return device
    }
    // mtcute cannot read a packet that comes in more than one record of FakeTLS.
    world.smallOnly = name === 'mtproxy-ee'
    await report.scenario(kind, async () => {
      await (more.includes('faults') ? storm : more.includes('files') ? files : FULL.includes(kind) ? scenario : passage)(report, directory, world)
      await report.step('went the way that it was told to', async () => {
        if (through) expect(world.proxy.used(through[1]) > 0, 'no connection through the proxy')
        const bound = world.server.calls('auth.bindTempAuthKey')
        expect(bound > 0 === world.pfs, `${bound} temporary keys were bound`)
      })
    }, () => world.server.diagnosis(), () => world.peer.diagnosis(), () => world.proxy?.diagnosis() ?? '',
      () => `--- mtcute's log ---\n${world.log.slice(-Number(process.env.INTEROP_TAIL ?? 60)).join('\n')}\n---`)
  } catch (error) {
    report.failed += 1
    console.log(`FAIL ${report.suite} [${kind}]: ${error?.stack ?? error}`)
  } finally {
    for (const { client } of world.devices) await within(client.destroy(), 'mtcute closes', 5000).catch(() => {})
    await world.peer?.stop()
    await world.proxy?.stop()
    await world.server?.stop()
    rmSync(directory, { recursive: true })
  }
}

async function scenario(report, directory, world) {
  const { device, peer } = world
  const first = device('first')
  const second = device('second')
  let third = device('third')
  let boris

  // Signing up and in
  await report.step('signs up', async () => {
    await first.requestCode(CAROL)
    await refused(first.signIn('11111'), 'PHONE_CODE_INVALID')
    await first.signUp(CAROL, 'Carol', 'Clark')
    const me = await first.client.getMe()
    expect(me.firstName === 'Carol' && me.phoneNumber === CAROL.slice(1), `getMe: ${describe(me.raw)}`)
  }, { essential: true })

  await report.step('signs in with a code on a second device', () => second.enter(CAROL), { essential: true })

  await report.step('sets a 2FA password', () =>
    first.client.enableCloudPassword({ password: PASSWORD, hint: 'a horse' }))

  await report.step('is asked for the password on a third device; a wrong one is refused', async () => {
    await third.requestCode(CAROL)
    await refused(third.signIn(LOGIN_CODE), 'SESSION_PASSWORD_NEEDED')
    await refused(third.client.checkPassword('wrong horse'), 'PASSWORD_HASH_INVALID')
  })

  await report.step('signs in with the password', async () => {
    const me = await third.client.checkPassword(PASSWORD)
    expect(me.firstName === 'Carol', `signed in as ${me.displayName}`)
    await third.listen()
  })

  // Talking with layer-client
  await report.step('layer-client signs up beside it', async () => {
    boris = Number((await peer.call('sign_up', BORIS, LOGIN_CODE, 'Boris'))[0])
    await peer.call('username', 'boris_interop')
  }, { essential: true })

  await report.step('finds layer-client\'s user by name and by phone number', async () => {
    const user = await first.client.getUser('boris_interop')
    expect(user.id === boris, `user ${user.id}, expected ${boris}`)
    const byPhone = await first.client.resolvePhoneNumber(BORIS)
    expect(byPhone.userId === boris, `by phone number: ${describe(byPhone)}`)
    await first.client.setMyUsername('carol_interop')
  }, { essential: true })

  let sent, sentId
  await report.step('sends a text to layer-client, the other devices see it', async () => {
    sent = await first.client.sendText('boris_interop', 'hello from mtcute')
    sentId = (await peer.event('new', null, null, 'in', 'hello from mtcute'))[2]
    for (const other of [second, third]) {
      expect((await other.received('hello from mtcute')).isOutgoing, 'seen as incoming')
    }
  })

  let received
  await report.step('receives a text from layer-client, on every device', async () => {
    received = (await peer.call('send', '@carol_interop', 'hello from layer-client'))[0]
    for (const each of [first, second, third]) {
      const message = await each.received('hello from layer-client')
      expect(!message.isOutgoing && message.sender.id === boris, `from ${message.sender.id}`)
    }
  })

  await report.step('lists its dialogs', async () => {
    for (const each of [first, third]) {
      const titles = []
      for await (const dialog of each.client.iterDialogs()) titles.push(dialog.peer.displayName)
      expect(titles.includes('Boris'), `dialogs: ${titles}`)
    }
  })

  await report.step('reads the history', async () => {
    const texts = (await second.client.getHistory('boris_interop')).map(message => message.text)
    expect(texts.join() === 'hello from layer-client,hello from mtcute', `history: ${texts}`)
  })

  await report.step('edits a message; layer-client sees it', async () => {
    await first.client.editMessage({ message: sent, text: 'edited by mtcute' })
    await peer.event('edited', null, sentId, null, 'edited by mtcute')
    await second.edits.wait(message => message.text === 'edited by mtcute', 'the second device sees the edit')
  })

  await report.step('sees a message that layer-client edits', async () => {
    await peer.call('edit', '@carol_interop', received, 'edited by layer-client')
    await first.edits.wait(message => message.text === 'edited by layer-client', 'the edit')
  })

  await report.step('deletes a message; layer-client and the second device see it', async () => {
    await first.client.deleteMessages([sent])
    await peer.event('deleted', sentId)
    await second.deletions.wait(update => update.messageIds.includes(sent.id), 'the second device sees the deletion')
  })

  await report.step('sees layer-client delete a message', async () => {
    const [doomed] = await peer.call('send', '@carol_interop', 'soon gone')
    const { id } = await first.received('soon gone')
    await peer.call('delete', '@carol_interop', doomed)
    await first.deletions.wait(update => update.messageIds.includes(id), 'the deletion')
  })

  // Files
  await report.step('uploads a file of 5 MB; layer-client downloads it', async () => {
    const bytes = randomBytes(FILE_BYTES)
    await first.client.sendMedia('boris_interop', InputMedia.document(bytes, { fileName: 'from-mtcute.bin' }))
    const [, , id] = await peer.event('new', null, null, 'in', '', 'from-mtcute.bin', FILE_BYTES)
    const copy = join(directory, 'peer-copy.bin')
    await peer.call('download', '@carol_interop', id, copy)
    expect(digest(readFileSync(copy)) === digest(bytes), 'layer-client\'s copy differs')
    const seen = await second.messages.wait(m => m.media?.fileName === 'from-mtcute.bin', 'the file')
    expect(digest(await second.client.downloadAsBuffer(seen.media)) === digest(bytes), 'the second device\'s copy differs')
  })

  await report.step('downloads a file of 5 MB that layer-client uploaded', async () => {
    const bytes = randomBytes(FILE_BYTES)
    const path = join(directory, 'from-layer-client.bin')
    writeFileSync(path, bytes)
    await peer.call('upload', '@carol_interop', path)
    const seen = await first.messages.wait(m => m.media?.fileName === 'from-layer-client.bin', 'the file')
    expect(digest(await first.client.downloadAsBuffer(seen.media)) === digest(bytes), 'mtcute\'s copy differs')
  })

  // Chats of more than two
  await report.step('makes a group with layer-client and talks there', async () => {
    const { chat } = await first.client.createGroup({ title: 'A group', users: ['boris_interop'] })
    await first.client.sendText(chat, 'hello, group')
    const [, place] = await peer.event('new', null, null, 'in', 'hello, group')
    await peer.call('send', place, 'hello from the group')
    expect((await first.received('hello from the group')).chat.id === chat.id, 'another chat')
    await second.received('hello from the group')
  })

  await report.step('makes a channel, invites layer-client and posts there', async () => {
    const chat = await first.client.createChannel({ title: 'A channel' })
    await first.client.addChatMembers(chat, 'boris_interop', {})
    await first.client.sendText(chat, 'a post')
    await peer.event('new', null, null, null, 'a post')
    await second.received('a post')
  })

  // Bots
  await bots(report, world, first)

  // Away and back
  await report.step('comes back with its storage and catches up with what happened meanwhile', async () => {
    const texts = Array.from({ length: 30 }, (_, n) => `while you were away ${n}`)
    const storage = new MemoryStorage()
    const before = device('before', { storage })
    await before.enter(CAROL, PASSWORD)
    const me = await before.client.getMe()
    await before.client.destroy()
    for (const text of texts) await peer.call('send', '@carol_interop', text)
    const after = device('after', { storage })
    await after.listen()
    for (const text of texts) await after.received(text)
    expect((await after.client.getMe()).id === me.id, 'another account')
  })

  await report.step('follows its account to the data centre where it lives', async () => {
    const wanderer = device('wanderer', { firstDc: 1 })
    await wanderer.enter(CAROL, PASSWORD)
    expect(await wanderer.client.getPrimaryDcId() === FIRST_DC, 'it did not move')
    await peer.call('send', '@carol_interop', 'wherever you are')
    await wanderer.received('wherever you are')
  })

  await report.step('carries its session over as a string', async () => {
    const session = await second.client.exportSession()
    const heir = device('heir')
    await heir.client.importSession(session)
    expect((await heir.client.getMe()).firstName === 'Carol', 'another account')
  })

  await report.step('logs out; signs in again with the password', async () => {
    await third.client.logOut()
    third = device('fourth')
    await third.enter(CAROL, PASSWORD)
    expect((await third.client.getMe()).firstName === 'Carol', 'another account')
  })
}

/** A bot made by the real conversation, run by mtcute; its button pressed by mtcute and by layer-client. */
async function bots(report, world, user) {
  const { device, peer } = world
  const bot = device('bot')

  await report.step('makes a bot with @BotFather and signs in as it', async () => {
    const father = await user.client.getUser('BotFather')
    const answer = async (text) => {
      const sent = await user.client.sendText('BotFather', text)
      return user.messages.wait(
        message => message.chat.id === father.id && !message.isOutgoing && message.id > sent.id,
        `BotFather answers "${text}"`)
    }
    await answer('/newbot')
    await answer('Interop')
    const done = await answer('interop_test_bot')
    const token = /\d+:[\w-]{30,}/.exec(done.text)?.[0]
    expect(token, `no token in ${JSON.stringify(done.text)}`)
    const me = await bot.client.signInBot(token)
    expect(me.isBot && me.username === 'interop_test_bot', `signed in as ${describe(me.raw)}`)
    await bot.listen()
    bot.client.onNewMessage.add(async (message) => {
      if (message.isOutgoing || message.text !== '/start') return
      await bot.client.sendText(message.chat, 'Press one', {
        replyMarkup: BotKeyboard.inline([[BotKeyboard.callback('Yes', 'yes'), BotKeyboard.callback('No', 'no')]]),
      }).catch(error => world.log.push(`bot: ${error?.stack ?? error}`))
    })
    bot.client.onCallbackQuery.add(async (query) => {
      await bot.client.answerCallbackQuery(query.id, { text: `you chose ${query.dataStr}`, alert: query.dataStr === 'no' })
        .catch(error => world.log.push(`bot: ${error?.stack ?? error}`))
    })
  })

  await report.step('its button is pressed by mtcute', async () => {
    await user.client.sendText('interop_test_bot', '/start')
    const message = await user.received('Press one')
    const button = BotKeyboard.findButton(message.markup.buttons, 'Yes')
    const pressed = await user.client.getCallbackAnswer({ message, data: button.data })
    expect(pressed.message === 'you chose yes' && !pressed.alert, `the answer: ${describe(pressed)}`)
  })

  await report.step('its button is pressed by layer-client', async () => {
    await peer.call('send', '@interop_test_bot', '/start')
    const [, , id] = await peer.event('new', null, null, 'in', 'Press one')
    const [text, alert] = await peer.call('press', '@interop_test_bot', id, 'no')
    expect(text === 'you chose no' && alert === 'alert', `the answer: ${text} ${alert}`)
  })
}

const kinds = process.argv.slice(2)
for (const kind of kinds) {
  expect(/^[^+]+(\+pfs)?(\+faults|\+files)?$/.test(kind) && kind.split('+')[0] in KINDS, `${kind} is none of ${Object.keys(KINDS).join(', ')}`)
}
const report = new Report('mtcute 0.28.2')
for (const kind of kinds.length ? kinds : ALL) await run(report, kind)
process.exit(report.finish())
