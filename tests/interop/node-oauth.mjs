// A second authorization server on loopback, which takes passwords, and reads Basic as it is. It prints its issuer on
// one line, and ends when its standard input does.

import { createServer } from 'node:http';
import OAuth2Server from '@node-oauth/oauth2-server';

const client = { id: 'raw', secret: 'p@ss w+rd%41/?&=:~', grants: ['password', 'refresh_token', 'client_credentials'] };
const tokens = new Map();

const oauth = new OAuth2Server({
  accessTokenLifetime: 600,
  model: {
    getClient: (id, secret) => id === client.id && (secret === null || secret === client.secret) && client,
    getUser: (name, password) => name === 'jöhn doe' && password === 'A3ddj3w +%' && { name },
    getUserFromClient: () => ({ name: 'service' }),
    validateScope: (user, client, scope) => scope ?? ['all'],
    saveToken: (token, client, user) => {
      const saved = { ...token, client, user };
      tokens.set(token.refreshToken, saved);
      return saved;
    },
    getRefreshToken: (token) => tokens.get(token),
    revokeToken: ({ refreshToken }) => tokens.delete(refreshToken),
    getAccessToken: (token) => [...tokens.values()].find((saved) => saved.accessToken === token),
  },
});

const server = createServer(async (incoming, outgoing) => {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  const { method, headers } = incoming;
  const request = new OAuth2Server.Request({ method, headers, query: {}, body: Object.fromEntries(new URLSearchParams(text)) });
  const response = new OAuth2Server.Response({});
  await oauth.token(request, response).catch(() => {});
  outgoing.writeHead(response.status, { ...response.headers, 'content-type': 'application/json' });
  outgoing.end(JSON.stringify(response.body));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
console.log(`http://127.0.0.1:${server.address().port}`);
process.stdin.resume().on('end', () => process.exit());
