// An authorization server on loopback that rotates refresh tokens, and revokes all that came of a login when one of them is
// used twice. It prints its issuer on one line, and ends when its standard input does. TTL is how many seconds an access
// token lives.

import { createServer } from 'node:http';
import { Provider, errors } from 'oidc-provider';

const scope = 'offline_access';
const accountId = 'johndoe';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'service',
    client_secret: 'secret',
    grant_types: ['password', 'authorization_code', 'refresh_token'],
    redirect_uris: ['https://app.example.com/back'],
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  scopes: [scope],
  rotateRefreshToken: true,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: { AccessToken: Number(process.env.TTL), Grant: 86400, RefreshToken: 86400 },
  features: { devInteractions: { enabled: false } },
});

// A login: what all that comes of it belongs to, and its first refresh token.
const login = async (client, gty) => {
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  return { grantId, refreshToken: new provider.RefreshToken({ accountId, client, grantId, gty, scope }) };
};

provider.registerGrantType('password', async (ctx) => {
  const { client, params } = ctx.oidc;
  if (params.username !== accountId || params.password !== 'password') throw new errors.InvalidGrant('wrong password');
  const { grantId, refreshToken } = await login(client, 'password');
  const accessToken = new provider.AccessToken({ accountId, client, grantId, gty: 'password', scope });
  ctx.body = {
    access_token: await accessToken.save(),
    expires_in: accessToken.expiration,
    token_type: 'Bearer',
    refresh_token: await refreshToken.save(),
    scope,
  };
}, ['username', 'password', 'scope']);

// Stands in for a login in a browser.
provider.use(async (ctx, next) => {
  if (ctx.path !== '/login') return next();
  const { refreshToken } = await login(await provider.Client.find('service'), 'authorization_code');
  ctx.body = await refreshToken.save();
});

server.on('request', provider.callback());
console.log(issuer);
process.stdin.resume().on('end', () => process.exit());
