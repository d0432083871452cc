import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { createRegistryClient } from '#registry';
import { parseDigest } from '#spec';
import { runProgram } from '../../helpers/docker-cli.ts';
import { digestOf, errorCodes, RegistryProbe, someBytes } from '../../helpers/registry-client.ts';
import { TestRegistry } from '../../helpers/registry.ts';
import { until } from '../../helpers/until.ts';

const launcher = new URL('../../../bin/berth-registry', import.meta.url).pathname;
let folder: string;
let htpasswd: string;

before(async () => {
  folder = mkdtempSync('/var/tmp/berth-registry-auth-');
  htpasswd = join(folder, 'htpasswd');
  await addUser('alice', 'wonderland');
  // One user as Apache's tool writes him.
  const { exitCode, stderr } = await runProgram('htpasswd', ['-bB', '-C', '5', htpasswd, 'bob', 'builder']);
  assert.equal(exitCode, 0, stderr);
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function addUser(user: string, password: string): Promise<void> {
  const result = await runProgram(launcher, ['htpasswd', htpasswd, user], { stdin: `${password}\n` });
  assert.equal(result.exitCode, 0, result.stderr);
}

const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

const rules = [
  { users: ['alice'], repositories: ['**'], actions: ['*'] },
  { users: ['bob'], repositories: ['bob/*', 'shared/**'], actions: ['pull', 'push'] },
  { users: ['anonymous', '*'], repositories: ['public/**'], actions: ['pull'] },
];

async function startRegistry(t: TestContext, auth: Record<string, unknown>): Promise<TestRegistry> {
  const registry = await TestRegistry.start({ config: { auth: { htpasswd, rules, ...auth } } });
  t.after(async () => await registry.dispose());
  return registry;
}

test('basic: a challenge, wrong and right passwords, rules per repository and action', async (t) => {
  const registry = await startRegistry(t, { mode: 'basic', realm: 'tests' });
  const anonymous = new RegistryProbe(registry.url);
  const asked = await anonymous.get('/v2/');
  assert.deepEqual([asked.status, asked.headers.get('www-authenticate')], [401, 'Basic realm="tests"']);
  assert.deepEqual(errorCodes(asked), ['UNAUTHORIZED']);
  assert.equal((await anonymous.get('/v2/', basic('alice', 'wrong'))).status, 401);
  assert.equal((await anonymous.get('/v2/', basic('nobody', 'wonderland'))).status, 401);
  const alice = anonymous.with(basic('alice', 'wonderland'));
  const bob = anonymous.with(basic('bob', 'builder'));
  assert.equal((await alice.get('/v2/')).status, 200);
  assert.equal((await bob.get('/v2/')).status, 200);
  await alice.pushImage('public/image', '1');
  await bob.pushImage('bob/own', '1');
  await alice.pushImage('alice/own', '1');
  assert.equal((await anonymous.get('/v2/public/image/manifests/1')).status, 200);
  const refused = await bob.get('/v2/alice/own/manifests/1');
  assert.deepEqual([refused.status, errorCodes(refused)], [403, ['DENIED']]);
  assert.equal((await bob.send('POST', '/v2/bob/deep/er/blobs/uploads/')).status, 403);
  assert.equal((await bob.send('DELETE', '/v2/bob/own/manifests/1')).status, 403);
  assert.equal((await bob.get('/v2/_catalog')).status, 403);
  assert.equal((await alice.get('/v2/_catalog')).status, 200);
  assert.equal((await alice.send('DELETE', '/v2/bob/own/manifests/1')).status, 202);
  assert.ok(
    !registry.log().includes('wonderland') && !registry.log().includes(basic('bob', 'builder')['authorization'] ?? ''),
  );
});

test('basic: a mount from a repository the user may not read is as if it were not there', async (t) => {
  const registry = await startRegistry(t, { mode: 'basic' });
  const alice = new RegistryProbe(registry.url, basic('alice', 'wonderland'));
  const bob = new RegistryProbe(registry.url, basic('bob', 'builder'));
  const secret = await alice.pushBlob('alice/secret', someBytes());
  for (const query of [`mount=${secret}&from=alice/secret`, `mount=${secret}`]) {
    assert.equal((await bob.send('POST', `/v2/bob/own/blobs/uploads/?${query}`)).status, 202);
  }
  assert.equal((await bob.get(`/v2/bob/own/blobs/${secret}`)).status, 404);
  // The bytes of the same blob pushed by its owner-to-be are his, too.
  const upload = await alice.beginUpload('alice/secret');
  const stolen = upload.replace('alice/secret', 'bob/own');
  assert.deepEqual(errorCodes(await bob.get(stolen)), ['BLOB_UPLOAD_UNKNOWN']);
});

test('basic: guessing ends in 429, who was in before stays in', async (t) => {
  const registry = await startRegistry(t, { mode: 'basic' });
  const probe = new RegistryProbe(registry.url);
  assert.equal((await probe.get('/v2/', basic('bob', 'builder'))).status, 200);
  const statuses: number[] = [];
  for (let guess = 0; guess < 12; guess++)
    statuses.push((await probe.get('/v2/', basic('bob', `guess ${guess}`))).status);
  assert.deepEqual(new Set(statuses), new Set([401, 429]));
  const refused = await probe.get('/v2/', basic('bob', 'another'));
  assert.deepEqual([refused.status, errorCodes(refused)], [429, ['TOOMANYREQUESTS']]);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await probe.get('/v2/', basic('bob', 'builder'))).status, 200);
});

test('basic: a changed password counts within seconds, the old one no longer', async (t) => {
  await addUser('carol', 'before');
  const registry = await startRegistry(t, { mode: 'basic' });
  const probe = new RegistryProbe(registry.url);
  assert.equal((await probe.get('/v2/', basic('carol', 'before'))).status, 200);
  await addUser('carol', 'after');
  await until(async () => (await probe.get('/v2/', basic('carol', 'after'))).status === 200, {
    what: 'the new password',
    intervalMs: 300,
  });
  assert.equal((await probe.get('/v2/', basic('carol', 'before'))).status, 401);
});

interface TokenAnswer {
  token: string;
  refresh_token?: string;
  scope: string;
  expires_in: number;
}

const parse = (body: Buffer): TokenAnswer => JSON.parse(body.toString()) as TokenAnswer;

test('token: challenge, GET with basic, scopes cut to what the rules grant, insufficient scope', async (t) => {
  const registry = await startRegistry(t, { mode: 'token' });
  const probe = new RegistryProbe(registry.url);
  const asked = await probe.send('POST', '/v2/bob/own/blobs/uploads/');
  assert.equal(asked.status, 401);
  assert.equal(
    asked.headers.get('www-authenticate'),
    `Bearer realm="${registry.url}/token",service="berth-registry",scope="repository:bob/own:pull,push"`,
  );
  const scope = 'repository:bob/own:pull,push,delete&scope=repository:alice/x:pull';
  const answer = await probe.get(`/token?service=berth-registry&scope=${scope}`, basic('bob', 'builder'));
  assert.equal(answer.status, 200);
  const { token, scope: granted, refresh_token: refresh } = parse(answer.body);
  assert.deepEqual([granted, refresh], ['repository:bob/own:pull,push repository:alice/x:', undefined]);
  const bob = probe.with({ authorization: `Bearer ${token}` });
  await bob.pushImage('bob/own', '1');
  const more = await bob.send('DELETE', '/v2/bob/own/manifests/1');
  assert.equal(more.status, 401);
  assert.match(
    more.headers.get('www-authenticate') ?? '',
    /scope="repository:bob\/own:delete",error="insufficient_scope"/,
  );
  assert.equal((await probe.get('/token?scope=x', basic('bob', 'wrong'))).status, 401);
  assert.equal((await probe.get('/token?service=elsewhere')).status, 403);
  assert.match(
    (await probe.get('/v2/', { authorization: `Bearer ${token}x` })).headers.get('www-authenticate') ?? '',
    /error="invalid_token"/,
  );
});

test('token: nobody in particular gets a token for what is public', async (t) => {
  const registry = await startRegistry(t, { mode: 'token' });
  const alice = new RegistryProbe(registry.url, basic('alice', 'wonderland'));
  await alice.pushImage('public/image', '1');
  const probe = new RegistryProbe(registry.url);
  const { token, scope } = parse((await probe.get('/token?scope=repository:public/image:pull,push')).body);
  assert.equal(scope, 'repository:public/image:pull');
  assert.equal((await probe.get('/v2/public/image/manifests/1', { authorization: `Bearer ${token}` })).status, 200);
});

test('token: OAuth2 POST with password, then with the refresh token until the password changes', async (t) => {
  await addUser('dave', 'one');
  const registry = await startRegistry(t, {
    mode: 'token',
    rules: [{ users: ['dave'], repositories: ['**'], actions: ['*'] }],
  });
  const probe = new RegistryProbe(registry.url);
  const post = async (form: Record<string, string>): ReturnType<RegistryProbe['send']> =>
    await probe.send('POST', '/token', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ service: 'berth-registry', scope: 'repository:x/y:pull', ...form }).toString(),
    });
  const first = await post({ grant_type: 'password', username: 'dave', password: 'one', access_type: 'offline' });
  const refresh = parse(first.body).refresh_token ?? '';
  assert.notEqual(refresh, '');
  const again = await post({ grant_type: 'refresh_token', refresh_token: refresh });
  assert.equal(parse(again.body).scope, 'repository:x/y:pull');
  assert.equal((await probe.get('/v2/', { authorization: `Bearer ${refresh}` })).status, 401);
  await addUser('dave', 'two');
  await until(async () => (await post({ grant_type: 'refresh_token', refresh_token: refresh })).status === 401, {
    what: 'the end of the refresh token',
    intervalMs: 300,
  });
});

test("token: Debian's docker-registry takes our tokens, our client's among them, and only for what they are for", async (t) => {
  const registry = await startRegistry(t, { mode: 'token', token: { otherServices: ['debian'] } });
  const printed = await runProgram(launcher, ['token-certificate', '--config', registry.configPath]);
  assert.equal(printed.exitCode, 0, printed.stderr);
  const bundle = join(folder, 'bundle.pem');
  writeFileSync(bundle, printed.stdout);
  const port = await freePort();
  const config = join(folder, 'docker-registry.yml');
  writeFileSync(
    config,
    `version: 0.1
storage: { filesystem: { rootdirectory: ${join(folder, 'debian')} } }
http: { addr: "127.0.0.1:${port}" }
auth: { token: { realm: "${registry.url}/token", service: debian, issuer: berth-registry, rootcertbundle: ${bundle} } }
`,
  );
  const debian = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  t.after(async () => {
    debian.kill();
    await once(debian, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/v2/`)).status === 401, { what: 'docker-registry' });
  const probe = new RegistryProbe(registry.url);
  const tokenFor = async (scope: string): Promise<string> =>
    parse((await probe.get(`/token?service=debian&scope=${scope}`, basic('alice', 'wonderland'))).body).token;
  const token = await tokenFor('repository:some/image:pull,push');
  await new RegistryProbe(url, { authorization: `Bearer ${token}` }).pushImage('some/image', '1');
  assert.equal(
    (await fetch(`${url}/v2/other/image/tags/list`, { headers: { authorization: `Bearer ${token}` } })).status,
    401,
  );
  const bytes = Buffer.from('pushed by our client');
  using client = createRegistryClient({
    userAgent: 'test',
    insecureRegistries: [],
    mirrors: {},
    certificateDirectories: [],
    proxies: {},
  });
  const credentials = { username: 'alice', password: 'wonderland' };
  const name = { domain: `127.0.0.1:${port}`, path: 'some/other' };
  const { signal } = new AbortController();
  const digest = parseDigest(digestOf(bytes));
  const blob = { digest, sizeBytes: bytes.length };
  const open = async function* (offset: number): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(offset);
  };
  const pushed = await client
    .repository(name, { credentials, actions: 'push' })
    .pushBlob(blob, { open, mountFrom: [], signal });
  assert.equal(pushed, 'uploaded');
  const read: Buffer[] = [];
  for await (const chunk of client.repository(name, { credentials, actions: 'pull' }).readBlob(blob, { signal })) {
    read.push(chunk);
  }
  assert.deepEqual(Buffer.concat(read), bytes);
  const anonymous = client.repository(name, { credentials: {}, actions: 'pull' });
  await assert.rejects(anonymous.hasBlob(digest, { signal }));
  const ours = parse(
    (await probe.get('/token?scope=repository:some/image:pull', basic('alice', 'wonderland'))).body,
  ).token;
  assert.equal(
    (await fetch(`${url}/v2/some/image/tags/list`, { headers: { authorization: `Bearer ${ours}` } })).status,
    401,
  );
});

test('docker-style clients log in, push and pull with tokens (skopeo)', async (t) => {
  const registry = await startRegistry(t, { mode: 'token' });
  const layout = join(folder, 'layout');
  for (const args of [
    ['init', '--layout', layout],
    ['new', '--image', `${layout}:1`],
  ]) {
    assert.equal((await runProgram('umoci', args)).exitCode, 0);
  }
  const target = `docker://${registry.host}/bob/image:1`;
  const push = await runProgram('skopeo', [
    'copy',
    '--dest-tls-verify=false',
    '--dest-creds',
    'bob:builder',
    `oci:${layout}:1`,
    target,
  ]);
  assert.equal(push.exitCode, 0, push.stderr);
  const pull = await runProgram('skopeo', ['inspect', '--tls-verify=false', '--creds', 'alice:wonderland', target]);
  assert.equal(pull.exitCode, 0, pull.stderr);
  const denied = await runProgram('skopeo', ['inspect', '--tls-verify=false', '--no-creds', target]);
  assert.notEqual(denied.exitCode, 0);
});

test('TLS: a replaced certificate is used for new connections, open ones go on', async (t) => {
  const [certificate, key] = [join(folder, 'tls.pem'), join(folder, 'tls.key')];
  await makeCertificate(certificate, key, 'first');
  const registry = await TestRegistry.start({ config: { tls: { certificate, key } } });
  t.after(async () => await registry.dispose());
  const { connect } = await import('node:tls');
  const [host, port] = registry.host.split(':');
  const open = (): ReturnType<typeof connect> => connect({ host, port: Number(port), rejectUnauthorized: false });
  const name = async (): Promise<string> => {
    const socket = open();
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  };
  assert.equal((await runProgram(launcher, ['ping', registry.host])).exitCode, 0);
  const early = open();
  await once(early, 'secureConnect');
  assert.equal(await name(), 'first');
  await makeCertificate(certificate, key, 'second');
  const future = new Date(statSync(certificate).mtimeMs + 5000);
  utimesSync(certificate, future, future);
  await until(async () => (await name()) === 'second', { what: 'the second certificate', intervalMs: 100 });
  early.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of early) text += String(chunk);
  assert.match(text, /^HTTP\/1.1 200/);
});

async function makeCertificate(certificate: string, key: string, name: string): Promise<void> {
  const line = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name}`;
  const made = await runProgram('openssl', [...line.split(' '), '-keyout', key, '-out', certificate]);
  assert.equal(made.exitCode, 0, made.stderr);
  assert.match(readFileSync(certificate, 'utf8'), /BEGIN CERTIFICATE/);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
