// A Backstage backend as an app has it, made of Backstage's own packages.

const { createWriteStream } = require('node:fs');
const { createBackend } = require('@backstage/backend-defaults');
const { rootHttpRouterServiceFactory } = require('@backstage/backend-defaults/rootHttpRouter');
const { WinstonLogger } = require('@backstage/backend-defaults/rootLogger');
const { coreServices, createServiceFactory } = require('@backstage/backend-plugin-api');
const { ConfigSources } = require('@backstage/config-loader');
const { format, transports } = require('winston');

// Starts one with these configuration files. Gives its end: connections break off as when a process ends.
exports.start = async function start({ configs, environment, log, conditional }) {
  const backend = createBackend();
  const source = ConfigSources.default({
    argv: configs.flatMap(file => ['--config', file]),
    substitutionFunc: async name => environment[name] ?? process.env[name],
  });
  // What is else read from process.env and process.argv, which several backends would share.
  backend.add(
    createServiceFactory({
      service: coreServices.rootConfig,
      deps: {},
      factory: () => ConfigSources.toConfig(source),
    }),
  );
  const stream = createWriteStream(log, { flags: 'a' });
  backend.add(
    createServiceFactory({
      service: coreServices.rootLogger,
      deps: {},
      factory: () =>
        WinstonLogger.create({ level: 'info', format: format.json(), transports: [new transports.Stream({ stream })] }),
    }),
  );
  let server;
  backend.add(
    rootHttpRouterServiceFactory({
      configure(context) {
        server = context.server;
        context.applyDefaults();
      },
    }),
  );

  backend.add(require('@backstage/plugin-auth-backend'));
  backend.add(require('./sign-in'));
  backend.add(require('@backstage/plugin-permission-backend'));
  backend.add(conditional ? require('./conditional') : require('../../examples/backstage/policy'));
  backend.add(require('@backstage/plugin-catalog-backend'));
  backend.add(require('@backstage/plugin-kubernetes-backend'));
  backend.add(require('@backstage/plugin-mcp-actions-backend'));
  backend.add(require('@backstage/plugin-proxy-backend'));
  backend.add(require('@backstage/plugin-gateway-backend'));
  backend.add(require('./other-plugin'));

  const stop = async () => {
    const ended = backend.stop();
    server?.closeAllConnections();
    const again = setInterval(() => server?.closeAllConnections(), 20);
    await ended;
    clearInterval(again);
  };
  try {
    await backend.start();
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return stop;
};
