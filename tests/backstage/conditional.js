// The policy of examples/backstage, with the answer CONDITIONAL for some permissions: platformMcp.conditional.
//
// The permission backend takes it for resource permissions alone: asked about a basic one it answers 500, for the
// whole batch.

const { coreServices, createBackendModule } = require('@backstage/backend-plugin-api');
const { AuthorizeResult } = require('@backstage/plugin-permission-common');
const { policyExtensionPoint } = require('@backstage/plugin-permission-node/alpha');
const { PlatformPolicy } = require('../../examples/backstage/policy');

class Conditional extends PlatformPolicy {
  async handle(request, user) {
    const { name, resourceType } = request.permission;
    const conditional = this.config.getOptionalStringArray('platformMcp.conditional') ?? [];
    if (!conditional.includes(name)) return super.handle(request, user);
    const conditions = { rule: 'IS_OWNER', resourceType, params: {} };
    return { result: AuthorizeResult.CONDITIONAL, pluginId: 'platform-mcp', resourceType, conditions };
  }
}

module.exports = createBackendModule({
  pluginId: 'permission',
  moduleId: 'conditional-policy',
  register(module) {
    module.registerInit({
      deps: { policy: policyExtensionPoint, config: coreServices.rootConfig },
      async init({ policy, config }) {
        policy.setPolicy(new Conditional(config));
      },
    });
  },
});
