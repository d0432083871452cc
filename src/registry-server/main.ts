import { findEngineError } from '#errors';
import { runCommand } from './commands/run-command.ts';

runCommand(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const known = findEngineError(error);
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`berth registry: ${known && known.kind !== 'internal' ? known.message : detail}\n`);
    process.exit(1);
  },
);
