import { get } from 'node:http';
import { parseCommandLine } from './command-line.ts';

const timeoutMs = 3000;

/** `berth registry ping [HOST:PORT]`: whether a registry answers there, by plain http. */
export async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: [], switches: [] });
  if (line.switches.has('help')) {
    process.stdout.write(
      '\nUsage:  berth registry ping [HOST:PORT]\n\nAsk whether a registry answers (default: 127.0.0.1:5000)\n',
    );
    return 0;
  }
  const problem = await ask(line.positionals[0] ?? '127.0.0.1:5000');
  if (problem !== undefined) process.stderr.write(`berth registry: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}

async function ask(host: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const outgoing = get(`http://${host}/v2/`, { timeout: timeoutMs }, (response) => {
    response.resume();
    const isRegistry = response.headers['docker-distribution-api-version'] === 'registry/2.0';
    resolve(isRegistry ? undefined : `${host} answers, but is no registry`);
  });
  outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.once('error', (error) => resolve(`${host}: ${error.message}`));
  return await promise;
}
