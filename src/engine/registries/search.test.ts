import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegistryClient, SearchResult } from '#registry';
import { search, type SearchRequest } from './search.ts';

const { signal } = new AbortController();
const results: SearchResult[] = [
  { name: 'a', description: '', star_count: 50, is_official: true, is_automated: false },
  { name: 'b', description: '', star_count: 5, is_official: false, is_automated: true },
];
const asked: { domain: string; term: string; limit: number }[] = [];
const client: Pick<RegistryClient, 'search'> = {
  search: (domain, query) => {
    asked.push({ domain, ...query });
    return Promise.resolve(results);
  },
};

async function found(term: string, more: Partial<SearchRequest> = {}): Promise<string[]> {
  const rows = await search(client, { term, limit: undefined, filters: new Map(), credentials: {}, signal, ...more });
  return rows.map(({ name }) => name);
}

const filtered = (name: string, value: string): Promise<string[]> =>
  found('x', { filters: new Map([[name, [value]]]) });

test('search asks the registry that the term names, else Docker Hub', async () => {
  await found('registry.example.com/x/y', { limit: 7 });
  await found('ann/x');
  assert.deepEqual(asked.splice(0), [
    { domain: 'registry.example.com', term: 'x/y', limit: 7 },
    { domain: 'docker.io', term: 'ann/x', limit: 25 },
  ]);
});

test('search keeps what satisfies the filters', async () => {
  assert.deepEqual(await filtered('is-official', 'true'), ['a']);
  assert.deepEqual(await filtered('is-automated', '1'), ['b']);
  assert.deepEqual(await filtered('stars', '6'), ['a']);
  await assert.rejects(filtered('stars', 'many'), { message: "invalid filter 'stars=[many]'" });
  await assert.rejects(filtered('is-official', 'perhaps'), { message: "invalid filter 'is-official=[perhaps]'" });
  await assert.rejects(filtered('colour', 'green'), { message: "invalid filter 'colour'" });
  await assert.rejects(found('x', { limit: 101 }), { message: 'Limit 101 is outside the range of [1, 100]' });
});
