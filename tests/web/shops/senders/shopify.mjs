// Sends what a Shopify shop would, signed with Shopify's own library and first accepted by its own check.
// Reads one message a line: {url, secret, topic, body, shop}; answers one line each: {valid, status, answer}.

import '@shopify/shopify-api/adapters/node';
import {createInterface} from 'node:readline';
import {shopifyApi} from '@shopify/shopify-api';
import {createSHA256HMAC, HashFormat} from '@shopify/shopify-api/runtime';

const send = async ({url, secret, topic, body, shop}) => {
  const shopify = shopifyApi({
    apiKey: 'key',
    apiSecretKey: secret,
    apiVersion: '2024-10',
    hostName: 'shop.example',
    isEmbeddedApp: false,
    logger: {level: 0},
  });
  const headers = {
    'Content-Type': 'application/json',
    'X-Shopify-API-Version': '2024-10',
    'X-Shopify-Hmac-Sha256': await createSHA256HMAC(secret, body, HashFormat.Base64),
    'X-Shopify-Shop-Domain': shop,
    'X-Shopify-Topic': topic,
    'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  };
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const checked = await shopify.webhooks.validate({
    rawBody: body,
    rawRequest: {headers: lower, method: 'POST', url: '/', socket: {}},
    rawResponse: {},
  });
  const response = await fetch(url, {method: 'POST', headers, body});
  return {valid: checked.valid, status: response.status, answer: await response.json()};
};

for await (const line of createInterface({input: process.stdin})) {
  const answer = await send(JSON.parse(line)).catch((error) => ({error: String(error)}));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
