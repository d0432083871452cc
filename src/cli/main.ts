import { basename } from 'node:path';
import { flushProcessStreams, processIo } from './io.ts';
import { runCli } from './run-cli.ts';

/** `docker` when called by that name (a link, or `BERTH_PROGRAM` set by the launcher), else `berth`. */
function programName(): string {
  return basename(process.env['BERTH_PROGRAM'] ?? process.argv0) === 'docker' ? 'docker' : 'berth';
}

process.exitCode = await runCli({
  program: programName(),
  argv: process.argv.slice(2),
  env: process.env,
  io: processIo,
});
await flushProcessStreams();
process.exit();
