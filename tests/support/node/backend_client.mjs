// Backstage's own client of its Kubernetes backend against a server, as JSON on stdout.
//
//   node backend_client.mjs FOLDER QUESTION
//
// FOLDER is what install.sh made. QUESTION is JSON: {base, token, cluster, path, credentials}: it lists the clusters
// below `base`, and asks one of them for `path`, with the credentials by provider that a frontend would have.
// Of the package only the file of the client is loaded: the rest of it is a user interface.

import { pathToFileURL } from "node:url";

const [folder, question] = process.argv.slice(2);
const { base, token, cluster, path, credentials } = JSON.parse(question);
const file = "node_modules/@backstage/plugin-kubernetes-react/dist/api/KubernetesBackendClient.esm.js";
const { KubernetesBackendClient } = await import(pathToFileURL(`${folder}/${file}`));

const client = new KubernetesBackendClient({
  discoveryApi: { getBaseUrl: async (plugin) => `${base}/api/${plugin}` },
  fetchApi: {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } }),
  },
  kubernetesAuthProvidersApi: { getCredentials: async (provider) => ({ token: credentials?.[provider] }) },
});

const clusters = await client.getClusters();
const answer = await client.proxy({ clusterName: cluster, path });
const body = await answer.json();
process.stdout.write(JSON.stringify({ clusters, status: answer.status, body }));
