import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type EngineError, isKind } from '#errors';
import { retryAfterMs } from './answers.ts';
import { readHostCertificates } from './certificates.ts';
import { explainConnectionError, registryFailure, requestText } from './failures.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { manifestMediaType } from './manifest-type.ts';
import { presentable, redactUrl } from './redact.ts';
import { backoffMs, retryDelayMs } from './retry.ts';
import { SingleFlight } from './single-flight.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

function typeOf(manifest: unknown, contentType?: string): string {
  return manifestMediaType(Buffer.from(JSON.stringify(manifest)), contentType, 'docker.io/library/x:1');
}

void test('manifestMediaType believes the body, then a header that agrees, then the shape', () => {
  assert.equal(typeOf({ mediaType: OCI_MANIFEST, config: {}, layers: [] }, DOCKER_MANIFEST), OCI_MANIFEST);
  assert.equal(typeOf({ config: {}, layers: [] }, `${DOCKER_MANIFEST}; charset=utf-8`), DOCKER_MANIFEST);
  assert.equal(typeOf({ config: {}, layers: [] }, OCI_INDEX), OCI_MANIFEST);
  assert.equal(typeOf({ manifests: [] }, 'application/json'), OCI_INDEX);
  assert.equal(typeOf({ layers: [] }), OCI_MANIFEST);
});

void test('manifestMediaType refuses what it cannot be', () => {
  const refused: readonly [unknown, RegExp][] = [
    [{ schemaVersion: 1 }, /schema 1 support has been removed\. Suggest the author of docker\.io\/library\/x:1 to/],
    [{ fsLayers: [] }, /schema 1/],
    [{ mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws' }, /schema 1/],
    [{ mediaType: OCI_MANIFEST, manifests: [] }, /should not have "manifests" or "fsLayers"/],
    [{ manifests: [], layers: [] }, /cannot determine/],
    ['text', /unsupported manifest format/],
  ];
  for (const [manifest, pattern] of refused) assert.throws(() => typeOf(manifest, OCI_MANIFEST), pattern);
  assert.throws(
    () => manifestMediaType(Buffer.from([0x7b, 0xff, 0x7d]), undefined, 'x'),
    /unsupported manifest format/,
  );
});

void test('redactUrl hides users, passwords and unknown values', () => {
  assert.equal(
    redactUrl(new URL('https://me:secret@host/p?digest=sha256%3Aab&sig=abc#frag')),
    'https://host/p?digest=sha256%3Aab&sig=REDACTED',
  );
  assert.equal(requestText('HEAD', new URL('https://me:secret@host/p'), 'x'), 'Head "https://host/p": x');
});

void test('presentable lets no control character through and is bounded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(presentable(text), /[\p{Cc}\p{Cf}]/u);
    }),
  );
  assert.ok(presentable('x'.repeat(10_000)).length < 1100);
});

void test('delays grow to a bound, vary, and stay below it', () => {
  assert.equal(
    backoffMs(1, DEFAULT_LIMITS, () => 0),
    250,
  );
  assert.equal(
    backoffMs(1, DEFAULT_LIMITS, () => 1),
    500,
  );
  assert.equal(
    backoffMs(3, DEFAULT_LIMITS, () => 1),
    2000,
  );
  assert.equal(
    backoffMs(60, DEFAULT_LIMITS, () => 1),
    DEFAULT_LIMITS.longestDelayMs,
  );
});

void test('only what passes is tried again, a fixed number of times, and after what the registry says', () => {
  const passing = registryFailure('unavailable', 'X', 'x', { transient: true });
  assert.equal(retryDelayMs(new Error('x'), 1, DEFAULT_LIMITS), undefined);
  assert.equal(retryDelayMs(registryFailure('notFound', 'X', 'x'), 1, DEFAULT_LIMITS), undefined);
  assert.ok((retryDelayMs(passing, 4, DEFAULT_LIMITS) ?? 0) > 0);
  assert.equal(retryDelayMs(passing, 5, DEFAULT_LIMITS), undefined);
  const told = (retryAfter: number): EngineError =>
    registryFailure('unavailable', 'X', 'x', { transient: true, retryAfterMs: retryAfter });
  assert.equal(retryDelayMs(told(20_000), 1, DEFAULT_LIMITS), 20_000);
  assert.equal(retryDelayMs(told(20_000_000), 1, DEFAULT_LIMITS), undefined);
});

void test('retryAfterMs reads seconds and dates', () => {
  const read = (value?: string): number | undefined =>
    retryAfterMs({ headers: value === undefined ? {} : { 'retry-after': value } }, Date.parse('2026-01-01T00:00:00Z'));
  assert.equal(read('7'), 7000);
  assert.equal(read('Thu, 01 Jan 2026 00:00:09 GMT'), 9000);
  assert.equal(read('Thu, 01 Jan 2015 00:00:09 GMT'), 0);
  assert.equal(read('soon'), undefined);
  assert.equal(read(), undefined);
});

void test('connection errors read as those of Go', () => {
  const explain = (fields: object): string => explainConnectionError(Object.assign(new Error('m'), fields)).text;
  assert.equal(
    explain({ code: 'ECONNREFUSED', address: '::1', port: 5 }),
    'dial tcp [::1]:5: connect: connection refused',
  );
  assert.equal(explain({ code: 'ENOTFOUND', hostname: 'h' }), 'dial tcp: lookup h: no such host');
  assert.equal(
    explain({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  );
  assert.equal(
    explain({ message: 'write EPROTO: wrong version number', code: 'EPROTO' }),
    'http: server gave HTTP response to HTTPS client',
  );
});

void test('the folder of a host is never another one', () => {
  for (const host of ['..', '../x', '.', 'a/b', 'a\0b']) {
    assert.equal(readHostCertificates(['/etc'], host), undefined);
  }
});

void test('SingleFlight shares work, and cancels it when nobody wants it any more', async () => {
  const flights = new SingleFlight<number>();
  const started: AbortSignal[] = [];
  const finish = Promise.withResolvers<number>();
  const work = (signal: AbortSignal): Promise<number> => {
    started.push(signal);
    return finish.promise;
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const one = flights.run('k', first.signal, work);
  const two = flights.run('k', second.signal, work);
  first.abort();
  await assert.rejects(one, (error: unknown) => isKind(error, 'cancelled'));
  assert.equal(started[0]?.aborted, false);
  second.abort();
  await assert.rejects(two, (error: unknown) => isKind(error, 'cancelled'));
  assert.equal(started[0]?.aborted, true);
  const three = flights.run('k', new AbortController().signal, work);
  finish.resolve(3);
  assert.equal(await three, 3);
  assert.equal(started.length, 2);
});
