/** Keys of queries whose values say nothing secret. Everything else, such as the signatures of storage services, is hidden. */
const harmless = new Set([
  'account',
  'artifactType',
  'client_id',
  'digest',
  'from',
  'last',
  'mount',
  'n',
  'ns',
  'offline_token',
  'q',
  'scope',
  'service',
]);

/** An address as it may appear in messages: without user, password, fragment and the values of unknown query keys. */
export function redactUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  if (shown.search === '') return shown.href;
  const pairs = [...shown.searchParams].map(
    ([key, value]) => `${encodeURIComponent(key)}=${harmless.has(key) ? encodeURIComponent(value) : 'REDACTED'}`,
  );
  shown.search = pairs.join('&');
  return shown.href;
}

const LONGEST_TEXT = 1024;

/** Text of a stranger made fit for messages: without control characters, which a terminal might obey, and not too long. */
export function presentable(text: string): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT)}…` : clean;
}
