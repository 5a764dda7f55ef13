// The provider of the Knative plugin for Backstage's catalog against a server, as JSON on stdout.
//
//   node provider.mjs FOLDER BASE TOKEN
//
// FOLDER is what install.sh made. Printed are {mutations, errors, invalid, odd}: what the provider gave the catalog,
// what it logged as an error, what of the answer is not as `event-mesh.schema.json` says, and the entities that the
// catalog would not take, by its own policies.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, baseUrl, token] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { KnativeEventMeshProvider } = require("@knative-extensions/plugin-knative-event-mesh-backend");
const { ConfigReader } = require("@backstage/config");
const model = require("@backstage/catalog-model");
const Ajv = require("ajv");

const errors = [];
const logger = { child: () => logger, info() {}, debug() {}, warn() {}, error: (...said) => errors.push(said) };
const scheduler = { createScheduledTaskRunner: () => ({ run: (task) => task.fn() }) };
const schedule = { frequency: { minutes: 30 }, timeout: { minutes: 3 } };
const config = new ConfigReader({
  // 1.21.0 asks for an object of this name at the root too, and does not start without
  token: {},
  catalog: { providers: { knativeEventMesh: { dev: { baseUrl, token, schedule } } } },
});

const mutations = [];
const [provider] = KnativeEventMeshProvider.fromConfig(config, { logger, scheduler });
await provider.connect({ applyMutation: async (mutation) => void mutations.push(mutation) });

const answer = await fetch(`${baseUrl}/v1/getEventMesh`, { headers: { authorization: token } });
const schema = JSON.parse(readFileSync(new URL("event-mesh.schema.json", import.meta.url), "utf8"));
const validate = new Ajv({ allErrors: true }).compile(schema);
const invalid = validate(await answer.json()) ? [] : validate.errors;

const policy = model.EntityPolicies.allOf([
  new model.SchemaValidEntityPolicy(),
  new model.DefaultNamespaceEntityPolicy(),
  new model.NoForeignRootFieldsEntityPolicy(),
  new model.FieldFormatEntityPolicy(),
]);
const validators = { API: model.apiEntityV1alpha1Validator, Component: model.componentEntityV1alpha1Validator };
const odd = [];
for (const { entity } of mutations.flatMap((mutation) => mutation.entities)) {
  try {
    const taken = await policy.enforce(entity);
    if (!(await validators[entity.kind].check(taken))) odd.push([entity.metadata.name, "of no known kind"]);
  } catch (error) {
    odd.push([entity.metadata.name, error.message]);
  }
}
process.stdout.write(JSON.stringify({ mutations, errors, invalid, odd }));
