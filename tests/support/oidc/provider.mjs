// A certified OpenID provider (oidc-provider) over https on a free loopback port, for tests.
//
//   node provider.mjs FOLDER HOME
//
// FOLDER is what install.sh made; HOME is the provider's own folder, removed at the end. The first line of
// stdin says what it is, as JSON:
//   certificate, key    PEM, for https
//   keys                [{kid, alg, pkcs8}], base64; the first of an algorithm signs
//   people              [{name, secret, alg, claims}]: a client of client_credentials each, who can sign in too
//   app                 the client_id of a native app (authorization code with PKCE, refresh tokens)
//   cluster             the client_id of another one, whose ID tokens the API server takes
//   exchanger           {name, secret}: a client that may exchange tokens (RFC 8693)
//   scopes              what may be asked for at a resource
// It answers {"issuer"} on stdout. Each further line {keys} replaces the keys, answered by {"kids"}; a line
// {"exchanged": AUDIENCE} is answered by {"subjects"}: whose tokens were exchanged for it, each time. It ends when
// its stdin ends, so it never outlives the tests.
//
// What is exchanged depends on the scope asked for: ttl-N gives a token of N seconds, echo the token itself.
// There is no audience that begins with https://unknown.

import { createPrivateKey, createPublicKey } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, home] = process.argv.slice(2);
// It says on stdout what production would have otherwise; ours is for the answers.
console.info = console.warn = () => {};
// An import would look for the package above this file; it is elsewhere, and a module only.
const entry = createRequire(`${folder}/package.json`).resolve("oidc-provider");
const { Provider, errors } = await import(pathToFileURL(entry));
const { createLocalJWKSet, jwtVerify } = await import(
  pathToFileURL(createRequire(entry).resolve("jose")));

const end = () => {
  rmSync(home, { recursive: true, force: true });
  process.exit(0);
};
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => {
  const { value, done } = await lines.next();
  return done ? end() : JSON.parse(value);
};
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const { certificate, key, keys, people, exchanger, app, cluster, scopes } = await next();
const known = new Map(people.map((person) => [person.name, person]));

const jwks = (keys) => ({
  keys: keys.map(({ kid, alg, pkcs8 }) => ({
    ...createPrivateKey({ key: Buffer.from(pkcs8, "base64"), format: "der", type: "pkcs8" }).export({ format: "jwk" }),
    kid,
    alg,
    use: "sig",
  })),
});
const algorithms = [...new Set(keys.map(({ alg }) => alg))];

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const exchanged = [];

// The token of a person becomes one for another audience, as RFC 8693 section 2 has it.
async function exchange(ctx) {
  const { client, params, provider } = ctx.oidc;
  const audience = params.audience ?? params.resource;
  if (params.subject_token_type !== ACCESS_TOKEN || params.requested_token_type !== ACCESS_TOKEN) {
    throw new errors.InvalidRequest("access tokens are exchanged, and nothing else");
  }
  const verified = await jwtVerify(params.subject_token, trusted, { issuer }).catch((error) => {
    throw new errors.InvalidGrant("the subject_token is not good", error.message);
  });
  exchanged.push({ audience, subject: verified.payload.sub });
  if (!audience || audience.startsWith("https://unknown")) {
    throw new errors.InvalidTarget(`there is no ${audience}`);
  }
  const ttl = Number(params.scope?.match(/ttl-(\d+)/)?.[1] ?? 600);
  const token = new provider.AccessToken({ accountId: verified.payload.sub, client, gty: EXCHANGE, expiresIn: ttl });
  token.resourceServer = configuration.features.resourceIndicators.getResourceServerInfo(ctx, audience, client);
  ctx.body = {
    access_token: params.scope === "echo" ? params.subject_token : await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: "Bearer",
    expires_in: ttl,
  };
}

const configuration = {
  clients: [
    ...people.map(({ name, secret }) => ({
      client_id: name,
      client_secret: secret,
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    })),
    {
      client_id: exchanger.name,
      client_secret: exchanger.secret,
      grant_types: [EXCHANGE],
      response_types: [],
      redirect_uris: [],
    },
    ...[app, cluster].map((client_id) => ({
      client_id,
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      // the port of a native app's loopback address is its own choice (RFC 8252)
      redirect_uris: ["http://127.0.0.1/callback"],
    })),
  ],
  cookies: { keys: ["of the tests"] },
  scopes: ["openid", "offline_access", "profile", "email", "groups"],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"], groups: ["groups"] },
  // what a scope opens goes into the ID token too, as most providers do it
  conformIdTokenClaims: false,
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  pkce: { required: () => true },
  ttl: { AccessToken: 3600, ClientCredentials: 3600, IdToken: 3600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource, client) => ({
        audience: resource,
        scope: scopes.join(" "),
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: known.get(client.clientId)?.alg ?? "RS256" } },
      }),
    },
  },
  extraTokenClaims: (_ctx, token) => known.get(token.accountId ?? token.clientId)?.claims,
  findAccount: (_ctx, name) =>
    known.has(name) ? { accountId: name, claims: () => ({ sub: name, ...known.get(name).claims }) } : undefined,
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
};

let provider, handle, trusted;
const server = createServer({ cert: certificate, key }, (request, response) => {
  if (request.url.startsWith("/interaction/")) {
    signIn(request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  } else {
    handle(request, response);
  }
});

// There is no page: whoever the request names in login_hint has signed in, and agreed to all that is asked for.
async function signIn(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    const login = { accountId: params.login_hint };
    return provider.interactionFinished(request, response, { login });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(configuration.scopes.join(" "));
  for (const resource of [params.resource ?? []].flat()) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `https://127.0.0.1:${server.address().port}`;

// The keys of a provider are fixed; what it has handed out is kept by the process, not by it.
function use(keys) {
  const published = jwks(keys).keys.map((key) => createPublicKey({ key, format: "jwk" }).export({ format: "jwk" }));
  trusted = createLocalJWKSet({ keys: published.map((key, i) => ({ ...key, kid: keys[i].kid, alg: keys[i].alg })) });
  provider = new Provider(issuer, { ...configuration, jwks: jwks(keys) });
  const parameters = ["audience", "resource", "scope", "subject_token", "subject_token_type", "requested_token_type"];
  provider.registerGrantType(EXCHANGE, exchange, parameters);
  provider.on("server_error", (_ctx, error) => console.error(error));
  handle = provider.callback();
}

use(keys);
say({ issuer });
for (;;) {
  const message = await next();
  if (message.exchanged) {
    const those = exchanged.filter(({ audience }) => audience === message.exchanged);
    say({ subjects: those.map(({ subject }) => subject) });
  } else {
    use(message.keys);
    say({ kids: message.keys.map(({ kid }) => kid) });
  }
}
