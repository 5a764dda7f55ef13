// A plugin with an action of its own: `other-plugin.echo` works whatever becomes of ours.

const { coreServices, createBackendPlugin } = require('@backstage/backend-plugin-api');
const { actionsRegistryServiceRef } = require('@backstage/backend-plugin-api/alpha');

module.exports = createBackendPlugin({
  pluginId: 'other-plugin',
  register(plugin) {
    plugin.registerInit({
      // the HTTP router makes it a plugin that serves
      deps: { actions: actionsRegistryServiceRef, http: coreServices.httpRouter },
      async init({ actions }) {
        actions.register({
          name: 'echo',
          title: 'Echo',
          description: 'Says what it is told.',
          attributes: { readOnly: true, idempotent: true, destructive: false },
          schema: {
            input: z => z.object({ text: z.string().describe('What to say') }),
            output: z => z.object({ text: z.string() }),
          },
          action: async ({ input }) => ({ output: { text: input.text } }),
        });
      },
    });
  },
});
