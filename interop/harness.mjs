// What harness.py is for the Python scenarios: steps with deadlines, the server under test, a user of layer-client.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const DEADLINE = Number(process.env.INTEROP_DEADLINE ?? 20) * 1000
export const LOGIN_CODE = '22222'

export function expect(condition, message) {
  if (!condition) throw new Error(message)
}

/** The promise's value, or an error that says what did not happen in time. */
export function within(promise, what, milliseconds = DEADLINE) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${milliseconds / 1000} s`)), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Events kept from the first one on, so that a waiter can come after what it waits for. */
export class Events {
  #seen = []
  #waiters = new Set()

  push(event) {
    this.#seen.push(event)
    for (const waiter of this.#waiters) waiter(event)
  }

  get all() {
    return this.#seen
  }

  wait(matches, what, milliseconds) {
    const found = this.#seen.find(matches)
    if (found !== undefined) return Promise.resolve(found)
    let waiter
    const coming = new Promise((resolve) => {
      waiter = event => matches(event) && resolve(event)
      this.#waiters.add(waiter)
    })
    return within(coming, what, milliseconds).finally(() => this.#waiters.delete(waiter))
  }
}

class Abandoned extends Error {}

/** Counts steps. A step that later ones stand on ends its scenario when it fails. */
export class Report {
  passed = 0
  failed = 0

  constructor(suite) {
    this.suite = suite
  }

  async scenario(name, run, ...logs) {
    this.name = `${this.suite} [${name}]`
    const began = performance.now()
    const failedBefore = this.failed
    try {
      await run()
    } catch (error) {
      if (!(error instanceof Abandoned)) {
        this.failed += 1
        console.log(`FAIL ${this.name}: ${error?.stack ?? error}`)
      }
    }
    if (this.failed !== failedBefore) for (const log of logs) console.log(log())
    console.log(`     ${this.name}: ${seconds(began, 1)} s`)
  }

  /** What the step gives, a list of texts, is printed with it. */
  async step(what, run, { essential = false, deadline = 4 * DEADLINE } = {}) {
    const began = performance.now()
    try {
      const notes = await within(run(), what, deadline) ?? []
      this.passed += 1
      console.log(`ok   ${this.name}: ${what} (${[`${seconds(began, 2)} s`, ...notes].join(', ')})`)
    } catch (error) {
      this.failed += 1
      console.log(`FAIL ${this.name}: ${what}: ${error?.stack ?? error}`)
      if (essential) throw new Abandoned()
    }
  }

  finish() {
    console.log(`${this.suite}: ${this.passed} passed, ${this.failed} failed`)
    return this.failed || !this.passed ? 1 : 0
  }
}

function seconds(began, digits) {
  return ((performance.now() - began) / 1000).toFixed(digits)
}

export function tail(path, lines) {
  return readFileSync(path, 'utf8').split('\n').slice(-lines).join('\n')
}

/** A child process whose log goes to a file; it ends with us. */
class Child {
  constructor(command, args, log) {
    this.log = log
    const file = openSync(log, 'w')
    this.process = spawn(command, args, { stdio: ['pipe', 'pipe', file] })
    closeSync(file)
    this.lines = createInterface({ input: this.process.stdout })
    this.ended = once(this.process, 'close')
  }

  async stop() {
    this.process.stdin.end()
    this.process.kill('SIGTERM')
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 5000)
    await this.ended
    clearTimeout(timer)
  }
}

/** The embedded data centre, started as its users start it: the binary. */
export class Server extends Child {
  static async start(directory, ...args) {
    const server = new Server(
      process.env.LAYER_TEST_SERVER,
      ['--listen', '127.0.0.1:0', '--login-code', LOGIN_CODE, '-v', '--control', ...args],
      join(directory, 'server.log'),
    )
    const [line] = await within(
      Promise.race([once(server.lines, 'line'), server.ended.then(() => [''])]), 'the server\'s first line')
    expect(line !== '', `the server ended: ${tail(server.log, 20)}`)
    const ready = JSON.parse(line)
    server.dcs = new Map(ready.dcs.filter(dc => !dc.cdn && !dc.media_only).map(dc => [dc.id, dc.address]))
    server.publicKey = ready.public_key
    server.keyFile = join(directory, 'server.pem')
    writeFileSync(server.keyFile, `${ready.public_key.trim()}\n`)
    return server
  }

  /** A rule that lets something go wrong from now on, or another command of --control; its answer. */
  async command(text) {
    const [line] = await this.#inTurn(() => {
      const answer = once(this.lines, 'line')
      this.process.stdin.write(`${text}\n`)
      return within(answer, `the server's answer to ${text}`)
    })
    const answer = JSON.parse(line)
    expect(answer.error === undefined, `${text}: ${line}`)
    return answer
  }

  #last = Promise.resolve()
  #inTurn(act) {
    this.#last = this.#last.then(act)
    return this.#last
  }

  address(dc) {
    const address = this.dcs.get(dc)
    const colon = address.lastIndexOf(':')
    return { id: dc, ipAddress: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
  }

  /** How often a method was called so far. */
  calls(method) {
    return readFileSync(this.log, 'utf8').split('\n').filter(line => line.includes(method)).length
  }

  diagnosis() {
    return `--- server's log ---\n${tail(this.log, 40)}\n---`
  }
}

/** proxy.py before a server: SOCKS and HTTP CONNECT. */
export class Proxy extends Child {
  static async start(directory, server, { user, password } = {}) {
    const dcs = [...server.dcs].flatMap(([id, address]) => ['--dc', `${id}=${address}`])
    const who = user === undefined ? [] : ['--user', user, '--password', password]
    const script = fileURLToPath(new URL('proxy.py', import.meta.url))
    const proxy = new Proxy('python3', [script, ...dcs, ...who], join(directory, 'proxy.log'))
    const [line] = await within(
      Promise.race([once(proxy.lines, 'line'), proxy.ended.then(() => [''])]), 'the proxy\'s first line')
    expect(line !== '', `the proxy ended: ${tail(proxy.log, 20)}`)
    return Object.assign(proxy, { port: Number(line), user, password })
  }

  /** How many connections of this kind led somewhere. */
  used(kind) {
    const lines = readFileSync(this.log, 'utf8').split('\n')
    return lines.filter(line => line.startsWith(`${kind}: `) && line.includes(' is ')).length
  }

  diagnosis() {
    return `--- proxy's log ---\n${tail(this.log, 20)}\n---`
  }
}

/** A user of layer-client: the example `interop_peer`, driven by tab-separated lines. */
export class Peer extends Child {
  #replies = []
  events = new Events()

  constructor(directory, server, args = [], firstDc = 2) {
    const dcs = [...server.dcs.keys()].sort((a, b) => (b === firstDc) - (a === firstDc))
    super(process.env.LAYER_INTEROP_PEER, [
      '--rsa-key', server.keyFile, '--session', join(directory, 'peer.session'), ...args,
      ...dcs.flatMap(dc => ['--dc', `${dc}=${server.dcs.get(dc)}`]),
    ], join(directory, 'peer.log'))
    this.lines.on('line', (line) => {
      const [kind, ...rest] = line.split('\t')
      if (kind === 'event') this.events.push(rest)
      else this.#replies.shift()?.(kind === 'ok' ? { ok: rest } : { error: rest.join(' ') })
    })
    this.ended.then(() => this.#replies.forEach(reply => reply({ error: 'layer-client\'s process ended' })))
  }

  async call(...words) {
    const reply = new Promise(resolve => this.#replies.push(resolve))
    this.process.stdin.write(`${words.join('\t')}\n`)
    const { ok, error } = await within(reply, `layer-client: ${words[0]}`, 4 * DEADLINE)
    expect(ok, `layer-client: ${words[0]}: ${error}`)
    return ok
  }

  /** Waits for the event that begins with `words` (null stands for any) and gives all of it. */
  event(...words) {
    const matches = event => words.every((word, place) => word === null || String(word) === event[place])
    return this.events.wait(matches, `layer-client's event ${words}`, this.patience)
  }

  diagnosis() {
    return `--- layer-client's log ---\n${tail(this.log, 30)}\n---`
  }
}
