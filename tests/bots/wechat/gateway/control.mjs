// The control port: POST a JSON object {"op": NAME, ...}; the answer is JSON. It is how a test speaks as Alice or Bob,
// makes things happen in the group, breaks calls, and looks at what the bot sent.
import http from 'node:http'
import { FileBox } from 'file-box'
import { GROUP } from './wechat.mjs'

const operations = wechat => ({
  reset: () => wechat.reset(),
  sent: () => wechat.sent,
  calls: () => wechat.calls,
  state: () => ({ loggedIn: wechat.puppet.isLoggedIn }),

  // people
  say: ({ from, text }) => wechat.contact(from).say(text).to(wechat.contact('bot')),
  show: ({ from, base64, name }) =>
    wechat.contact(from).say(FileBox.fromBase64(base64, name)).to(wechat.contact('bot')),
  roomsay: ({ from, text, mentions = [], room = GROUP }) =>
    wechat.contact(from).say(text, mentions.map(key => wechat.contact(key))).to(wechat.room(room)),
  join: ({ who, by, room = GROUP }) =>
    wechat.room(room).add(...who.map(key => wechat.contact(key))).by(wechat.contact(by)),
  leave: ({ who, by, room = GROUP }) =>
    wechat.room(room).remove(...who.map(key => wechat.contact(key))).by(wechat.contact(by)),
  befriend: async ({ from, hello, type = 2, id = `friendship_${from}` }) => {
    const contactId = wechat.contact(from).id
    await wechat.puppet.friendshipPayload(id, { id, contactId, hello, type, scene: 30, ticket: 't', timestamp: Date.now() })
    wechat.puppet.emit('friendship', { friendshipId: id })
  },
  invite: ({ id }) => wechat.puppet.emit('room-invite', { roomInvitationId: id }),

  // the world
  contact: ({ key, payload }) => wechat.addContact(key, payload),
  room: ({ payload }) => { wechat.mocker.createRoom(payload) },
  member: ({ who, room = GROUP, payload }) => { wechat.members[`${room}/${wechat.contact(who).id}`] = payload },

  // the account and the gateway
  autologin: ({ on }) => { wechat.autologin = on },
  login: () => { wechat.mocker.login(wechat.contact('bot')) },
  logout: () => wechat.puppet.logout('the phone said so'),
  scan: ({ qrcode, status }) => wechat.mocker.scan(qrcode, status),
  emit: ({ event, payload }) => { wechat.puppet.emit(event, payload) },
  // the next `times` calls are refused with an error (and gRPC code), hang for ever, or are carried out `delay` ms later
  fail: ({ call, error = 'refused', code, hang = false, delay = 0, times = 1 }) => {
    wechat.faults.push({ call, error, code, hang, delay, times })
  },
})

export function listen (wechat) {
  const all = operations(wechat)
  const server = http.createServer(async (request, response) => {
    try {
      const { op, ...rest } = JSON.parse(await body(request))
      response.end(JSON.stringify(await all[op](rest) ?? null))
    } catch (error) {
      response.statusCode = 500
      response.end(JSON.stringify({ error: String(error.stack ?? error) }))
    }
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
}

async function body (request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}
