import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Answer,
  digestOf,
  errorCodes,
  ociIndex,
  ociManifest,
  RegistryProbe,
  someBytes,
} from '../helpers/registry-client.ts';
import { TestRegistry } from '../helpers/registry.ts';

/**
 * The requirements of OCI Distribution 1.1, clause by clause: the name of each test begins with the clause (the heading of
 * the specification, or the number of the endpoint in its table).
 */
let registry: TestRegistry;
let probe: RegistryProbe;
let repositories = 0;

before(async () => {
  registry = await TestRegistry.start({ config: { uploads: { chunkMinBytes: 100 } } });
  probe = new RegistryProbe(registry.url);
});
after(async () => await registry?.dispose());

/** A name of its own for each test. */
function freshName(): string {
  repositories += 1;
  return `conformance/case-${repositories}`;
}

function clause(name: string, check: (repository: string) => Promise<void>): void {
  test(name, async () => await check(freshName()));
}

function assertError(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.body.toString());
  assert.deepEqual(errorCodes(answer), [code]);
  for (const entry of (JSON.parse(answer.body.toString()) as { errors: { code: string; message: string }[] }).errors) {
    assert.match(entry.code, /^[A-Z_]+$/);
    assert.equal(typeof entry.message, 'string');
  }
}

const nowhere = `sha256:${'0'.repeat(64)}`;

clause('Determining Support (end-1): GET /v2/ answers 200', async () => {
  assert.equal((await probe.get('/v2/')).status, 200);
  assert.equal((await probe.get('/v2')).status, 200);
});

clause('Pulling manifests (end-3): by tag and by digest, 200 with the exact bytes, type and digest', async (name) => {
  const { text, digest } = await probe.pushImage(name, 'one');
  for (const reference of ['one', digest]) {
    const answer = await probe.get(`/v2/${name}/manifests/${reference}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), text);
    assert.equal(answer.headers.get('content-type'), ociManifest);
    assert.equal(answer.headers.get('docker-content-digest'), digest);
  }
});

clause('Pulling manifests (end-3): an absent manifest is 404', async (name) => {
  assertError(await probe.get(`/v2/${name}/manifests/none`), 404, 'NAME_UNKNOWN');
  await probe.pushImage(name, 'one');
  assertError(await probe.get(`/v2/${name}/manifests/none`), 404, 'MANIFEST_UNKNOWN');
  assertError(await probe.get(`/v2/${name}/manifests/${nowhere}`), 404, 'MANIFEST_UNKNOWN');
});

clause('Pulling manifests: the name must match the grammar', async () => {
  for (const name of ['Upper', '-a', 'a..b', 'a___b', 'a//b', 'a/', '_catalog/x', 'a/%2e%2e/b', 'a b']) {
    const answer = await probe.get(`/v2/${encodeURI(name)}/manifests/x`);
    assert.ok([400, 404].includes(answer.status), `${name}: ${answer.status}`);
  }
  assertError(await probe.get('/v2/Upper/manifests/x'), 400, 'NAME_INVALID');
});

clause('Pulling manifests: the reference is a tag of at most 128 characters or a digest', async (name) => {
  await probe.pushImage(name, 'x'.repeat(128));
  assert.equal((await probe.get(`/v2/${name}/manifests/${'x'.repeat(128)}`)).status, 200);
  assert.equal((await probe.get(`/v2/${name}/manifests/${'x'.repeat(129)}`)).status, 400);
  assertError(await probe.get(`/v2/${name}/manifests/sha256:short`), 400, 'DIGEST_INVALID');
});

clause('Pulling blobs (end-2): 200 with the bytes and their digest', async (name) => {
  const content = someBytes();
  const digest = await probe.pushBlob(name, content);
  const answer = await probe.get(`/v2/${name}/blobs/${digest}`);
  assert.equal(answer.status, 200);
  assert.ok(answer.body.equals(content));
  assert.equal(answer.headers.get('docker-content-digest'), digest);
});

clause('Pulling blobs (end-2): an absent blob is 404, also when another repository has it', async (name) => {
  const digest = await probe.pushBlob(freshName(), someBytes());
  assertError(await probe.get(`/v2/${name}/blobs/${digest}`), 404, 'BLOB_UNKNOWN');
});

clause('Pulling blobs: Range by RFC 9110 section 14', async (name) => {
  const content = someBytes(1000);
  const digest = await probe.pushBlob(name, content);
  const ranges: [string, number, number, number][] = [
    ['bytes=0-0', 206, 0, 1],
    ['bytes=10-19', 206, 10, 20],
    ['bytes=990-', 206, 990, 1000],
    ['bytes=990-5000', 206, 990, 1000],
    ['bytes=-10', 206, 990, 1000],
    ['bytes=-5000', 206, 0, 1000],
    ['items=0-1', 200, 0, 1000],
  ];
  for (const [range, status, start, end] of ranges) {
    const answer = await probe.get(`/v2/${name}/blobs/${digest}`, { range });
    assert.equal(answer.status, status, range);
    assert.ok(answer.body.equals(content.subarray(start, end)), range);
    if (status === 206) assert.equal(answer.headers.get('content-range'), `bytes ${start}-${end - 1}/1000`);
  }
  for (const range of ['bytes=1000-', 'bytes=2000-3000', 'bytes=-0']) {
    const answer = await probe.get(`/v2/${name}/blobs/${digest}`, { range });
    assert.equal(answer.status, 416, range);
    assert.equal(answer.headers.get('content-range'), 'bytes */1000');
  }
});

clause('Checking if content exists: HEAD answers 200 with digest and length, without a body', async (name) => {
  const { text, digest, blobs } = await probe.pushImage(name, 'one');
  const manifest = await probe.send('HEAD', `/v2/${name}/manifests/one`);
  assert.deepEqual(
    [
      manifest.status,
      manifest.headers.get('docker-content-digest'),
      manifest.headers.get('content-length'),
      manifest.body.length,
    ],
    [200, digest, String(text.length), 0],
  );
  const blob = await probe.send('HEAD', `/v2/${name}/blobs/${blobs[1]}`);
  assert.deepEqual(
    [blob.status, blob.headers.get('docker-content-digest'), blob.headers.get('content-length'), blob.body.length],
    [200, blobs[1], '1000', 0],
  );
});

clause('Checking if content exists: HEAD of what is absent is 404', async (name) => {
  assert.equal((await probe.send('HEAD', `/v2/${name}/blobs/${nowhere}`)).status, 404);
  assert.equal((await probe.send('HEAD', `/v2/${name}/manifests/none`)).status, 404);
});

clause('Push: a manifest with a subject that does not exist is accepted', async (name) => {
  const subject = { mediaType: ociManifest, digest: nowhere, size: 10 };
  const { text } = await probe.makeManifest(name, { subject });
  const answer = await probe.pushManifest(name, 'referrer', text);
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('oci-subject'), nowhere);
});

clause('Push: a manifest that references absent blobs is MANIFEST_BLOB_UNKNOWN', async (name) => {
  const { text, blobs } = await probe.makeManifest(name);
  assertError(
    await probe.pushManifest(name, 'one', text.replace(blobs[1] ?? '', nowhere)),
    404,
    'MANIFEST_BLOB_UNKNOWN',
  );
  assertError(await probe.pushManifest(freshName(), 'one', text), 404, 'MANIFEST_BLOB_UNKNOWN');
});

clause('Push: an index that references absent manifests is MANIFEST_BLOB_UNKNOWN', async (name) => {
  const index = {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [{ mediaType: ociManifest, digest: nowhere, size: 2 }],
  };
  assertError(await probe.pushManifest(name, 'one', index, ociIndex), 404, 'MANIFEST_BLOB_UNKNOWN');
});

clause('Pushing blobs: an invalid digest, and one of an unsupported algorithm, is 400', async (name) => {
  for (const digest of [
    'sha256:abc',
    'nonsense',
    `sha512:${'0'.repeat(128)}`,
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    '',
  ]) {
    const location = await probe.beginUpload(name);
    assertError(await probe.send('PUT', `${location}?digest=${digest}`, { body: 'x' }), 400, 'DIGEST_INVALID');
    assertError(
      await probe.send('POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: 'x' }),
      400,
      'DIGEST_INVALID',
    );
  }
});

clause(
  'POST then PUT (end-4a, end-6): 202 with a Location holding a UUID, then 201 with the Location of the blob',
  async (name) => {
    const content = someBytes();
    const begun = await probe.send('POST', `/v2/${name}/blobs/uploads/`);
    assert.equal(begun.status, 202);
    const location = begun.headers.get('location') ?? '';
    assert.match(location, /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/);
    const done = await probe.send('PUT', `${location}?digest=${encodeURIComponent(digestOf(content))}`, {
      headers: { 'content-type': 'application/octet-stream' },
      body: content,
    });
    assert.equal(done.status, 201);
    assert.ok((await probe.get(done.headers.get('location') ?? '')).body.equals(content));
  },
);

clause('POST then PUT: content that has another digest is DIGEST_INVALID, and nothing of it stays', async (name) => {
  const location = await probe.beginUpload(name);
  assertError(await probe.send('PUT', `${location}?digest=${nowhere}`, { body: 'not zeros' }), 400, 'DIGEST_INVALID');
  assertError(await probe.get(`/v2/${name}/blobs/${nowhere}`), 404, 'BLOB_UNKNOWN');
  assertError(await probe.get(`/v2/${name}/blobs/${digestOf('not zeros')}`), 404, 'BLOB_UNKNOWN');
});

clause('Single POST (end-4b): 201 with the Location of the blob', async (name) => {
  const content = someBytes();
  const answer = await probe.send('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(content)}`, { body: content });
  assert.equal(answer.status, 201);
  assert.ok((await probe.get(answer.headers.get('location') ?? '')).body.equals(content));
  const wrong = await probe.send('POST', `/v2/${name}/blobs/uploads/?digest=${nowhere}`, { body: content });
  assertError(wrong, 400, 'DIGEST_INVALID');
});

clause(
  'Pushing a blob in chunks (end-5): OCI-Chunk-Min-Length, 202 with Location and Range, 201 at the end',
  async (name) => {
    const content = someBytes(250);
    const begun = await probe.send('POST', `/v2/${name}/blobs/uploads/`, { headers: { 'content-length': '0' } });
    assert.equal(begun.headers.get('oci-chunk-min-length'), '100');
    let location = begun.headers.get('location') ?? '';
    for (const [start, end] of [
      [0, 99],
      [100, 199],
    ] as const) {
      const answer = await probe.send('PATCH', location, {
        headers: { 'content-range': `${start}-${end}`, 'content-type': 'application/octet-stream' },
        body: content.subarray(start, end + 1),
      });
      assert.equal(answer.status, 202);
      assert.equal(answer.headers.get('range'), `0-${end}`);
      location = answer.headers.get('location') ?? '';
    }
    const done = await probe.send('PUT', `${location}?digest=${digestOf(content)}`, {
      headers: { 'content-range': '200-249' },
      body: content.subarray(200),
    });
    assert.equal(done.status, 201);
    assert.ok((await probe.get(done.headers.get('location') ?? '')).body.equals(content));
  },
);

clause('Pushing a blob in chunks: the last chunk by PATCH, then a PUT without a body', async (name) => {
  const content = someBytes(150);
  const location = await probe.beginUpload(name);
  await probe.send('PATCH', location, { headers: { 'content-range': '0-99' }, body: content.subarray(0, 100) });
  await probe.send('PATCH', location, { headers: { 'content-range': '100-149' }, body: content.subarray(100) });
  assert.equal((await probe.send('PUT', `${location}?digest=${digestOf(content)}`)).status, 201);
});

clause('Pushing a blob in chunks: a PATCH without Content-Range goes to the end', async (name) => {
  const content = someBytes(150);
  const location = await probe.beginUpload(name);
  await probe.send('PATCH', location, { body: content.subarray(0, 60) });
  await probe.send('PATCH', location, { body: content.subarray(60) });
  assert.equal((await probe.send('PUT', `${location}?digest=${digestOf(content)}`)).status, 201);
});

clause('Pushing a blob in chunks: out of order is 416, and GET tells where to go on', async (name) => {
  const content = someBytes(300);
  const location = await probe.beginUpload(name);
  const first = { headers: { 'content-range': '100-199' }, body: content.subarray(100, 200) };
  assert.equal((await probe.send('PATCH', location, first)).status, 416);
  await probe.send('PATCH', location, { headers: { 'content-range': '0-99' }, body: content.subarray(0, 100) });
  const skipped = { headers: { 'content-range': '200-299' }, body: content.subarray(200) };
  const refused = await probe.send('PATCH', location, skipped);
  assert.equal(refused.status, 416);
  assert.equal(refused.headers.get('range'), '0-99');
  assert.equal((await probe.send('PUT', `${location}?digest=${digestOf(content)}`, skipped)).status, 416);
  const status = await probe.get(location);
  assert.deepEqual([status.status, status.headers.get('range')], [204, '0-99']);
  await probe.send('PATCH', status.headers.get('location') ?? '', first);
  const done = await probe.send('PUT', `${location}?digest=${digestOf(content)}`, skipped);
  assert.equal(done.status, 201);
});

clause(
  'Pushing a blob in chunks: a chunk of another length than its range is SIZE_INVALID and leaves nothing',
  async (name) => {
    const location = await probe.beginUpload(name);
    const lie = { headers: { 'content-range': '0-99' }, body: 'short' };
    assertError(await probe.send('PATCH', location, lie), 400, 'SIZE_INVALID');
    assert.equal((await probe.get(location)).headers.get('range'), '0-0');
    const content = someBytes(10);
    assert.equal((await probe.send('PUT', `${location}?digest=${digestOf(content)}`, { body: content })).status, 201);
  },
);

clause('Pushing a blob in chunks: an unknown upload is BLOB_UPLOAD_UNKNOWN', async (name) => {
  const upload = `/v2/${name}/blobs/uploads/00000000-0000-4000-8000-000000000000`;
  for (const [method, path] of [
    ['GET', upload],
    ['PATCH', upload],
    ['PUT', `${upload}?digest=${nowhere}`],
    ['DELETE', upload],
  ] as const) {
    assertError(await probe.send(method, path, method === 'PATCH' ? { body: 'x' } : {}), 404, 'BLOB_UPLOAD_UNKNOWN');
  }
});

clause('Cancel a blob upload (end-14): 204, and then it is unknown', async (name) => {
  const location = await probe.beginUpload(name);
  assert.equal((await probe.send('DELETE', location)).status, 204);
  assertError(await probe.get(location), 404, 'BLOB_UPLOAD_UNKNOWN');
});

clause('Mounting a blob (end-11): 201 with Location when the source has it', async (name) => {
  const content = someBytes();
  const source = freshName();
  const digest = await probe.pushBlob(source, content);
  const answer = await probe.send('POST', `/v2/${name}/blobs/uploads/?mount=${digest}&from=${source}`);
  assert.equal(answer.status, 201);
  assert.ok((await probe.get(answer.headers.get('location') ?? '')).body.equals(content));
});

clause('Mounting a blob: without from it is found where it is', async (name) => {
  const digest = await probe.pushBlob(freshName(), someBytes());
  assert.equal((await probe.send('POST', `/v2/${name}/blobs/uploads/?mount=${digest}`)).status, 201);
});

clause('Mounting a blob: 202 and an upload when the source has it not', async (name) => {
  const answer = await probe.send('POST', `/v2/${name}/blobs/uploads/?mount=${nowhere}&from=${freshName()}`);
  assert.equal(answer.status, 202);
  assert.equal((await probe.get(answer.headers.get('location') ?? '')).status, 204);
});

clause('Pushing Manifests (end-7): 201 with Location and Docker-Content-Digest, by tag and by digest', async (name) => {
  const { text, digest } = await probe.makeManifest(name);
  for (const reference of ['tag', digest]) {
    const answer = await probe.pushManifest(name, reference, text);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.equal((await probe.get(answer.headers.get('location') ?? '')).body.toString(), text);
  }
});

clause('Pushing Manifests: the exact bytes are kept, however they are written', async (name) => {
  const { text } = await probe.makeManifest(name);
  const strange = `\n ${JSON.stringify(JSON.parse(text), null, 7)}\n\n`;
  assert.equal((await probe.pushManifest(name, 'strange', strange)).status, 201);
  assert.equal((await probe.get(`/v2/${name}/manifests/strange`)).body.toString(), strange);
});

clause('Pushing Manifests: another digest than the one in the URL is DIGEST_INVALID', async (name) => {
  const { text } = await probe.makeManifest(name);
  assertError(await probe.pushManifest(name, nowhere, text), 400, 'DIGEST_INVALID');
});

clause('Pushing Manifests: parameters of Content-Type do not count, and are not given back', async (name) => {
  const { text } = await probe.makeManifest(name);
  assert.equal((await probe.pushManifest(name, 'one', text, `${ociManifest}; charset=utf-8`)).status, 201);
  assert.equal((await probe.get(`/v2/${name}/manifests/one`)).headers.get('content-type'), ociManifest);
});

clause('Pushing Manifests: no layers are fine', async (name) => {
  const { text } = await probe.makeManifest(name, { layers: [] });
  assert.equal((await probe.pushManifest(name, 'empty', text)).status, 201);
});

clause('Pushing Manifests: what is no manifest is MANIFEST_INVALID', async (name) => {
  const { text } = await probe.makeManifest(name);
  const bad: [string, string][] = [
    ['', ociManifest],
    ['[]', ociManifest],
    ['{"schemaVersion":2}', ociManifest],
    ['{"schemaVersion":1}', 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    [text, ociIndex],
    [text, 'text/plain'],
    [text.replace('"layers"', '"manifests":[],"layers"'), ociManifest],
  ];
  for (const [body, type] of bad)
    assertError(await probe.pushManifest(name, 'bad', body, type), 400, 'MANIFEST_INVALID');
});

clause('Pushing Manifests: four megabytes are taken, more is 413', async (name) => {
  const { text } = await probe.makeManifest(name);
  const limit = 4 * 1024 * 1024;
  const padded = text + ' '.repeat(limit - text.length);
  assert.equal((await probe.pushManifest(name, 'large', padded)).status, 201);
  assert.equal((await probe.pushManifest(name, 'larger', `${padded} `)).status, 413);
});

clause('Pushing Manifests (end-7b): tags in the query of a push by digest, told in OCI-Tag', async (name) => {
  const { text, digest } = await probe.makeManifest(name);
  const answer = await probe.pushManifest(name, `${digest}?tag=a&tag=b`, text);
  assert.equal(answer.headers.get('oci-tag'), 'a, b');
  assert.equal((await probe.get(`/v2/${name}/manifests/b`)).headers.get('docker-content-digest'), digest);
});

clause('Pushing Manifests with Subject: OCI-Subject is the digest of the subject', async (name) => {
  const { digest, text } = await probe.pushImage(name, 'base');
  const { text: referrer } = await probe.makeManifest(name, {
    subject: { mediaType: ociManifest, digest, size: text.length },
  });
  assert.equal((await probe.pushManifest(name, digestOf(referrer), referrer)).headers.get('oci-subject'), digest);
});

clause('Listing Tags (end-8a): 200, name and tags in byte order', async (name) => {
  const { text } = await probe.makeManifest(name);
  for (const tag of ['b', 'a', 'B', '10', '9']) await probe.pushManifest(name, tag, text);
  const answer = await probe.get(`/v2/${name}/tags/list`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.deepEqual(JSON.parse(answer.body.toString()), { name, tags: ['10', '9', 'B', 'a', 'b'] });
});

clause('Listing Tags (end-8b): n, last and Link', async (name) => {
  const { text } = await probe.makeManifest(name);
  for (const tag of ['a', 'b', 'c', 'd', 'e']) await probe.pushManifest(name, tag, text);
  const tagsAt = async (query: string): Promise<{ tags: string[]; link: string | null }> => {
    const answer = await probe.get(`/v2/${name}/tags/list${query}`);
    return { tags: (JSON.parse(answer.body.toString()) as { tags: string[] }).tags, link: answer.headers.get('link') };
  };
  assert.deepEqual(await tagsAt('?n=0'), { tags: [], link: null });
  assert.deepEqual(await tagsAt('?n=5'), { tags: ['a', 'b', 'c', 'd', 'e'], link: null });
  assert.deepEqual((await tagsAt('?last=c')).tags, ['d', 'e']);
  const seen: string[] = [];
  for (let query: string | undefined = '?n=2'; query !== undefined;) {
    const { tags, link } = await tagsAt(query);
    seen.push(...tags);
    query = link === null ? undefined : /^<[^?]*(\?[^>]*)>; rel="next"$/.exec(link)?.[1];
  }
  assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'e']);
  for (const n of ['-1', 'x', '1.5'])
    assertError(await probe.get(`/v2/${name}/tags/list?n=${n}`), 400, 'PAGINATION_NUMBER_INVALID');
});

clause(
  'Listing Tags: an unknown repository is NAME_UNKNOWN, and so is one with nothing but uploads and blobs',
  async (name) => {
    assertError(await probe.get(`/v2/${name}/tags/list`), 404, 'NAME_UNKNOWN');
    await probe.pushBlob(name, someBytes());
    assertError(await probe.get(`/v2/${name}/tags/list`), 404, 'NAME_UNKNOWN');
  },
);

clause('Listing Referrers (end-12a): an index of descriptors with artifactType and annotations', async (name) => {
  const { digest, text } = await probe.pushImage(name, 'base');
  const subject = { mediaType: ociManifest, digest, size: text.length };
  const typed = await probe.makeManifest(name, {
    subject,
    artifactType: 'application/x.sbom',
    annotations: { a: 'b' },
  });
  const untyped = await probe.makeManifest(name, { subject });
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [],
    subject,
    annotations: { i: 'x' },
  });
  await probe.pushManifest(name, typed.digest, typed.text);
  await probe.pushManifest(name, untyped.digest, untyped.text);
  await probe.pushManifest(name, digestOf(index), index, ociIndex);
  const answer = await probe.get(`/v2/${name}/referrers/${digest}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), ociIndex);
  const list = JSON.parse(answer.body.toString()) as {
    schemaVersion: number;
    mediaType: string;
    manifests: { digest: string }[];
  };
  assert.deepEqual([list.schemaVersion, list.mediaType], [2, ociIndex]);
  const expected = [
    {
      mediaType: ociManifest,
      size: typed.text.length,
      digest: typed.digest,
      artifactType: 'application/x.sbom',
      annotations: { a: 'b' },
    },
    {
      mediaType: ociManifest,
      size: untyped.text.length,
      digest: untyped.digest,
      artifactType: 'application/vnd.oci.image.config.v1+json',
    },
    { mediaType: ociIndex, size: index.length, digest: digestOf(index), annotations: { i: 'x' } },
  ];
  assert.deepEqual(
    list.manifests,
    expected.sort((a, b) => (a.digest < b.digest ? -1 : 1)),
  );
});

clause('Listing Referrers (end-12b): artifactType filters, told in OCI-Filters-Applied', async (name) => {
  const { digest, text } = await probe.pushImage(name, 'base');
  const subject = { mediaType: ociManifest, digest, size: text.length };
  for (const artifactType of ['application/x.a', 'application/x.b']) {
    const { text: referrer } = await probe.makeManifest(name, { subject, artifactType });
    await probe.pushManifest(name, digestOf(referrer), referrer);
  }
  const answer = await probe.get(`/v2/${name}/referrers/${digest}?artifactType=application%2Fx.a`);
  assert.equal(answer.headers.get('oci-filters-applied'), 'artifactType');
  const { manifests } = JSON.parse(answer.body.toString()) as { manifests: { artifactType: string }[] };
  assert.deepEqual(
    manifests.map(({ artifactType }) => artifactType),
    ['application/x.a'],
  );
});

clause('Listing Referrers: none is an empty index, never 404; a malformed digest is 400', async (name) => {
  const answer = await probe.get(`/v2/${name}/referrers/${nowhere}`);
  assert.equal(answer.status, 200);
  assert.deepEqual((JSON.parse(answer.body.toString()) as { manifests: unknown[] }).manifests, []);
  assert.equal((await probe.get(`/v2/${name}/referrers/sha256:x`)).status, 400);
});

clause('Referrers Tag Schema: an index under the tag of a digest is kept like any other', async (name) => {
  const { digest, text } = await probe.pushImage(name, 'base');
  const referrer = await probe.makeManifest(name, { subject: { mediaType: ociManifest, digest, size: text.length } });
  await probe.pushManifest(name, referrer.digest, referrer.text);
  const index = {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [{ mediaType: ociManifest, digest: referrer.digest, size: referrer.text.length }],
  };
  const tag = digest.replace(':', '-');
  assert.equal((await probe.pushManifest(name, tag, index, ociIndex)).status, 201);
  assert.equal((await probe.get(`/v2/${name}/manifests/${tag}`)).body.toString(), JSON.stringify(index));
});

clause('Deleting tags (end-9): 202, the tag is gone, the manifest stays', async (name) => {
  const { digest } = await probe.pushImage(name, 'one');
  assert.equal((await probe.send('DELETE', `/v2/${name}/manifests/one`)).status, 202);
  assertError(await probe.get(`/v2/${name}/manifests/one`), 404, 'MANIFEST_UNKNOWN');
  assert.equal((await probe.get(`/v2/${name}/manifests/${digest}`)).status, 200);
  assert.deepEqual(
    (JSON.parse((await probe.get(`/v2/${name}/tags/list`)).body.toString()) as { tags: string[] }).tags,
    [],
  );
});

clause('Deleting Manifests (end-9): 202, and its tags are gone with it', async (name) => {
  const { digest } = await probe.pushImage(name, 'one');
  assert.equal((await probe.send('DELETE', `/v2/${name}/manifests/${digest}`)).status, 202);
  assert.equal((await probe.get(`/v2/${name}/manifests/${digest}`)).status, 404);
  assert.equal((await probe.get(`/v2/${name}/manifests/one`)).status, 404);
  assert.equal((await probe.send('DELETE', `/v2/${name}/manifests/${digest}`)).status, 404);
  assert.equal((await probe.send('DELETE', `/v2/${freshName()}/manifests/${digest}`)).status, 404);
});

clause('Deleting Blobs (end-10): 202, then 404', async (name) => {
  const digest = await probe.pushBlob(name, someBytes());
  assert.equal((await probe.send('DELETE', `/v2/${name}/blobs/${digest}`)).status, 202);
  assertError(await probe.get(`/v2/${name}/blobs/${digest}`), 404, 'BLOB_UNKNOWN');
  assertError(await probe.send('DELETE', `/v2/${name}/blobs/${digest}`), 404, 'BLOB_UNKNOWN');
});

clause('Error Codes: a method that is not there is UNSUPPORTED and names those that are', async (name) => {
  const answer = await probe.send('POST', `/v2/${name}/manifests/x`);
  assertError(answer, 405, 'UNSUPPORTED');
  assert.equal(answer.headers.get('allow'), 'GET, HEAD, PUT, DELETE');
});

clause(
  'Content negotiation: an index is given for linux/amd64 to who takes only manifests, and is unknown to who takes neither',
  async (name) => {
    const { digest, text } = await probe.pushImage(name, 'amd64');
    const index = {
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [
        { mediaType: ociManifest, digest, size: text.length, platform: { os: 'linux', architecture: 'amd64' } },
      ],
    };
    await probe.pushManifest(name, 'multi', index, ociIndex);
    const path = `/v2/${name}/manifests/multi`;
    assert.equal((await probe.get(path, { accept: ociManifest })).headers.get('docker-content-digest'), digest);
    assert.equal(
      (await probe.get(path, { accept: `${ociManifest}, ${ociIndex};q=0.5` })).headers.get('content-type'),
      ociIndex,
    );
    assert.equal((await probe.get(path, { accept: '*/*' })).headers.get('content-type'), ociIndex);
    assertError(
      await probe.get(path, { accept: 'application/vnd.docker.distribution.manifest.v2+json' }),
      404,
      'MANIFEST_UNKNOWN',
    );
  },
);

test('Docker: the catalog has names in pages', async () => {
  for (const name of ['zz/a', 'zz/b', 'zz/c']) await probe.pushImage(name, '1');
  const answer = await probe.get('/v2/_catalog?n=2&last=zz');
  assert.deepEqual(JSON.parse(answer.body.toString()), { repositories: ['zz/a', 'zz/b'] });
  assert.equal(answer.headers.get('link'), '</v2/_catalog?last=zz%2Fb&n=2>; rel="next"');
});

test('Docker: media types of schema 2 and lists go there and back', async () => {
  const name = freshName();
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const list = 'application/vnd.docker.distribution.manifest.list.v2+json';
  const { text } = await probe.makeManifest(name, { mediaType: type });
  assert.equal((await probe.pushManifest(name, 'one', text, type)).status, 201);
  const index = {
    schemaVersion: 2,
    mediaType: list,
    manifests: [{ mediaType: type, digest: digestOf(text), size: text.length }],
  };
  assert.equal((await probe.pushManifest(name, 'many', index, list)).status, 201);
  assert.equal((await probe.get(`/v2/${name}/manifests/one`)).headers.get('content-type'), type);
  assert.equal((await probe.get(`/v2/${name}/manifests/many`)).headers.get('content-type'), list);
});
