// A real OpenID Connect provider (npm oidc-provider) for the test beside it. Whoever comes is signed in as the account
// that the address of the authorisation names by login_hint, without a form. Arguments: port, client's secret, redirect.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const [folder, port, secret, redirect] = process.argv.slice(2);
const require = createRequire(folder + '/package.json');
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));
const issuer = `http://127.0.0.1:${port}`;
const subject = () => process.env.SUBJECT ?? 'subject-0042';

const provider = new Provider(issuer, {
  clients: [{ client_id: 'kangmai', client_secret: secret, redirect_uris: [redirect] }],
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: 'health_bureau' }),
  }),
  interactions: { url: (_, interaction) => `/come/${interaction.uid}` },
});

provider.use(async (context, next) => {
  if (!context.path.startsWith('/come/')) return next();
  const details = await provider.interactionDetails(context.req, context.res);
  const { prompt, params, session } = details;
  let result;
  if (prompt.name === 'login') {
    result = { login: { accountId: subject() } };
  } else {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid profile');
    result = { consent: { grantId: await grant.save() } };
  }
  const to = await provider.interactionResult(context.req, context.res, result, { mergeWithLastSubmission: true });
  context.redirect(to);
});

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
