// A small driver of mtcute: a client with everything it was told, as one of an account's devices.

import { createHash } from 'node:crypto'
import { MemoryStorage, TelegramClient } from '@mtcute/node'
import { Events, expect, LOGIN_CODE } from './harness.mjs'

export const FILE_BYTES = 5_000_000
export const FIRST_DC = 2

export const digest = bytes => createHash('sha256').update(bytes).digest('hex')

/** One mtcute client and everything it was told. */
export class Device {
  messages = new Events()
  edits = new Events()
  deletions = new Events()
  caughtUp = new Events()

  constructor(world, name, { storage = new MemoryStorage(), firstDc = FIRST_DC } = {}) {
    this.world = world
    this.name = name
    const dc = world.server.address(firstDc)
    this.client = new TelegramClient({
      apiId: 12345,
      apiHash: '0123456789abcdef0123456789abcdef',
      storage,
      transport: world.transport(dc, world.secret, world.proxy),
      defaultDcs: { main: dc, media: dc },
      network: { usePfs: world.pfs },
      updates: { catchUp: true },
      logLevel: Number(process.env.INTEROP_MTCUTE_LOG ?? 3),
    })
    this.client.log.mgr.handler = (_color, level, tag, format, args) => {
      const rest = [...args]
      const text = format.replace(/%[a-zA-Z]/g, () => describe(rest.shift()))
      world.log.push(`${new Date().toISOString().slice(11, 23)} ${name} ${level} [${tag}] ${text}`.slice(0, 2000))
    }
    let updating = false
    this.client.onConnectionState.add((state) => {
      if (updating && state === 'connected') this.caughtUp.push(state)
      updating = state === 'updating'
    })
    this.client.onError.add(error => world.log.push(`${name} error: ${error?.stack ?? error}`))
    this.client.onNewMessage.add(message => this.messages.push(message))
    this.client.onEditMessage.add(message => this.edits.push(message))
    this.client.onDeleteMessage.add(update => this.deletions.push(update))
  }

  received(text, milliseconds) {
    return this.messages.wait(message => message.text === text, `${this.name} receives "${text}"`, milliseconds)
  }

  async requestCode(phone) {
    this.phone = phone
    this.sent = await this.client.sendCode({ phone })
  }

  /** Signs up, and hears updates from then on. */
  async signUp(phone, firstName, lastName = '') {
    await this.requestCode(phone)
    const { phoneCodeHash } = this.sent
    const phoneNumber = phone.slice(1)
    const wanted = await this.client.call({ _: 'auth.signIn', phoneNumber, phoneCodeHash, phoneCode: LOGIN_CODE })
    expect(wanted._ === 'auth.authorizationSignUpRequired', `auth.signIn: ${wanted._}`)
    const auth = await this.client.call({ _: 'auth.signUp', phoneNumber, phoneCodeHash, firstName, lastName })
    await this.client.notifyLoggedIn(auth)
    await this.listen()
  }

  signIn(phoneCode) {
    return this.client.signIn({ phone: this.phone, phoneCodeHash: this.sent.phoneCodeHash, phoneCode })
  }

  /** Hears updates from now on. mtcute passes over those that come before it has asked for the state. */
  async listen() {
    await this.client.connect()
    await this.client.startUpdatesLoop()
    await this.caughtUp.wait(() => true, `${this.name} is up to date`)
  }

  /** Asks for a code and signs in with it, with what comes after: a password. */
  async enter(phone, password) {
    await this.requestCode(phone)
    if (password === undefined) await this.signIn(LOGIN_CODE)
    else {
      await refused(this.signIn(LOGIN_CODE), 'SESSION_PASSWORD_NEEDED')
      await this.client.checkPassword(password)
    }
    await this.listen()
  }
}

export function describe(value) {
  if (value instanceof Error) return value.stack
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (typeof value !== 'object') return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return String(value)
  }
}

export async function refused(promise, text) {
  let outcome
  try {
    outcome = await promise
  } catch (error) {
    expect(error.text === text, `expected ${text}, got ${error}`)
    return
  }
  throw new Error(`expected ${text}, but it was taken: ${outcome}`)
}
