import fc from 'fast-check';
import { expect, test } from 'vitest';
import { masked, maskedThroughout } from '../src/masked.ts';
import { isSecretName, openSecrets, secretDefaultsIn, secretsOf } from '../src/secrets.ts';

function maskOf(variables: Readonly<Record<string, string>>, units: readonly string[] = []) {
  const secrets = openSecrets();
  secrets.learn(Object.entries(variables).map(([name, value]) => ({ name, value })));
  secrets.spare(units);
  return secrets.mask;
}

test.each([
  'API_TOKEN', 'password', 'DB_PASSWORD', 'PGPASSWORD', 'MYSQL_PWD', 'apiKey', 'STRIPE_KEY', 'AWS_SECRET_ACCESS_KEY', '--auth-token', 'X-Api-Key', 'client_secret', 'LOGIN_PIN', 'NPM_AUTH',
])('%s names a secret', (name) => expect(isSecretName(name)).toBe(true));

test.each([
  'PORT', 'HOME', 'PWD', 'PATH', 'PASSWORD_FILE', 'TOKEN_URL', 'SSH_AUTH_SOCK', 'PUBLIC_KEY', 'KEYBOARD', 'MONKEY', 'AUTHOR', 'COMPASS', 'SECRET_NAME', '',
])('%s names none', (name) => expect(isSecretName(name)).toBe(false));

test('of an environment only what has a secret name is known', () => {
  expect(secretsOf({ API_TOKEN: 'a', PORT: '1', EMPTY_TOKEN: undefined })).toEqual([{ name: 'API_TOKEN', value: 'a' }]);
});

test('the default of a reference is known where the name of the variable is secret', () => {
  expect(secretDefaultsIn('run ${API_TOKEN:-one} ${PORT:-8080} ${DB_PASSWORD:=two} ${API_KEY:-} ${API_KEY}')).toEqual([{ name: 'API_TOKEN', value: 'one' }, { name: 'DB_PASSWORD', value: 'two' }]);
  expect(secretDefaultsIn('${DB_PASSWORD:-${FALLBACK:-one}} ${HOST:-${API_TOKEN:-two}} ${API_KEY:-${OTHER}}')).toEqual([{ name: 'DB_PASSWORD', value: 'one' }, { name: 'API_TOKEN', value: 'two' }]);
});

test('a value is replaced by a reference to its variable, the longest value first', () => {
  const mask = maskOf({ SHORT: 'planted', LONG: 'planted-and-more' });
  expect(mask('run --a planted --b=planted-and-more xplanted')).toBe('run --a ${SHORT} --b=${LONG} xplanted');
  expect(maskOf({ LONG: 'planted-and-more' })('xplanted-and-morey')).toBe('x${LONG}y');
});

test('what is too short or too common to be told from other text stays', () => {
  const mask = maskOf({ A: 'abc', B: 'true', C: '8080', HOME: '/home/somebody', D: '  ' });
  expect(mask('abc true 8080 /home/somebody')).toBe('abc true 8080 /home/somebody');
  expect(maskOf({ LOGIN_PIN: '4711' })('pin is 4711, not 47110')).toBe('pin is ${LOGIN_PIN}, not 47110');
  expect(maskOf({ LOGIN_PIN: 'xq7', AREA: 'eu1', API_KEY: 'xy', SALT: ' x ' })('xq7 eu1 xy x xq78')).toBe('${LOGIN_PIN} eu1 xy x xq78');
});

test('a value that is the name of a unit stays, whichever of the two is known first', () => {
  expect(maskOf({ POSTGRES_USER: 'postgres' }, ['postgres'])('postgres failed')).toBe('postgres failed');
  const secrets = openSecrets();
  secrets.spare(['postgres']);
  secrets.learn([{ name: 'POSTGRES_USER', value: 'postgres' }]);
  expect(secrets.mask('postgres failed')).toBe('postgres failed');
});

test.each([
  ['a key of\nseveral lines\nlike-this-one', 'x a key of several lines like-this-one y'],
  ['a key of\nseveral lines\nlike-this-one', 'only like-this-one'],
  ['quo"ted\\value', JSON.stringify({ value: 'quo"ted\\value' })],
  ['a b&c=d/e', `http://h/?q=${encodeURIComponent('a b&c=d/e')}`],
  ["it's secret", `sh -c 'it'"'"'s secret'`],
])('%j is found in %j', (value, text) => {
  const mask = maskOf({ VALUE: value });
  expect(mask(text)).toContain('${VALUE}');
  for (const line of value.split('\n').filter((part) => part.length >= 8)) expect(mask(text)).not.toContain(line);
});

test.each([
  ['server --password=hunter2 --port 80', 'server --password=*** --port 80'],
  ['server --api-token hunter2 x', 'server --api-token *** x'],
  ['server --api-token --verbose', 'server --api-token --verbose'],
  ['API_KEY=hunter2 server', 'API_KEY=*** server'],
  ["curl -H 'Authorization: Bearer abcdefgh12345'", "curl -H 'Authorization: *** ***'"],
  ['psql postgres://me:hunter2@db/x', 'psql postgres://me:***@db/x'],
  ['get http://db/x?token=hunter2&y=1', 'get http://db/x?token=***&y=1'],
  [`curl -d '{"password": "two words", "user": "me"}'`, `curl -d '{"password": "***", "user": "me"}'`],
  ['curl -H X-Api-Key:hunter2', 'curl -H X-Api-Key:***'],
  ['server --token ${TOKEN} --key=$KEY', 'server --token ${TOKEN} --key=$KEY'],
  ['server ${API_TOKEN:-hunter2} ${API_TOKEN-hunter2} ${API_TOKEN:=hunter2} ${PORT:-8080}', 'server ${API_TOKEN:-***} ${API_TOKEN-***} ${API_TOKEN:=***} ${PORT:-8080}'],
  ['server --token ${TOKEN:-hunter2} --key=${MAIN:-hunter2} db://me:${DB_PASSWORD:-hunter2}@h', 'server --token ${TOKEN:-***} --key=*** db://me:${DB_PASSWORD:-***}@h'],
  ['server ${API_TOKEN:-${OTHER:-hunter2}} ${HOST:-${API_TOKEN:-hunter2}}', 'server ${API_TOKEN:-***} ${HOST:-${API_TOKEN:-***}}'],
  ['server --token ${TOKEN:-} --key=${MAIN:-} --pin ${PIN_CODE:-two words} on', 'server --token ${TOKEN:-} --key=${MAIN:-} --pin *** on'],
  ['the token is wrong', 'the token is wrong'],
  ['services.web.env.API_TOKEN: expected a string', 'services.web.env.API_TOKEN: expected a string'],
  ['http://db:80/x keyboard=us', 'http://db:80/x keyboard=us'],
])('without a known value %j is shown as %j', (text, expected) => expect(maskOf({})(text)).toBe(expected));

test('of plain data free texts are masked, and names are not', () => {
  const mask = maskOf({ TOKEN: 'planted-value' });
  const data = { name: 'planted-value', command: 'run planted-value', nested: [{ reason: 'planted-value is bad', pid: 1 }], argv: ['run', '--password', 'x', '--key=y', 'planted-value'] };
  expect(masked(data, mask)).toEqual({
    name: 'planted-value', command: 'run ${TOKEN}', nested: [{ reason: '${TOKEN} is bad', pid: 1 }], argv: ['run', '--password', '***', '--key=***', '${TOKEN}'],
  });
  expect(maskedThroughout({ any: ['planted-value'] }, mask)).toEqual({ any: ['${TOKEN}'] });
  const clean = { command: 'run', list: [1] };
  expect(masked(clean, mask)).toBe(clean);
});

test('no value of eight characters or more is left in any text', () => {
  fc.assert(fc.property(fc.string({ minLength: 8, unit: 'grapheme' }).filter((value) => value.trim().length >= 8), fc.string(), fc.string(), (value, before, after) => {
    const shown = maskOf({ V: value })(`${before}${value}${after}`);
    expect(shown.replaceAll('${V}', '')).not.toContain(value);
  }));
});

test('a value in base64 is found at each of its alignments, in the form of that for URLs and behind other text; words that only look like it stay', () => {
  const value = 'planted>value?with~all';
  const mask = maskOf({ API_TOKEN: value, PIN: '123' });
  for (const before of ['', 'm', 'me', 'me:', 'user:']) {
    for (const encoding of ['base64', 'base64url'] as const) {
      const encoded = Buffer.from(`${before}${value}${before}`).toString(encoding);
      expect(mask(`run ${encoded} x`)).toBe('run ${API_TOKEN} x');
      expect(mask(`header=${encoded}`)).toBe('header=${API_TOKEN}');
      expect(mask(`abc/${encoded}`)).not.toContain(encoded.slice(4, -4));
    }
  }
  const others = `/usr/lib/Node_modules/app/Server.js ${Buffer.from('some other text, as long').toString('base64')} sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=`;
  expect(mask(others)).toBe(others);
});

test.each([1000, 1001, 32_768, 131_000])('a value of %i characters is replaced like any other, in base64 too', (length) => {
  const value = 'x'.repeat(length);
  const mask = maskOf({ BUNDLE: value, API_TOKEN: 'planted-value' });
  expect(mask(`a ${value} b planted-value`)).toBe('a ${BUNDLE} b ${API_TOKEN}');
  expect(mask(`a ${Buffer.from(`me:${value}`).toString('base64')} b`)).toBe('a ${BUNDLE} b');
  expect(maskOf({ BUNDLE: value })(`a ${value}`)).toBe('a ${BUNDLE}');
});
