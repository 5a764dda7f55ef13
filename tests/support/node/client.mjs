// One session of an official TypeScript client with a server, as JSON on stdout.
//
//   node client.mjs FOLDER SESSION
//
// FOLDER is what install.sh made. SESSION is JSON: {sdk, mode, http} or {sdk, mode, command, arguments,
// environment}, and calls: [{tool, arguments, progress}]: with progress, what it hears of that is in the answer. With oauth: {client, secret, issuer} it gets a token by itself,
// starting from the server's 401; what goes to the origin of `http` is sent to oauth.through, as a proxy would.
// With token, that is the bearer token of every request.
// With elicit, a result of elicitation/create, it can ask a person, who always says that.

import { createRequire } from "node:module";

const [folder, session] = process.argv.slice(2);
// An import would look for the packages above this file; they are elsewhere.
const load = createRequire(`${folder}/package.json`);
const { sdk, mode, http, oauth, token, command, arguments: args, environment: env, calls, elicit } = JSON.parse(session);

const info = { name: "platform-mcp-tests", version: "0" };
const capabilities = elicit ? { elicitation: {} } : {};
let client, Stdio, Http, Credentials, elicitation;
if (sdk === "@modelcontextprotocol/client") {
  const current = load("@modelcontextprotocol/client");
  client = new current.Client(info, { capabilities, versionNegotiation: { mode } });
  elicitation = "elicitation/create";
  Http = current.StreamableHTTPClientTransport;
  Credentials = current.ClientCredentialsProvider;
  Stdio = load("@modelcontextprotocol/client/stdio").StdioClientTransport;
} else {
  client = new (load("@modelcontextprotocol/sdk/client/index.js").Client)(info, { capabilities });
  elicitation = load("@modelcontextprotocol/sdk/types.js").ElicitRequestSchema;
  Http = load("@modelcontextprotocol/sdk/client/streamableHttp.js").StreamableHTTPClientTransport;
  Stdio = load("@modelcontextprotocol/sdk/client/stdio.js").StdioClientTransport;
  Credentials = load("@modelcontextprotocol/sdk/client/auth-extensions.js").ClientCredentialsProvider;
}

const asked = [];
const bearer = token && { requestInit: { headers: { authorization: `Bearer ${token}` } } };
const options = oauth ? {
  authProvider: new Credentials({
    clientId: oauth.client,
    clientSecret: oauth.secret,
    expectedIssuer: oauth.issuer,
  }),
  fetch: (url, init) => {
    asked.push(String(url));
    return fetch(String(url).replace(new URL(http).origin, oauth.through), init);
  },
} : bearer;
const transport = http ? new Http(new URL(http), options) : new Stdio({ command, args, env, stderr: "inherit" });
// The older SDK tells the negotiated version only to the transport.
const told = {};
const setProtocolVersion = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = (version) => {
  told.version = version;
  setProtocolVersion?.(version);
};
const errors = [];
client.onerror = (error) => errors.push(String(error));

const elicited = [];
if (elicit) {
  client.setRequestHandler(elicitation, async ({ params }) => {
    elicited.push(params);
    return elicit;
  });
}

await client.connect(transport);
const { tools } = await client.listTools();
const answers = [];
for (const { tool, arguments: values, progress } of calls) {
  const heard = [];
  const options = progress ? [{ onprogress: (said) => heard.push(said), resetTimeoutOnProgress: true }] : [];
  // The older SDK takes the schema of the result in between.
  if (progress && sdk !== "@modelcontextprotocol/client") options.unshift(undefined);
  try {
    const result = await client.callTool({ name: tool, arguments: values }, ...options);
    answers.push(progress ? { result, progress: heard } : { result });
  } catch (error) {
    answers.push({ error: { code: error.code, message: error.message } });
  }
}
const version = client.getNegotiatedProtocolVersion?.() ?? told.version;
const [server, instructions] = [client.getServerVersion(), client.getInstructions()];
await client.close();
console.log(JSON.stringify({ version, server, instructions, tools, answers, errors, asked, elicited }));
