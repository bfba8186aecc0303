// PostgreSQL's wire protocol in front of one PGlite backend (PostgreSQL and TimescaleDB in WebAssembly), for tests.
//
// Listens on a free port of loopback, prints `ready <port>`, and ends when its standard input does, so that it never
// outlives the test run. There is one backend and one session: a client keeps the backend while its transaction is
// open, others wait, not for ever. What the backend cannot do is done here: start-up and its parameters, refusing TLS,
// prepared statements and notifications of each client's own, and COPY FROM STDIN, which the backend takes only with all
// of its rows in one call. An argument: the folder that keeps its files, else they are in memory.
import net from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { timescaledb } from '@electric-sql/pglite/timescaledb'
import { btree_gist } from '@electric-sql/pglite/contrib/btree_gist'

const TLS_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102
const LONGEST_BATCH_BYTES = 12288 // of many statements the backend takes 24 KiB at a time, and quietly forgets the rest
const LONGEST_WAIT_MS = Number(process.env.VELDWATCH_TEST_PATIENCE_MS ?? 5000)
const LOST_BACKEND = /unreachable|memory|Exit/i
const EX_SOFTWARE = 70

const database = await PGlite.create({ dataDir: process.argv[2], extensions: { timescaledb, btree_gist } })
await database.exec("SET timezone = 'UTC'; SET client_min_messages = notice; CREATE EXTENSION IF NOT EXISTS timescaledb")
const { rows } = await database.query('SHOW server_version')

const text = (string) => Buffer.from(`${string}\0`)

function message(type, body) {
  const head = Buffer.alloc(5)
  head.write(type, 0)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const FLUSH = message('H', Buffer.alloc(0))

const GREETING = Buffer.concat([
  message('R', Buffer.from([0, 0, 0, 0])),
  ...Object.entries({
    server_version: rows[0].server_version,
    server_encoding: 'UTF8',
    client_encoding: 'UTF8',
    DateStyle: 'ISO, MDY',
    TimeZone: 'UTC',
    IntervalStyle: 'postgres',
    integer_datetimes: 'on',
    standard_conforming_strings: 'on',
    is_superuser: 'on',
    session_authorization: 'postgres',
  }).map(([name, value]) => message('S', Buffer.concat([text(name), text(value)]))),
  message('K', Buffer.alloc(8)),
  message('Z', Buffer.from('I')),
])

function* messages(buffer) {
  for (let at = 0; at + 5 <= buffer.length; ) {
    const length = buffer.readInt32BE(at + 1) + 1
    yield { type: String.fromCharCode(buffer[at]), bytes: buffer.subarray(at, at + length) }
    at += length
  }
}

class OutOfPatience extends Error {
  constructor() {
    super('the only backend of this test server is held by an open transaction of another client')
  }
}

function refusal(error) {
  const fields = ['SFATAL', 'VFATAL', 'C55P03', `M${error.message}`].map(text)
  return message('E', Buffer.concat([...fields, Buffer.from([0])]))
}

// Whose turn it is: the client whose transaction is open, then those who wait, first come first served.
const turn = {
  owner: null,
  waiting: [],
  take(client) {
    if (this.owner === null || this.owner === client) {
      this.owner = client
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const one = { client, resolve }
      // A test whose own connection is idle in a transaction would wait for itself until its time is over.
      one.timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(one), 1)
        reject(new OutOfPatience())
      }, LONGEST_WAIT_MS)
      this.waiting.push(one)
    })
  },
  give(client) {
    if (this.owner !== client) return
    const next = this.waiting.shift()
    this.owner = next ? next.client : null
    clearTimeout(next?.timer)
    next?.resolve()
  },
}

// Give a prepared statement a name of its client's own: 'S' in Describe and Close names one, 'P' a portal.
function withOwnName(type, bytes, prefix) {
  const after = (at) => bytes.indexOf(0, at) + 1
  const at = { P: 5, B: after(5), D: bytes[5] === 83 ? 6 : 0, C: bytes[5] === 83 ? 6 : 0 }[type] ?? 0
  if (at === 0 || bytes[at] === 0) return bytes
  return message(type, Buffer.concat([bytes.subarray(5, at), Buffer.from(prefix), bytes.subarray(at)]))
}

const clients = new Set()

class Client {
  static count = 0

  constructor(socket) {
    this.socket = socket
    this.prefix = `c${++Client.count}_`
    this.channels = new Set()
    clients.add(this)
    this.status = 'I' // transaction status as in ReadyForQuery; 'P': a pipeline is not answered yet
    this.received = Buffer.alloc(0)
    this.started = false
    this.batch = []
    this.copy = null
  }

  async run(bytes) {
    await turn.take(this)
    const reply = Buffer.from(await database.execProtocolRaw(new Uint8Array(bytes)))
    const kept = []
    for (const { type, bytes: part } of messages(reply)) {
      if (type === 'Z') this.status = String.fromCharCode(part[5])
      if (type === 'A') notify(part)
      else kept.push(part)
    }
    if (this.status === 'I') turn.give(this)
    return Buffer.concat(kept)
  }

  async feed(chunk) {
    this.received = Buffer.concat([this.received, chunk])
    while (this.started || this.start()) {
      if (this.received.length < 5) return
      const length = this.received.readInt32BE(1) + 1
      if (this.received.length < length) return
      const bytes = this.received.subarray(0, length)
      this.received = this.received.subarray(length)
      await this.accept(String.fromCharCode(bytes[0]), bytes)
    }
  }

  // Answer start-up packets; true once the session has begun.
  start() {
    if (this.received.length < 8) return false
    const length = this.received.readInt32BE(0)
    if (this.received.length < length) return false
    const code = this.received.readInt32BE(4)
    this.received = this.received.subarray(length)
    if (code === TLS_REQUEST || code === GSS_REQUEST) {
      this.socket.write('N')
      return this.start()
    }
    if (code === CANCEL_REQUEST) {
      this.socket.end()
      return false
    }
    this.started = true
    this.socket.write(GREETING)
    return true
  }

  async accept(type, bytes) {
    if (type === 'X') this.socket.end()
    else if (this.copy) await this.acceptCopy(type, bytes)
    else if (type === 'Q') await this.acceptQuery(bytes)
    else await this.acceptExtended(type, bytes)
  }

  async acceptCopy(type, bytes) {
    if (type === 'H' || type === 'S') return
    this.copy.push(bytes)
    if (type !== 'c' && type !== 'f') return
    const reply = await this.run(Buffer.concat(this.copy))
    this.copy = null
    this.socket.write(Buffer.concat([...messages(reply)].filter((part) => part.type !== 'G').map((part) => part.bytes)))
  }

  async acceptQuery(bytes) {
    const sql = bytes.subarray(5, -1).toString()
    const copy = /^\s*copy\s[\s\S]*\sfrom\s+stdin(?<options>[\s\S]*)/i.exec(sql)
    if (copy) {
      this.copy = [bytes]
      // The number of columns is not known here; drivers use only the format.
      this.socket.write(message('G', Buffer.from([/binary/i.test(copy.groups.options) ? 1 : 0, 0, 0])))
      return
    }
    const reply = await this.run(Buffer.concat([...this.batch, bytes]))
    this.batch = []
    this.socket.write(reply)
    for (const [, channel] of sql.matchAll(/^\s*listen\s+"?(\w+)/gi)) this.channels.add(channel)
  }

  async acceptExtended(type, bytes) {
    if (type === 'P') {
      const statement = bytes.subarray(bytes.indexOf(0, 5) + 1).toString()
      const listens = /^\s*listen\s+"?(\w+)/i.exec(statement)
      if (listens) this.channels.add(listens[1])
    }
    this.batch.push(withOwnName(type, bytes, this.prefix))
    const ends = type === 'S' || type === 'H'
    if (!ends) this.status = 'P'
    const size = this.batch.reduce((sum, part) => sum + part.length, 0)
    if (!ends && (size <= LONGEST_BATCH_BYTES || type !== 'E')) return
    if (!ends) this.batch.push(FLUSH)
    const reply = await this.run(Buffer.concat(this.batch))
    this.batch = []
    if (reply.length) this.socket.write(reply)
  }

  async leave() {
    clients.delete(this)
    if (this.status !== 'I' && turn.owner === this) await this.run(message('Q', text('ROLLBACK')))
    turn.give(this)
  }
}

// What the one session hears, those hear who listen: one message each, between others.
function notify(bytes) {
  const channel = bytes.subarray(9, bytes.indexOf(0, 9)).toString()
  for (const client of clients) if (client.channels.has(channel)) client.socket.write(bytes)
}

function serve(socket) {
  const client = new Client(socket)
  let work = Promise.resolve()
  const then = (step) => {
    work = work.then(step).catch((error) => {
      console.error(`client: ${error.message}`)
      if (error instanceof OutOfPatience) socket.end(refusal(error))
      else socket.destroy()
      if (LOST_BACKEND.test(String(error))) process.exit(EX_SOFTWARE)
    })
  }
  socket.setNoDelay(true)
  socket.on('data', (chunk) => then(() => client.feed(chunk)))
  socket.on('error', () => {})
  socket.on('close', () => then(() => client.leave()))
}

const server = net.createServer(serve)
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
