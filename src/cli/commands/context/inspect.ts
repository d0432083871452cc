import { contextStore, getContext } from '../../config/contexts.ts';
import { currentContextName, defaultContextName } from '../../config/current-context.ts';
import { anyArgs, type Command, defineCommand, string } from '../../framework/index.ts';
import { inspectFormatHelp } from '../../output/format-help.ts';
import { inspectAll } from '../../output/inspect.ts';

/** Where the default context is kept, as Docker writes it. */
const inMemory = '<IN MEMORY>';

export const command: Command = defineCommand({
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  args: anyArgs,
  flags: { format: string(inspectFormatHelp, { short: 'f' }) },
  async run(ctx, { flags, args }) {
    const store = contextStore(ctx);
    const names = args.length === 0 ? [currentContextName(ctx)] : args;
    await inspectAll(ctx, names, flags.format, async (name) => {
      const meta = getContext(ctx, name);
      const isDefault = name === defaultContextName;
      const files = isDefault ? [] : Object.keys(store.tlsFiles(name));
      const object = {
        Name: meta.Name,
        Metadata: meta.Metadata,
        Endpoints: meta.Endpoints,
        TLSMaterial: files.length === 0 ? {} : { docker: files },
        Storage: {
          MetadataPath: isDefault ? inMemory : store.metaDir(name),
          TLSPath: isDefault ? inMemory : store.tlsDir(name),
        },
      };
      return { json: escapeHtml(JSON.stringify(object)), structName: 'context.Inspect' };
    });
  },
});

/** As Go's encoder does. */
function escapeHtml(json: string): string {
  return json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}
