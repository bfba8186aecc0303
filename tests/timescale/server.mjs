// PostgreSQL's wire protocol in front of one PGlite backend (PostgreSQL and TimescaleDB in WebAssembly), for tests.
//
// Listens on a free port of loopback, prints `ready <port>`, and ends when its standard input does, so that it never
// outlives the test run. A line there, `reset`, ends every client and all that the session kept, and prints `ready` anew.
// There is one backend and one session: a client keeps the backend while its transaction is open, others wait, not for
// ever. A transaction that is idle and has only read does not keep it: at READ COMMITTED each statement sees what is
// committed when it begins, so that it can be ended, and begun anew when its client goes on. What the backend cannot do
// is done here: start-up, logging in as a role (whoever says so is believed), refusing TLS, settings, prepared statements
// and notifications of each client's own, and COPY FROM STDIN, which the backend takes only with all of its rows in one
// call. An argument: the folder that keeps its files, else they are in memory.
import net from 'node:net'
import readline from 'node:readline'
import { PGlite } from '@electric-sql/pglite'
import { timescaledb } from '@electric-sql/pglite/timescaledb'
import { btree_gist } from '@electric-sql/pglite/contrib/btree_gist'

const NAME = 'template1' // the backend's only database, whatever it is asked for
const TLS_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102
const LONGEST_BATCH_BYTES = 12288 // of many statements the backend takes 24 KiB at a time, and quietly forgets the rest
const INPUT_BYTES = 8192 // it reads so much at a time, and takes a message that ends just there for the last one
const LONGEST_WAIT_MS = Number(process.env.VELDWATCH_TEST_PATIENCE_MS ?? 5000)
const SHORT_PAUSE_MS = 5 // between statements of one transaction, of a client that is not idle
const LOST_BACKEND = /unreachable|memory|Exit/i
const EX_SOFTWARE = 70
// What a transaction would lose if it were ended and begun anew, as far as its own statements tell; a lock that is shared
// keeps nobody away here.
const KEEPS_STATE = /\b(set\s+(local|transaction|constraints)|set_config|savepoint|declare|lock)|advisory_(xact_)?lock\s*\(/i
const SETS = /(^|;)\s*(set|reset|discard)\b|set_config/i
const TEMPORARY = /\b(temp|temporary|pg_temp)\b/i
const HAS_ONLY_READ = `
  SELECT current_setting('transaction_read_only') AS read_only
  WHERE pg_current_xact_id_if_assigned() IS NULL AND current_setting('transaction_isolation') = 'read committed'`

const database = await PGlite.create({ dataDir: process.argv[2], extensions: { timescaledb, btree_gist } })
// The backend is started for a browser: without sequential scans, with a search path of its own, telling everything.
const SESSION = `
  SET timezone = 'UTC'; SET search_path = "$user", public; SET enable_seqscan = on;
  SET client_min_messages = notice; SET log_min_messages = fatal`
const AS_AT_FIRST = `SET SESSION AUTHORIZATION postgres; RESET ROLE; RESET ALL; ${SESSION}`
const TOLD = `
  SELECT name, setting FROM pg_settings WHERE source = 'session' AND context IN ('user', 'superuser')
  UNION ALL SELECT 'role', current_setting('role') WHERE current_setting('role') <> 'none'
  UNION ALL SELECT 'session_authorization', session_user WHERE session_user <> 'postgres'`
// Of a database that was kept the extension is there; what loads its library elsewhere (shared_preload_libraries) is not,
// and without the library chunks that are compressed are empty.
const kept = await database.query("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
for (const { extversion } of kept.rows)
  await database.exec(`
    CREATE FUNCTION pg_temp.load() RETURNS void LANGUAGE C AS '$libdir/timescaledb-${extversion}', 'ts_post_load_init';
    SELECT pg_temp.load();
    DROP FUNCTION pg_temp.load()`)
await database.exec(`CREATE EXTENSION IF NOT EXISTS timescaledb; ${AS_AT_FIRST}`)
const { rows } = await database.query('SHOW server_version')

const text = (string) => Buffer.from(`${string}\0`)

function message(type, body) {
  const head = Buffer.alloc(5)
  head.write(type, 0)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const FLUSH = message('H', Buffer.alloc(0))

// psycopg says so after a ROLLBACK or DROP, of its own statements: here it would be those of all clients.
const FORGETS_ALL = /^deallocate all\0/i
const FORGETS_NOTHING = message('Q', text('UNLISTEN nothing'))

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

class Refused extends Error {
  constructor(state, reason) {
    super(reason)
    this.state = state
  }
}

function refusal(error) {
  const fields = ['SFATAL', 'VFATAL', `C${error.state}`, `M${error.message}`].map(text)
  return message('E', Buffer.concat([...fields, Buffer.from([0])]))
}

// Whose turn it is: the client whose transaction is open, then those who wait, first come first served.
const turn = {
  owner: null,
  waiting: [],
  lastUse: 0, // of the backend, by its owner
  offering: null, // while the owner is being looked at
  async take(client) {
    await this.offering // the owner itself has to know whether it still is
    if (this.owner === null || this.owner === client) {
      this.owner = client
      client.busy = true
      return undefined
    }
    return new Promise((resolve, reject) => {
      const one = { client, resolve, reject }
      // A test whose own connection is idle in a transaction would wait for itself until its time is over. Idle: a long
      // statement, or one after another, is none.
      const look = () => {
        const left = LONGEST_WAIT_MS - (performance.now() - this.lastUse)
        if (left <= 0) this.refuse(one)
        else one.timer = setTimeout(look, left)
      }
      one.timer = setTimeout(look, LONGEST_WAIT_MS)
      this.waiting.push(one)
      this.offer()
    })
  },
  // Let those who wait come first where the owner is idle in a transaction that would not notice.
  offer() {
    const { owner } = this
    if (!owner || this.waiting.length === 0 || owner.busy || owner.status !== 'T' || owner.keepsState) return
    owner.busy = true
    this.offering = this.suspend(owner).finally(() => (this.offering = null))
  },
  async suspend(owner) {
    const { rows } = await database.query(HAS_ONLY_READ)
    owner.busy = false
    if (rows.length === 0) return
    await database.exec('COMMIT')
    owner.suspended = rows[0].read_only === 'on' ? 'BEGIN READ ONLY' : 'BEGIN'
    this.give(owner)
  },
  refuse(one) {
    clearTimeout(one.timer)
    this.waiting.splice(this.waiting.indexOf(one), 1)
    one.reject(new Refused('55P03', 'the only backend of this test server is held by an open transaction of another client'))
  },
  give(client) {
    if (this.owner !== client) return
    const next = this.waiting.shift()
    this.owner = next ? next.client : null
    if (next) next.client.busy = true
    clearTimeout(next?.timer)
    next?.resolve()
  },
}

// Whose settings the one session has: each client's are its own, as if it had a session.
const session = {
  of: null,
  async becomes(client) {
    if (this.of === client) return
    const last = this.of
    this.of = client
    if (last?.told) {
      if (!last.ended) last.settings = (await database.query(TOLD)).rows
      await database.exec(AS_AT_FIRST)
    }
    // The role last: what only a superuser may set comes before.
    for (const { name, setting } of client.settings) {
      await database.query('SELECT set_config($1, $2, false)', [name, setting])
    }
  },
}

const FIRST = { told: false, settings: [] } // as if nobody had told the session anything

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
    this.statements = new Map() // prepared ones, by their names
    clients.add(this)
    this.status = 'I' // transaction status as in ReadyForQuery; 'P': a pipeline is not answered yet
    this.received = Buffer.alloc(0)
    this.started = false
    this.batch = []
    this.copy = null
    this.ended = false
    this.busy = false // a statement of its own runs, or it is being looked at
    this.user = 'postgres'
    this.temporary = false // it may have made temporary tables or functions
    this.told = false // it may have changed settings of its session
    this.settings = [] // name and value of those, while another has the session
    this.keepsState = false // its transaction would notice if it were ended and begun anew
    this.suspended = null // how to begin its transaction anew
    this.work = Promise.resolve() // what it sent, one after the other
  }

  async run(bytes) {
    await turn.take(this)
    await session.becomes(this)
    if (this.suspended) await database.exec(this.suspended)
    this.suspended = null
    const reply = Buffer.from(await database.execProtocolRaw(new Uint8Array(bytes)))
    this.busy = false
    turn.lastUse = performance.now()
    const kept = []
    for (const { type, bytes: part } of messages(reply)) {
      if (type === 'Z') this.status = String.fromCharCode(part[5])
      if (type === 'A') notify(part)
      else kept.push(part)
    }
    if (this.status === 'I') {
      this.keepsState = false
      turn.give(this)
    } else {
      setTimeout(() => turn.offer(), SHORT_PAUSE_MS)
    }
    return Buffer.concat(kept)
  }

  async feed(chunk) {
    this.received = Buffer.concat([this.received, chunk])
    while (!this.ended && (this.started || (await this.start()))) {
      if (this.received.length < 5) return
      const length = this.received.readInt32BE(1) + 1
      if (this.received.length < length) return
      const bytes = this.received.subarray(0, length)
      this.received = this.received.subarray(length)
      await this.accept(String.fromCharCode(bytes[0]), bytes)
    }
  }

  // Answer start-up packets; true once the session has begun.
  async start() {
    if (this.received.length < 8) return false
    const length = this.received.readInt32BE(0)
    if (this.received.length < length) return false
    const code = this.received.readInt32BE(4)
    const words = this.received.subarray(8, length).toString().split('\0')
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
    await this.logIn(Object.fromEntries(words.flatMap((word, at) => (at % 2 ? [] : [[word, words[at + 1]]]))))
    this.socket.write(GREETING)
    return true
  }

  // Whoever says that he is a role is believed. His settings are those of the role, then those of the connection.
  async logIn({ user, database: name = user, options = '' }) {
    if (name !== NAME) throw new Refused('3D000', `database "${name}" does not exist`)
    const given = [...options.matchAll(/-c\s*([\w.]+)=((?:\\.|\S)*)/g)]
      .map(([, name, value]) => ({ name, setting: value.replaceAll(/\\(.)/g, '$1') }))
      .filter(({ name, setting }) => !(name.toLowerCase() === 'timezone' && setting === 'UTC'))
    if (user === 'postgres' && given.length === 0) return
    await turn.take(this)
    try {
      await session.becomes(this)
      const query = 'SELECT rolcanlogin, rolconfig, rolconnlimit FROM pg_roles WHERE rolname = $1'
      const { rows } = await database.query(query, [user])
      if (!rows[0]?.rolcanlogin) throw new Refused('28000', `role "${user}" is not permitted to log in`)
      const others = [...clients].filter((client) => client.user === user).length
      if (rows[0].rolconnlimit >= 0 && others >= rows[0].rolconnlimit) {
        throw new Refused('53300', `too many connections for role "${user}"`)
      }
      this.user = user
      const ofRole = (rows[0].rolconfig ?? []).map((line) => {
        const [name, ...rest] = line.split('=')
        return { name, setting: rest.join('=') }
      })
      this.told = true
      for (const { name, setting } of [...ofRole, ...given]) {
        await database.query('SELECT set_config($1, $2, false)', [name, setting])
      }
      if (user !== 'postgres') await database.query("SELECT set_config('session_authorization', $1, false)", [user])
    } finally {
      this.busy = false
      turn.give(this)
    }
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

  async acceptQuery(said) {
    const bytes = FORGETS_ALL.test(said.toString('latin1', 5)) ? FORGETS_NOTHING : said
    const sql = bytes.subarray(5, -1).toString()
    this.mind(sql)
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
      this.statements.set(bytes.toString('latin1', 5, bytes.indexOf(0, 5)), statement)
      const listens = /^\s*listen\s+"?(\w+)/i.exec(statement)
      if (listens) this.channels.add(listens[1])
    }
    // What is prepared may be carried out in many transactions.
    if (type === 'B') {
      const at = bytes.indexOf(0, 5) + 1
      this.mind(this.statements.get(bytes.toString('latin1', at, bytes.indexOf(0, at))) ?? '')
    }
    const ends = type === 'S' || type === 'H'
    if (!ends) this.status = 'P'
    const named = withOwnName(type, bytes, this.prefix)
    const before = this.batch.reduce((sum, part) => sum + part.length, 0)
    if (!ends && (before + named.length) % INPUT_BYTES === 0) this.batch.push(FLUSH)
    this.batch.push(named)
    const size = this.batch.reduce((sum, part) => sum + part.length, 0)
    // A message that is larger than that by itself, it takes only alone.
    if (!ends && (size <= LONGEST_BATCH_BYTES || !(type === 'E' || bytes.length > LONGEST_BATCH_BYTES))) return
    if (!ends) this.batch.push(FLUSH)
    const reply = await this.run(Buffer.concat(this.batch))
    this.batch = []
    if (reply.length) this.socket.write(reply)
  }

  mind(sql) {
    if (KEEPS_STATE.test(sql)) this.keepsState = true
    if (SETS.test(sql)) this.told = true
    if (TEMPORARY.test(sql)) this.temporary = true
  }

  async leave() {
    this.ended = true
    clients.delete(this)
    // Sync first: after an error the backend passes over all else.
    const undo = Buffer.concat([message('S', Buffer.alloc(0)), message('Q', text('ROLLBACK'))])
    if (this.status !== 'I' && turn.owner === this) await this.run(undo)
    // All temporary things are in one schema: who leaves last takes them along.
    if (this.temporary && ![...clients].some((client) => client.temporary)) {
      await turn.take(this).then(() => session.becomes(FIRST)).then(() => database.exec('DISCARD TEMP'))
    }
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
  const then = (step) => {
    client.work = client.work.then(step).catch((error) => {
      if (!client.ended) console.error(`client: ${error.message}`)
      if (error instanceof Refused) socket.end(refusal(error))
      else socket.destroy()
      if (LOST_BACKEND.test(String(error))) process.exit(EX_SOFTWARE)
    })
  }
  client.gone = new Promise((resolve) => socket.on('close', () => then(() => client.leave().finally(resolve))))
  socket.setNoDelay(true)
  socket.on('data', (chunk) => then(() => client.feed(chunk)))
  socket.on('error', () => {})
}

// End every client as if it had left, then forget what the session was told: settings, roles, prepared statements.
async function reset() {
  const all = [...clients]
  for (const client of all) client.ended = true
  for (const one of [...turn.waiting]) turn.refuse(one)
  for (const client of all) client.socket.destroy()
  await Promise.all(all.map((client) => client.gone))
  await session.becomes(FIRST)
  await database.exec('DISCARD ALL')
  await database.exec(AS_AT_FIRST)
  ready()
}

function ready() {
  console.log(`ready ${server.address().port}`)
}

const server = net.createServer(serve)
server.listen(0, '127.0.0.1', ready)
const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (line === 'reset') void reset()
})
lines.on('close', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
