/**
 * Measures Berth beside dockerd and podman, where those are installed.
 *
 * Usage: npm run bench -- [--rounds N] [--engines berth,docker] [NAME…]   (no name: all of them)
 *
 * Every engine gets roots of its own and the same image; rounds go in turn, so that whatever else the machine does
 * hits all alike. A signal ends the engines and removes what they made, too.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { busyboxRootfs } from '../test/helpers/busybox-image.ts';
import { startBerth } from './engines/berth.ts';
import { startDockerd } from './engines/dockerd.ts';
import { type BenchEngine, cli, image } from './engines/engine.ts';
import { startPodman } from './engines/podman.ts';
import { median, table } from './measure.ts';
import type { Work } from './work.ts';
import { works } from './works/index.ts';

const known: readonly { name: string; needs: string; start: () => Promise<BenchEngine> }[] = [
  { name: 'berth', needs: '/', start: startBerth },
  { name: 'docker', needs: '/usr/sbin/dockerd', start: startDockerd },
  { name: 'podman', needs: '/usr/bin/podman', start: startPodman },
];

async function startEngines(wanted: readonly string[], stack: AsyncDisposableStack): Promise<BenchEngine[]> {
  const engines: BenchEngine[] = [];
  for (const { name, needs, start } of known) {
    if (!wanted.includes(name)) continue;
    if (!existsSync(needs)) {
      process.stdout.write(`${name} is not installed\n`);
      continue;
    }
    const starting = start();
    stack.defer(async () => await stop(await starting));
    const engine = await starting;
    await cli(engine, ['import', busyboxRootfs(), image]);
    process.stdout.write(`${name} ${engine.version}\n`);
    engines.push(engine);
  }
  return engines;
}

async function stop(engine: BenchEngine): Promise<void> {
  const { stdout } = await cli(engine, ['ps', '--all', '--quiet'], { capture: true });
  const ids = stdout.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await cli(engine, ['rm', '--force', ...ids]);
  await engine.stop();
}

/** The values of each engine; one that cannot do the work says why and is left out. */
async function measure(work: Work, engines: readonly BenchEngine[], rounds: number): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>();
  await using prepared = new AsyncDisposableStack();
  for (const engine of engines) {
    if (work.fits && !work.fits(engine)) continue;
    try {
      const undo = await work.prepare?.(engine);
      if (undo) prepared.defer(undo);
      values.set(engine.name, []);
    } catch (error) {
      process.stdout.write(`${work.name}: ${String(error)}\n`);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const engine of engines) {
      const own = values.get(engine.name);
      if (!own) continue;
      try {
        own.push(await work.round(engine));
      } catch (error) {
        process.stdout.write(`${work.name}: ${String(error)}\n`);
        values.delete(engine.name);
      }
    }
  }
  return values;
}

function report(work: Work, values: ReadonlyMap<string, readonly number[]>): string {
  const berth = values.get('berth');
  const rows = [...values].map(([name, own]) => {
    const ratio = berth && name !== 'berth' ? median(berth) / median(own) : undefined;
    const bar =
      work.bar !== undefined && name === 'docker' && ratio !== undefined
        ? `bar ${work.bar.toFixed(2)} ${ratio <= work.bar ? 'met' : 'MISSED'}`
        : '';
    return [
      name,
      `${median(own).toFixed(1)} ${work.unit}`,
      `${Math.min(...own).toFixed(1)}–${Math.max(...own).toFixed(1)}`,
      ratio === undefined ? '' : `berth/${name} ${ratio.toFixed(2)}`,
      bar,
    ];
  });
  return `\n${work.name}: ${work.title}\n${table([['engine', 'median', 'range', '', ''], ...rows])}\n`;
}

const signals = [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const;

/** A second signal ends this program as signals do. */
async function endBySignal(stack: AsyncDisposableStack, number: number): Promise<void> {
  process.stdout.write('stopping the engines\n');
  await stack.disposeAsync().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  process.exit(128 + number);
}

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, engines: { type: 'string', default: 'berth,docker,podman' } },
  });
  const unknown = positionals.filter((name) => !works.some((work) => work.name === name));
  if (unknown.length > 0) {
    throw new Error(`no benchmark ${unknown.join(', ')}; there are ${works.map(({ name }) => name).join(', ')}`);
  }
  await using stack = new AsyncDisposableStack();
  for (const [signal, number] of signals) process.once(signal, () => void endBySignal(stack, number));
  const engines = await startEngines(options.engines.split(','), stack);
  for (const work of works.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    process.stdout.write(report(work, await measure(work, engines, Number(options.rounds ?? work.rounds))));
  }
}

await main();
