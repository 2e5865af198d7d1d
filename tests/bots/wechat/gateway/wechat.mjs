// The pretend WeChat: people, a group, and the account of the bot, made of wechaty-puppet-mock.
// Ours on top of it: what the bot sent is kept, calls are counted, a call can be told to fail or to hang, friends and
// strangers differ, and a member of a group may have a name there and an inviter.
import { setTimeout } from 'node:timers/promises'
import { FileBox } from 'file-box'
import { PuppetMock, mock } from 'wechaty-puppet-mock'

export const GROUP = 'group@chatroom'

const PEOPLE = {
  bot: { id: 'wxid_bot', name: '小带' },
  alice: { id: 'wxid_alice', name: 'Alice' },
  bob: { id: 'wxid_bob', name: 'Bob 小明' },
  carol: { id: 'wxid_carol', name: 'Carol' },
  dave: { id: 'wxid_dave', name: 'Dave', friend: false },
}

// The calls a gateway makes on an account which the tests count, break or delay.
const WATCHED = [
  'start', 'stop', 'logout', 'messageSendText', 'messageSendFile', 'messagePayload', 'messageFile', 'contactPayload',
  'roomList', 'roomPayload', 'roomMemberList', 'roomMemberPayload', 'friendshipPayload', 'friendshipAccept', 'roomInvitationAccept',
]

export class PretendWeChat {
  constructor () {
    this.mocker = new mock.Mocker()
    this.puppet = watched(new PuppetMock({ mocker: this.mocker }), this)
    this.mocker.use(() => {
      if (this.autologin) this.mocker.login(this.contact('bot'))
      return () => {}
    })
    this.puppet.messageSendText = watch(this, 'messageSendText', (to, text, mentions) => this.send(to, text, mentions))
    this.puppet.messageSendFile = watch(this, 'messageSendFile', (to, file) => this.send(to, file, []))
    this.puppet.roomMemberPayload = watch(this, 'roomMemberPayload', (room, contact) => this.member(room, contact))
    this.build()
  }

  build () {
    this.sent = []
    this.calls = []
    this.faults = []
    this.members = {}
    this.autologin = true
    this.mocker.ContactMock.pool.clear()
    this.mocker.RoomMock.pool.clear()
    this.mocker.MessageMock.pool.clear()
    this.mocker.cacheContactPayload.clear()
    this.mocker.cacheRoomPayload.clear()
    this.mocker.cacheMessagePayload.clear()
    this.mocker.cacheFileBoxPayload.clear()
    this.puppet.cache.clear()
    this.contacts = {}
    for (const [key, payload] of Object.entries(PEOPLE)) this.addContact(key, payload)
    const memberIdList = [PEOPLE.bot.id, PEOPLE.alice.id, PEOPLE.bob.id]
    this.mocker.createRoom({ id: GROUP, topic: '推荐群', ownerId: PEOPLE.bot.id, memberIdList })
  }

  // Everything as new, and logged out until the next client starts it.
  async reset () {
    this.faults = []
    await this.puppet.stop()
    this.build()
  }

  addContact (key, payload) {
    this.contacts[key] = this.mocker.createContact({ friend: true, alias: '', ...payload })
    return this.contacts[key].id
  }

  contact (key) { return this.contacts[key] ?? this.mocker.ContactMock.load(key) }

  room (id = GROUP) { return this.mocker.RoomMock.load(id) }

  async send (to, something, mentions) {
    if (!this.puppet.isLoggedIn) throw new Error('not logged in')
    const room = to.includes('@')
    const target = room ? this.room(to) : this.mocker.ContactMock.load(to)
    if (!room && !target.payload.friend) throw new Error(`${to} is not a friend`)
    this.sent.push({ to, mentions, ...await content(something) })
    const people = mentions.map(id => this.mocker.ContactMock.load(id))
    this.contact('bot').say(something, people).to(target)
    return [...this.mocker.cacheMessagePayload.keys()].at(-1)
  }

  async member (room, contact) {
    const { id, name, avatar } = await this.puppet.contactPayload(contact)
    return { id, name, avatar, ...this.members[`${room}/${contact}`] }
  }
}

async function content (something) {
  if (!FileBox.valid(something)) return { text: something }
  const bytes = await something.toBuffer()
  return { file: something.name, base64: bytes.toString('base64') }
}

function watched (puppet, wechat) {
  for (const name of WATCHED) puppet[name] = watch(wechat, name, puppet[name].bind(puppet))
  return puppet
}

function watch (wechat, name, call) {
  return async (...args) => {
    wechat.calls?.push({ name, args: args.filter(arg => typeof arg === 'string') })
    const fault = wechat.faults?.find(one => one.call === name && one.times > 0)
    if (!fault) return call(...args)
    fault.times -= 1
    if (fault.hang) return new Promise(() => {})
    if (fault.delay) {
      await setTimeout(fault.delay)
      return call(...args)
    }
    throw Object.assign(new Error(fault.error), { code: fault.code })
  }
}
