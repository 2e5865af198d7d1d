// A WeChat gateway without WeChat: the pretend puppet of `wechat.mjs` served over gRPC exactly as real gateways do.
// Usage: node gateway.mjs --port PORT --token TOKEN [--tls]
// Prints one JSON line when it is ready: {"ready": true, "control": PORT}; the control port is described in control.mjs.
import { parseArgs } from 'node:util'
import { PuppetServer } from 'wechaty-puppet-service'
import { listen } from './control.mjs'
import { PretendWeChat } from './wechat.mjs'

const { values } = parseArgs({
  options: { port: { type: 'string' }, token: { type: 'string' }, tls: { type: 'boolean', default: false } },
})

const wechat = new PretendWeChat()
const server = new PuppetServer({
  endpoint: `127.0.0.1:${values.port}`,
  puppet: wechat.puppet,
  token: values.token,
  tls: { disable: !values.tls },
})

process.on('unhandledRejection', error => console.error('unhandled rejection', error))
process.stdin.on('end', () => process.exit()).resume() // whoever started us is gone
await server.start()
const control = await listen(wechat)
console.log(JSON.stringify({ ready: true, control }))
