// Sign-in as whoever the request says: what an identity-aware proxy in front of Backstage is to it, for tests.
// GET /api/auth/headers/refresh with `x-user: user:default/alice` and `x-ownership: group:default/team-a,...`

const { createBackendModule } = require('@backstage/backend-plugin-api');
const { AuthenticationError } = require('@backstage/errors');
const {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} = require('@backstage/plugin-auth-node');

const authenticator = createProxyAuthenticator({
  defaultProfileTransform: async () => ({ profile: {} }),
  initialize() {},
  async authenticate({ req }) {
    const user = req.header('x-user');
    if (!user) throw new AuthenticationError('x-user is missing');
    const ownership = (req.header('x-ownership') ?? '').split(',').filter(Boolean);
    return { result: { user, ownership }, providerInfo: {} };
  },
});

const signInResolver = ({ result }, ctx) =>
  ctx.issueToken({ claims: { sub: result.user, ent: [result.user, ...result.ownership] } });

module.exports = createBackendModule({
  pluginId: 'auth',
  moduleId: 'headers-provider',
  register(module) {
    module.registerInit({
      deps: { providers: authProvidersExtensionPoint },
      async init({ providers }) {
        const factory = createProxyAuthProviderFactory({ authenticator, signInResolver });
        providers.registerProvider({ providerId: 'headers', factory });
      },
    });
  },
});
