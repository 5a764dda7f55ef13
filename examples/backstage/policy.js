// A permission policy for Backstage: which group of the catalog may use which permission of platform-mcp.
//
//   backend.add(require('@backstage/plugin-permission-backend'));
//   backend.add(require('./policy'));          // in place of the allow-all policy
//
// and in app-config.yaml: permission.enabled: true, and platformMcp.policy.groups as in policy-config.yaml.
// platform-mcp asks about a user with names alone, so nothing but names is decided on here.

const { coreServices, createBackendModule } = require('@backstage/backend-plugin-api');
const { AuthorizeResult } = require('@backstage/plugin-permission-common');
const { policyExtensionPoint } = require('@backstage/plugin-permission-node/alpha');

const ALLOW = { result: AuthorizeResult.ALLOW };
const DENY = { result: AuthorizeResult.DENY };

// The permissions that are decided on here, by the first part of their names.
const OURS = ['kro.', 'spectrocloud.', 'kubernetes.', 'knative.', 'platform.'];

class PlatformPolicy {
  constructor(config) {
    this.config = config;
  }

  async handle({ permission }, user) {
    if (!OURS.some(prefix => permission.name.startsWith(prefix))) {
      return ALLOW; // the catalog and other plugins: put your own rules here
    }
    // `ownershipEntityRefs`: the user's groups, as they were at sign-in. Without a user there are none.
    const groups = user?.info.ownershipEntityRefs ?? [];
    // Read each time, since Backstage reads its configuration again when a file changes.
    const allowed = this.config.getOptional('platformMcp.policy.groups') ?? {};
    const patterns = groups.flatMap(group => (Object.hasOwn(allowed, group) ? allowed[group] : []));
    return patterns.some(pattern => matches(pattern, permission.name)) ? ALLOW : DENY;
  }
}

// `kro.*.list` matches `kro.rgds.list`: a star stands for any text.
function matches(pattern, name) {
  const parts = pattern.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

module.exports = createBackendModule({
  pluginId: 'permission',
  moduleId: 'platform-mcp-policy',
  register(module) {
    module.registerInit({
      deps: { policy: policyExtensionPoint, config: coreServices.rootConfig },
      async init({ policy, config }) {
        policy.setPolicy(new PlatformPolicy(config));
      },
    });
  },
});
module.exports.PlatformPolicy = PlatformPolicy;
