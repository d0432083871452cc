import { get, type IncomingMessage } from 'node:http';
import { get as getByTls } from 'node:https';
import { parseCommandLine } from './command-line.ts';

const timeoutMs = 3000;

/** `berth registry ping [HOST:PORT]`: whether a registry answers there, by TLS or plain http. */
export async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [], switches: [] });
  if (line.switches.has('help')) {
    process.stdout.write(
      '\nUsage:  berth registry ping [HOST:PORT]\n\nAsk whether a registry answers (default: 127.0.0.1:5000)\n',
    );
    return 0;
  }
  const host = line.positionals[0] ?? '127.0.0.1:5000';
  const byTls = await ask('https', host);
  const problem = byTls && (await ask('http', host));
  if (problem !== undefined) process.stderr.write(`berth registry: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}

/** What is wrong, or undefined. No secret is told and nothing believed, so any certificate will do. */
async function ask(protocol: 'http' | 'https', host: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const onResponse = (response: IncomingMessage): void => {
    response.resume();
    const isRegistry = response.headers['docker-distribution-api-version'] === 'registry/2.0';
    resolve(isRegistry ? undefined : `${host} answers, but is no registry`);
  };
  const url = `${protocol}://${host}/v2/`;
  const outgoing =
    protocol === 'https'
      ? getByTls(url, { timeout: timeoutMs, rejectUnauthorized: false }, onResponse)
      : get(url, { timeout: timeoutMs }, onResponse);
  outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.once('error', (error) => resolve(`${host}: ${error.message}`));
  return await promise;
}
