import { closeSync, readFileSync } from 'node:fs';
import { unpackContext } from '../../config/context-archive.ts';
import { contextStore } from '../../config/contexts.ts';
import { checkContextName } from '../../config/context-store.ts';
import { CliError, type Command, defineCommand, exactArgs } from '../../framework/index.ts';
import { openForReading } from '../../framework/files.ts';

export const command: Command = defineCommand({
  usage: 'CONTEXT FILE|-',
  args: exactArgs(2),
  async run(ctx, { args }) {
    const [name = '', path = ''] = args;
    checkContextName(name);
    const store = contextStore(ctx);
    if (store.find(name)) throw new CliError(`context "${name}" already exists`);
    const { meta, tls } = unpackContext(readArchive(path));
    store.put({ ...meta, Name: name }, tls);
    ctx.out(`${name}\n`);
    ctx.err(`Successfully imported context "${name}"\n`);
  },
});

function readArchive(path: string): Buffer {
  if (path === '-') return readFileSync(0);
  const fd = openForReading(path);
  try {
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
