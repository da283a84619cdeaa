// An authorization server on loopback whose only user, johndoe, agrees to everything at once. It prints its issuer on one line,
// and ends when its standard input does.

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'app',
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/callback'],
    token_endpoint_auth_method: 'none',
  }],
  scopes: ['openid', 'offline_access'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  ttl: { AccessToken: 600, DeviceCode: 600, Grant: 600, Interaction: 600, RefreshToken: 600, Session: 600 },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
  },
});

// Stands in for the person: they log in, and agree to what is asked for.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { grantId, params } = await provider.interactionDetails(ctx.req, ctx.res);
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: 'johndoe', clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId: 'johndoe' }, consent: { grantId: await grant.save() } };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
});

// Forgets an access token and nothing else, as after a restart. Revocation would end the whole grant.
provider.use(async (ctx, next) => {
  if (ctx.path !== '/forget') return next();
  const token = await provider.AccessToken.find(ctx.query.token);
  await token.destroy();
  ctx.body = '';
});

server.on('request', provider.callback());
console.log(issuer);
process.stdin.resume().on('end', () => process.exit());
