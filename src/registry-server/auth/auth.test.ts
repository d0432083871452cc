import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { readBasic } from './basic.ts';
import { certificatePem, dockerKeyId, selfSignedCertificate } from './certificate.ts';
import { FailureLimit } from './failure-limit.ts';
import { parseHtpasswd } from './htpasswd.ts';
import { accessByRules, anonymousPull } from './rules.ts';
import { accessByGrants, grantScopes, parseScopes } from './scopes.ts';

test('parseHtpasswd takes bcrypt lines only', () => {
  const hash = `$2y$10$${'a'.repeat(53)}`;
  const text = `alice:${hash}\n# bob:${hash}\ncarol:{SHA}abc\n:${hash}\nplain\ndave:${hash}\r\n`;
  assert.deepEqual(
    [...parseHtpasswd(text)],
    [
      ['alice', hash],
      ['dave', hash],
    ],
  );
});

test('readBasic splits at the first colon; nothing and two empty halves are nobody', () => {
  const header = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  assert.deepEqual(readBasic(header('a:b:c')), { user: 'a', password: 'b:c' });
  assert.deepEqual(readBasic(header('ü:ö')), { user: 'ü', password: 'ö' });
  for (const text of [undefined, '', 'Bearer x', 'Basic', 'Basic !!!', header(':'), header('abc')]) {
    assert.equal(readBasic(text), undefined);
  }
});

test('accessByRules: grants add up, users without a rule may do nothing', () => {
  const rules = [
    { users: ['alice'], repositories: ['a/**'], actions: ['*' as const] },
    { users: ['*'], repositories: ['shared/*'], actions: ['push' as const] },
    anonymousPull,
  ];
  const alice = accessByRules(rules, 'alice');
  assert.ok(alice.may('a/b/c', 'delete') && alice.may('shared/x', 'push') && alice.may('other', 'pull'));
  assert.ok(!alice.may('shared/x', 'delete') && alice.mayListCatalog());
  const nobody = accessByRules(rules, '');
  assert.ok(nobody.may('a/b', 'pull') && !nobody.may('shared/x', 'push') && !nobody.mayListCatalog());
  assert.ok(accessByRules(undefined, 'bob').may('x', 'delete') && !accessByRules(undefined, '').may('x', 'pull'));
  // A user who calls himself like the word for everybody else is not everybody else.
  assert.ok(!accessByRules([{ users: ['anonymous'], repositories: ['x'], actions: ['*'] }], '').may('y', 'pull'));
});

test('scopes: parsed, cut to what is allowed, and read back from a token', () => {
  const wanted = parseScopes([
    'repository:a/b:pull,push registry:catalog:*',
    'nonsense',
    'repository(plugin):p:pull',
    'repository:c:*',
  ]);
  assert.deepEqual(
    wanted.map(({ name }) => name),
    ['a/b', 'catalog', 'p', 'c'],
  );
  const access = accessByRules([{ users: ['x'], repositories: ['a/*', 'c'], actions: ['pull'] }], 'x');
  const granted = grantScopes(access, wanted);
  assert.deepEqual(granted, [
    { type: 'repository', name: 'a/b', actions: ['pull'] },
    { type: 'repository', name: 'p', actions: [] },
    { type: 'repository', name: 'c', actions: ['pull'] },
  ]);
  const read = accessByGrants('x', granted);
  assert.ok(read.may('a/b', 'pull') && !read.may('a/b', 'push') && !read.may('p', 'pull') && !read.mayListCatalog());
});

test('a name with a colon or an upper-case letter in a scope never matches a repository', () => {
  assert.deepEqual(
    grantScopes(accessByRules(undefined, 'x'), parseScopes(['repository:a:pull:pull'])).map(({ name }) => name),
    ['a:pull'],
  );
});

test('FailureLimit: waits after the limit, forgets after the window, bounds its memory', () => {
  const limit = new FailureLimit(2, 1000, 3);
  limit.add('a', 0);
  assert.equal(limit.waitMs('a', 0), 0);
  limit.add('a', 100);
  assert.equal(limit.waitMs('a', 100), 900);
  assert.equal(limit.waitMs('a', 1000), 0);
  for (const key of ['b', 'c', 'd']) limit.add(key, 2000);
  assert.equal(limit.waitMs('a', 500), 0);
});

test('selfSignedCertificate: a certificate that Node reads, for the key, valid now', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = new X509Certificate(certificatePem(selfSignedCertificate(privateKey, 'berth-registry')));
  assert.equal(certificate.subject, 'CN=berth-registry');
  assert.ok(certificate.checkPrivateKey(privateKey) && certificate.verify(certificate.publicKey) && certificate.ca);
  assert.ok(new Date(certificate.validFrom) <= new Date() && new Date(certificate.validTo) > new Date());
  assert.match(dockerKeyId(privateKey), /^(?:[A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
});
