// The event mesh of the tests: objects of Knative Eventing with the status that its controllers would give them,
// each checked by the validators that are made from Knative's own Go types. JSON on stdout: a list.
//
//   node mesh.mjs FOLDER SHOP BANK PLANTED
//
// FOLDER is what install.sh made, SHOP and BANK are the namespaces. PLANTED stands where nobody may see it: in
// a Secret, in the environment of a source's container, and so in kubectl's copy of the manifest.
// `metadata.ownerReferences` come without a uid, which the API server has yet to choose.

import { pathToFileURL } from "node:url";

const [folder, shop, bank, planted] = process.argv.slice(2);
// By its file: an import by name would look for the packages above this file; they are elsewhere.
const models = await import(pathToFileURL(`${folder}/node_modules/@kubernetes-models/knative/index.js`));
const eventing = models.eventingKnativeDev;
const messaging = models.messagingKnativeDev.v1;
const sources = models.sourcesKnativeDev.v1;
const flows = models.flowsKnativeDev.v1;

const objects = [];

const named = (namespace, name, more) => ({ namespace, name, ...more });
const add = (Type, metadata, spec, status) => {
  const object = new Type({ metadata, spec, status });
  object.validate();
  objects.push(object.toJSON());
};

// ---- what controllers say -----------------------------------------------------------------------------------

const condition = (type, status = "True", more = {}) => ({ type, status, ...more });
const ready = (more = {}) => ({ conditions: [condition("Ready")], ...more });
const broken = (part, reason, message, more = {}) => ({
  conditions: [condition("Ready", "False", { reason, message }), condition(part, "False", { reason, message })],
  ...more,
});
const host = (namespace, name) => `http://${name}.${namespace}.svc.cluster.local`;
const address = (namespace, name) => ({ address: { name: "http", url: host(namespace, name) } });
// All brokers are behind one address, and all JobSinks behind another: the path tells them apart.
const shared = (front, namespace, name) => `http://${front}.knative-eventing.svc.cluster.local/${namespace}/${name}`;
const brokerAt = (namespace, name) => shared("broker-ingress", namespace, name);
const at = (url) => ({ address: { name: "http", url } });

// ---- references ---------------------------------------------------------------------------------------------

const to = (apiVersion, kind) => (name, namespace) => ({
  ref: { apiVersion, kind, name, ...(namespace && { namespace }) },
});
const service = to("v1", "Service");
const knativeService = to("serving.knative.dev/v1", "Service");
const broker = to("eventing.knative.dev/v1", "Broker");
const channel = to("messaging.knative.dev/v1", "Channel");
const memory = to("messaging.knative.dev/v1", "InMemoryChannel");
const sequence = to("flows.knative.dev/v1", "Sequence");
const parallel = to("flows.knative.dev/v1", "Parallel");
const jobSink = to("sinks.knative.dev/v1alpha1", "JobSink");
const uri = (uri) => ({ uri });

// ---- who takes events ---------------------------------------------------------------------------------------

const plain = (namespace, name, backstageId) =>
  objects.push({
    apiVersion: "v1",
    kind: "Service",
    metadata: named(namespace, name, backstageId && { labels: { "backstage.io/kubernetes-id": backstageId } }),
    spec: { ports: [{ port: 80 }], selector: { app: name } },
  });
// Its label in Backstage is the name, except for these: one has another, the others none.
const labels = { billing: "billing-component", everything: undefined, "dead-letters": undefined };
for (const name of [
  "archive", "audit-copy", "audit-log", "billing", "billing-failures", "big-orders", "cancel-desk", "dead-letters",
  "elsewhere", "everything", "is-large", "large", "loop-exit", "not-placed", "refund-desk", "small",
]) {
  plain(shop, name, name in labels ? labels[name] : name);
}
for (const name of ["enrich", "finance", "report", "validate"]) plain(bank, name, name);

const ServingService = models.servingKnativeDev.v1.Service;
add(ServingService, named(shop, "cancellations", { labels: { "backstage.io/kubernetes-id": "cancellations" } }), {
  template: { spec: { containers: [{ name: "user-container", image: "registry.test/cancellations" }] } },
}, ready(address(shop, "cancellations")));

add(models.sinksKnativeDev.v1alpha1.JobSink, named(shop, "refund-job"), {
  job: { apiVersion: "batch/v1", kind: "Job", spec: { template: { spec: {
    restartPolicy: "Never", containers: [{ name: "job", image: "registry.test/refund" }] } } } },
}, ready(at(shared("job-sink", shop, "refund-job"))));

objects.push(
  { apiVersion: "v1", kind: "ConfigMap", metadata: named(shop, "settings"), data: { colour: "red" } },
  { apiVersion: "v1", kind: "Secret", metadata: named(shop, "orders-key"), stringData: { key: planted } },
);

// ---- brokers ------------------------------------------------------------------------------------------------

const MTChannel = { annotations: { "eventing.knative.dev/broker.class": "MTChannelBasedBroker" } };
add(eventing.v1.Broker, named(shop, "default", MTChannel), {
  delivery: { deadLetterSink: service("dead-letters"), retry: 3, backoffPolicy: "exponential", backoffDelay: "PT1S" },
}, ready({ ...at(brokerAt(shop, "default")), deadLetterSinkUri: host(shop, "dead-letters") }));
add(eventing.v1.Broker, named(bank, "ledger", MTChannel), {}, ready(at(brokerAt(bank, "ledger"))));

// ---- sources ------------------------------------------------------------------------------------------------

const ping = "dev.knative.sources.ping";
add(sources.PingSource, named(shop, "heartbeat"), {
  schedule: "* * * * *", contentType: "application/json", data: "{}", sink: broker("ledger", bank),
}, ready({
  sinkUri: brokerAt(bank, "ledger"),
  ceAttributes: [{ type: ping, source: `/apis/v1/namespaces/${shop}/pingsources/heartbeat` }],
}));

const resourceEvents = ["add", "update", "delete"].map((verb) => `dev.knative.apiserver.resource.${verb}`);
add(sources.ApiServerSource, named(shop, "cluster-events"), {
  mode: "Resource", serviceAccountName: "watcher", resources: [{ apiVersion: "v1", kind: "Event" }],
  sink: channel("audit"),
}, {
  ...ready({
    sinkUri: host(shop, "audit"),
    ceAttributes: resourceEvents.map((type) => ({ type, source: "https://10.0.0.1:443" })),
  }),
  namespaces: [shop],
});

add(sources.ContainerSource, named(shop, "orders"), {
  template: { spec: { containers: [{ name: "orders", image: "registry.test/orders", env: [
    { name: "KEY", valueFrom: { secretKeyRef: { name: "orders-key", key: "key" } } },
    { name: "OLD_KEY", value: planted },
  ] }] } },
  sink: broker("default"),
}, ready({ sinkUri: brokerAt(shop, "default") }));

add(sources.SinkBinding, named(shop, "checkout"), {
  subject: { apiVersion: "apps/v1", kind: "Deployment", name: "checkout", namespace: shop },
  sink: broker("missing-broker"),
}, broken("SinkProvided", "NotFound", "brokers.eventing.knative.dev \"missing-broker\" not found"));

// A vendor's kind, known by its label alone.
objects.push({
  apiVersion: "sources.vendor.test/v1alpha1",
  kind: "RepositoryFeed",
  metadata: named(bank, "commits"),
  spec: { sink: uri("https://collector.platform.test/in") },
  status: ready({ sinkUri: "https://collector.platform.test/in" }),
});

// ---- event types --------------------------------------------------------------------------------------------

const oldType = (namespace, name, spec) => add(eventing.v1beta2.EventType, named(namespace, name), spec, ready());
const newType = (namespace, name, reference, attributes, more = {}) =>
  add(eventing.v1beta3.EventType, named(namespace, name), {
    ...(reference && { reference: reference.ref }),
    attributes: Object.entries(attributes).map(([name, value]) => ({ name, value, required: true })),
    ...more,
  }, ready());

const orders = `/shop/orders`;
newType(shop, "order-placed", broker("default"), { type: "shop.order.placed", source: orders, subject: "{order}" }, {
  description: "An order was placed",
});
newType(shop, "order-cancelled", broker("default"), { type: "shop.order.cancelled", source: orders });
newType(shop, "refund-issued", broker("default"), { type: "shop.refund.issued", source: "/shop/refunds" });
newType(shop, "looping", broker("default"), { type: "shop.loop", source: "/shop/loop" });
newType(shop, "resource-added", channel("audit"), { type: resourceEvents[0], source: "https://10.0.0.1:443" });
newType(shop, "lost", broker("nowhere"), { type: "shop.lost", source: "/shop/lost" });
oldType(bank, "ping", {
  type: ping, source: `/apis/v1/namespaces/${shop}/pingsources/heartbeat`, reference: broker("ledger").ref,
});
oldType(bank, "payment", {
  type: "bank.payment.settled", source: "/bank/payments", broker: "ledger", description: "A payment was settled",
  schema: "https://schemas.platform.test/payment.json", schemaData: "{\"type\":\"object\"}",
});

// ---- triggers -----------------------------------------------------------------------------------------------

const trigger = (namespace, name, broker, subscriber, filter, status, delivery) => {
  const { name: target, namespace: where = namespace } = subscriber.ref ?? {};
  const found = subscriber.ref?.kind === "JobSink" ? shared("job-sink", where, target) : host(where, target);
  status ??= ready({ subscriberUri: subscriber.uri ?? found });
  add(eventing.v1.Trigger, named(namespace, name), { broker, subscriber, ...filter, ...delivery }, status);
};
const attributes = (attributes) => ({ filter: { attributes } });
const filters = (...filters) => ({ filters });
const exact = (type) => ({ exact: { type } });
const [placed, refund] = ["shop.order.placed", "shop.refund.issued"];
const unresolved = (message) => broken("SubscriberResolved", "Unable to get the Subscriber's URI", message);

trigger(shop, "legacy", "default", service("billing"), attributes({ type: placed }), undefined, {
  delivery: { deadLetterSink: service("billing-failures") },
});
trigger(shop, "legacy-source", "default", service("elsewhere"), attributes({ type: placed, source: "/elsewhere" }));
trigger(shop, "exact", "default", jobSink("refund-job"), filters(exact(refund)));
trigger(shop, "prefix", "default", service("archive"), filters({ prefix: { type: "shop.order." } }));
trigger(shop, "suffix", "default", knativeService("cancellations"), filters({ suffix: { type: ".cancelled" } }));
trigger(shop, "any", "default", service("finance", bank), filters({ any: [exact(placed), exact(refund)] }));
trigger(shop, "all-and-not", "default", service("not-placed"), filters({
  all: [{ prefix: { type: "shop.order." } }, { not: { suffix: { type: ".placed" } } }],
}));
trigger(shop, "cesql", "default", service("big-orders"), filters({ cesql: "type LIKE 'shop.%' AND amount > 100" }));
trigger(shop, "none", "default", service("everything"), {});
// What is written new replaces what is written old, unless the list is empty.
trigger(shop, "both", "default", service("refund-desk"), { ...filters(exact(refund)), ...attributes({ type: placed }) });
trigger(shop, "empty-list", "default", service("cancel-desk"), {
  ...filters(), ...attributes({ type: "shop.order.cancelled" }),
});
trigger(shop, "never", "default", service("billing"), filters(exact("a"), exact("b")));
trigger(shop, "by-uri", "default", uri("http://legacy.platform.test/hook"), attributes({ type: placed }));
trigger(shop, "to-missing", "default", service("gone"), attributes({ type: placed }),
  unresolved("services \"gone\" not found"));
trigger(shop, "to-deployment", "default", to("apps/v1", "Deployment")("checkout"), {},
  unresolved("deployments.apps \"checkout\" is not addressable"));
trigger(shop, "to-settings", "default", to("v1", "ConfigMap")("settings"), {},
  unresolved("configmaps \"settings\" is not addressable"));
trigger(shop, "without-broker", "nowhere", service("billing"), {},
  broken("BrokerReady", "BrokerDoesNotExist", "Broker \"nowhere\" does not exist or there is no matching BrokerClass for it"));
trigger(shop, "into-loop", "default", memory("first"), filters(exact("shop.loop")));
trigger(bank, "pings", "ledger", sequence("settle"), attributes({ type: ping }));

// ---- channels and subscriptions -----------------------------------------------------------------------------

// The one that controls it; its uid is filled in when it is there.
const ownedBy = (apiVersion, kind, name) => ({
  ownerReferences: [{ apiVersion, kind, name, uid: "", controller: true, blockOwnerDeletion: true }],
});
const inMemory = (namespace, name, more) =>
  add(messaging.InMemoryChannel, named(namespace, name, more), {}, ready(address(namespace, `${name}-kn-channel`)));
const subscription = (namespace, name, of, spec, status, more) => {
  const { ref } = spec.subscriber ?? {};
  const found = spec.subscriber?.uri ?? (ref && host(ref.namespace ?? namespace, ref.name));
  status ??= ready({ physicalSubscription: { ...(found && { subscriberUri: found }) } });
  const { apiVersion, kind, name: channel } = of.ref;
  add(messaging.Subscription, named(namespace, name, more), { channel: { apiVersion, kind, name: channel }, ...spec }, status);
};

// Nothing says of which kind the channels behind are to be: the validators take `channelTemplate` for an object of
// a kind `ChannelTemplateSpec`, and InMemoryChannel is what Knative makes then.
add(messaging.Channel, named(shop, "audit"), {}, ready({
  ...address(shop, "audit"),
  channel: { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel", name: "audit", namespace: shop },
}));
inMemory(shop, "audit", ownedBy("messaging.knative.dev/v1", "Channel", "audit"));
subscription(shop, "audit-log", channel("audit"), { subscriber: service("audit-log"), reply: broker("default") });
subscription(shop, "audit-copy", channel("audit"), {
  subscriber: service("audit-copy"), delivery: { deadLetterSink: service("dead-letters") },
});
subscription(shop, "audit-remote", channel("audit"), { subscriber: uri("https://siem.platform.test/events") });
subscription(shop, "audit-route", channel("audit"), { subscriber: parallel("route") });
subscription(shop, "astray", channel("nowhere"), { subscriber: service("billing") },
  broken("ChannelReady", "ChannelNotFound", "channels.messaging.knative.dev \"nowhere\" not found"));

inMemory(bank, "settled");
subscription(bank, "report", memory("settled"), { subscriber: service("report") });

inMemory(shop, "first");
inMemory(shop, "second");
subscription(shop, "first-to-second", memory("first"), { subscriber: memory("second") });
subscription(shop, "second-to-first", memory("second"), { subscriber: memory("first") });
subscription(shop, "out-of-the-loop", memory("second"), { subscriber: service("loop-exit") });

// ---- a sequence and a parallel, with what they own ----------------------------------------------------------

const phase = (apiVersion, kind) => (name, namespace) => ({
  ready: condition("Ready"), ...{ [kind === "Subscription" ? "subscription" : "channel"]: { apiVersion, kind, name, namespace } },
});
const channelPhase = phase("messaging.knative.dev/v1", "InMemoryChannel");
const subscriptionPhase = phase("messaging.knative.dev/v1", "Subscription");

const ofSettle = ownedBy("flows.knative.dev/v1", "Sequence", "settle");
const settleSteps = ["settle-kn-sequence-0", "settle-kn-sequence-1"];
add(flows.Sequence, named(bank, "settle"), {
  steps: [service("enrich"), service("validate")], reply: memory("settled"),
}, ready({
  ...address(bank, "settle-kn-sequence-0"),
  channelStatuses: settleSteps.map((name) => channelPhase(name, bank)),
  subscriptionStatuses: settleSteps.map((name) => subscriptionPhase(name, bank)),
}));
for (const name of settleSteps) inMemory(bank, name, ofSettle);
subscription(bank, settleSteps[0], memory(settleSteps[0]), {
  subscriber: service("enrich"), reply: memory(settleSteps[1]),
}, undefined, ofSettle);
subscription(bank, settleSteps[1], memory(settleSteps[1]), {
  subscriber: service("validate"), reply: memory("settled"),
}, undefined, ofSettle);

const ofRoute = ownedBy("flows.knative.dev/v1", "Parallel", "route");
const branches = [
  { filter: service("is-large"), subscriber: service("large") },
  { subscriber: service("small"), reply: memory("first") },
];
const inputs = branches.map((_, index) => `route-kn-parallel-${index}`);
const filtersOf = branches.map((_, index) => `route-kn-parallel-filter-${index}`);
add(flows.Parallel, named(shop, "route"), { branches }, ready({
  ...address(shop, "route-kn-parallel"),
  ingressChannelStatus: channelPhase("route-kn-parallel", shop),
  branchStatuses: inputs.map((name, index) => ({
    filterChannelStatus: channelPhase(name, shop),
    filterSubscriptionStatus: subscriptionPhase(filtersOf[index], shop),
    subscriberSubscriptionStatus: subscriptionPhase(name, shop),
  })),
}));
inMemory(shop, "route-kn-parallel", ofRoute);
branches.forEach((branch, index) => {
  inMemory(shop, inputs[index], ofRoute);
  subscription(shop, filtersOf[index], memory("route-kn-parallel"), {
    ...(branch.filter && { subscriber: branch.filter }), reply: memory(inputs[index]),
  }, undefined, ofRoute);
  subscription(shop, inputs[index], memory(inputs[index]), {
    subscriber: branch.subscriber, ...(branch.reply && { reply: branch.reply }),
  }, undefined, ofRoute);
});

process.stdout.write(JSON.stringify(objects));
