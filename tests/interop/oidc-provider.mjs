// An authorization server on loopback, with a client for each way to authenticate. It prints its issuer on one line,
// and ends when its standard input does. With certificates in the variable CERTIFICATES it also listens for TLS, asks
// clients for theirs, and says in its metadata that this is where they are to ask for tokens (RFC 8705).
//
// It also plays a platform whose tokens it takes: for another one (RFC 8693), as a grant (RFC 7523 §2.1), and as a client's
// authentication (RFC 7523 §2.2). The last is oidc-provider's own; what the other two have to check is here, with jose.

import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { SignJWT, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { Provider, errors } from 'oidc-provider';

// The public keys of RFC 7515 (A.2, A.3), RFC 6979 (A.2.6) and RFC 8037 (A).
const keys = {
  RS256: {
    kty: 'RSA',
    n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ'
      + 'S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2'
      + 'CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g'
      + 'b54h4FRWyuXpoQ',
    e: 'AQAB',
  },
  ES256: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  },
  ES384: {
    kty: 'EC',
    crv: 'P-384',
    x: '7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT',
    y: 'gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg',
  },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
};

for (const alg of ['RS384', 'RS512', 'PS256']) keys[alg] = keys.RS256;

const secretAlgorithms = ['HS256', 'HS384', 'HS512'];

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

// The platform's key, and what it signs tokens with.
const platform = await generateKeyPair('ES256', { extractable: true });
const platformKey = { ...(await exportJWK(platform.publicKey)), alg: 'ES256', kid: 'platform', use: 'sig' };

const certificates = process.env.CERTIFICATES ? JSON.parse(process.env.CERTIFICATES) : undefined;
const selfSigned = certificates && new X509Certificate(certificates.self_signed);

const service = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const clients = [
  // Every character here has to survive being form-encoded within Basic.
  { ...service, client_id: 'basic: a+b%41', client_secret: 'p@ss w+rd%41/?&=:~', token_endpoint_auth_method: 'client_secret_basic' },
  { ...service, client_id: 'post', client_secret: 'p@ss w+rd%41/?&=:~', token_endpoint_auth_method: 'client_secret_post' },
  ...Object.entries(keys).map(([alg, key]) => ({
    ...service,
    client_id: alg,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: [{ ...key, alg, kid: 'k1', use: 'sig' }] },
  })),
  ...secretAlgorithms.map((alg) => ({
    ...service,
    client_id: alg,
    client_secret: 'p@ss w+rd%41/?&=:~, and so many more characters that it is long enough',
    token_endpoint_auth_method: 'client_secret_jwt',
    token_endpoint_auth_signing_alg: alg,
  })),
  ...(certificates ? [
    { ...service, client_id: 'tls', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'client.example.com' },
    {
      ...service,
      client_id: 'bound',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'client.example.com',
      tls_client_certificate_bound_access_tokens: true,
    },
    {
      ...service,
      client_id: 'self-signed',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [{ ...selfSigned.publicKey.export({ format: 'jwk' }), x5c: [selfSigned.raw.toString('base64')] }] },
    },
  ] : []),
  ...['exchange', 'bearer'].map((client_id) => ({
    client_id,
    grant_types: [client_id === 'exchange' ? EXCHANGE : JWT_BEARER],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'none',
  })),
  {
    ...service,
    client_id: 'federated',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [platformKey] },
  },
  {
    client_id: 'app',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['https://app.example.com/back'],
    token_endpoint_auth_method: 'none',
  },
];

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

// It hears of every certificate, so that it can say itself which ones it knows.
const tls = certificates && createTlsServer({ ...certificates, requestCert: true, rejectUnauthorized: false });
if (tls) await new Promise((listening) => tls.listen(0, '127.0.0.1', listening));
const certificate = (ctx) => ctx.socket.getPeerX509Certificate?.();

const provider = new Provider(issuer, {
  clients,
  scopes: ['openid', 'offline_access'],
  enabledJWA: { clientAuthSigningAlgValues: [...Object.keys(keys), ...secretAlgorithms] },
  clientAuthMethods: [
    'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none',
    ...(tls ? ['tls_client_auth', 'self_signed_tls_client_auth'] : []),
  ],
  discovery: tls && {
    mtls_endpoint_aliases: {
      token_endpoint: `https://127.0.0.1:${tls.address().port}/token`,
      revocation_endpoint: `https://127.0.0.1:${tls.address().port}/token/revocation`,
    },
  },
  rotateRefreshToken: true,
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 600, RefreshToken: 600 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    mTLS: {
      enabled: Boolean(tls),
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      tlsClientAuth: true,
      getCertificate: certificate,
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) =>
        property === 'tls_client_auth_san_dns' && certificate(ctx).checkHost(expected) !== undefined,
    },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => {
        if (resource !== 'https://videos.example.com/') throw new errors.InvalidTarget();
        return { scope: 'videos.read videos.write', audience: resource, accessTokenFormat: 'opaque' };
      },
      useGrantedResource: () => false,
    },
    revocation: { enabled: true },
  },
});

// Forgets an access token and nothing else, as after a restart. Revocation would end the whole grant.
provider.use(async (ctx, next) => {
  if (ctx.path !== '/forget') return next();
  const token = await provider.AccessToken.find(ctx.query.token);
  await token.destroy();
  ctx.body = '';
});

// Stands in for a login in a browser: a new grant, and its first refresh token.
provider.use(async (ctx, next) => {
  if (ctx.path !== '/login') return next();
  const scope = 'openid offline_access';
  const grant = new provider.Grant({ accountId: 'johndoe', clientId: 'app' });
  grant.addOIDCScope(scope);
  const client = await provider.Client.find('app');
  const token = new provider.RefreshToken({
    accountId: 'johndoe', client, grantId: await grant.save(), gty: 'authorization_code', scope,
  });
  ctx.body = await token.save();
});

// A token of the platform, such as Kubernetes projects into a pod.
provider.use(async (ctx, next) => {
  if (ctx.path !== '/platform') return next();
  const { iss = 'https://platform.example.com', sub = 'system:serviceaccount:shop:web', aud = issuer } = ctx.query;
  const jwt = new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'platform' });
  jwt.setIssuer(iss).setSubject(sub).setAudience(aud).setIssuedAt().setExpirationTime('10m').setJti(crypto.randomUUID());
  ctx.body = await jwt.sign(platform.privateKey);
});

// Whose token it is, if it is one of the platform's for this server.
async function subject(token) {
  const wanted = { issuer: 'https://platform.example.com', audience: issuer };
  try {
    return (await jwtVerify(token ?? '', platform.publicKey, wanted)).payload.sub;
  } catch (error) {
    throw new errors.InvalidGrant(error.message);
  }
}

async function issue(ctx, sub, more) {
  const token = new provider.ClientCredentials({ client: ctx.oidc.client, scope: undefined, extra: { sub } });
  ctx.body = { access_token: await token.save(), token_type: token.tokenType, expires_in: token.expiration, ...more };
}

provider.registerGrantType(EXCHANGE, async (ctx) => {
  const { subject_token: token, subject_token_type: type, audience } = ctx.oidc.params;
  if (type !== 'urn:ietf:params:oauth:token-type:jwt') throw new errors.InvalidRequest('subject_token_type');
  if (audience !== 'https://orders.example.com') throw new errors.InvalidTarget('the audience is unknown');
  await issue(ctx, await subject(token), { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' });
}, ['subject_token', 'subject_token_type', 'audience', 'requested_token_type']);

provider.registerGrantType(JWT_BEARER, async (ctx) => issue(ctx, await subject(ctx.oidc.params.assertion), {}), ['assertion']);

server.on('request', provider.callback());
tls?.on('request', provider.callback());
console.log(issuer);
process.stdin.resume().on('end', () => process.exit());
