import { type ApiClient, encodeFilters, jsonLines } from '#client';
import type { ContainerSummary } from '#spec';
import type { CliContext } from '../../context.ts';
import { anyArgs, type Command, defineCommand } from '../../framework/command.ts';
import { describeError } from '../../framework/describe-error.ts';
import { CliError } from '../../framework/errors.ts';
import { bool, string } from '../../framework/flags.ts';
import { formatHelp } from '../../output/format-help.ts';
import { renderList } from '../../output/list.ts';
import { StatsCollector } from './stats-collector.ts';
import { statsRow, statsShape } from './stats-rows.ts';

const refreshMs = 500;

const flags = {
  all: bool('Show all containers (default shows just running)', { short: 'a' }),
  format: string(formatHelp),
  'no-stream': bool('Show one reading and end'),
  'no-trunc': bool('Do not shorten output'),
};

export const command: Command = defineCommand({
  usage: '[OPTIONS] [CONTAINER...]',
  args: anyArgs,
  flags,
  async run(ctx, line) {
    const { all, 'no-stream': once, 'no-trunc': noTrunc } = line.flags;
    const format = line.flags.format || ctx.config.statsFormat || 'table';
    const client = await ctx.client();
    const board = new StatsBoard(client, !once);
    const { ended } = line.args.length === 0 ? await board.watchAll(all) : await board.watchNamed(ctx, line.args);
    const text = async (): Promise<string> => {
      const rows = board.collectors.map(({ entry }) => statsRow(entry, !noTrunc));
      return await renderList(statsShape, format, rows);
    };
    if (once) return ctx.out(await text());
    const watching = { over: false };
    void ended.finally(() => {
      watching.over = true;
    });
    while (!watching.over) {
      ctx.out(screen(await text()));
      await new Promise((resolve) => setTimeout(resolve, refreshMs));
    }
    await ended;
  },
});

/** Draws over what is there, line by line, so that nothing flickers. */
function screen(text: string): string {
  const lines = text.split('\n').map((line) => `${line} \u001B[K\n`);
  return `\u001B[H${lines.join('')}\u001B[J`;
}

/** What goes on after the first readings. */
interface Watch {
  /** Settles when the daemon tells of no more events. */
  readonly ended: Promise<void>;
}

/** The containers shown, in the order they came. */
class StatsBoard {
  collectors: StatsCollector[] = [];
  readonly #client: ApiClient;
  readonly #stream: boolean;

  constructor(client: ApiClient, stream: boolean) {
    this.#client = client;
    this.#stream = stream;
  }

  /** Its watch never ends: named containers are shown until the user has enough. */
  async watchNamed(ctx: CliContext, names: readonly string[]): Promise<Watch> {
    for (const name of names) this.#add(name);
    await this.#ready();
    const failures = this.collectors.flatMap(({ error }) => (error === undefined ? [] : [error]));
    if (failures.length > 0) {
      throw new CliError(failures.map((error) => describeError(error, ctx.program)).join('\n'));
    }
    return { ended: Promise.withResolvers<void>().promise };
  }

  /** Shows what runs now and follows what starts and ends. */
  async watchAll(all: boolean): Promise<Watch> {
    const watch = this.#stream ? await this.#followEvents(all) : { ended: Promise.resolve() };
    const containers = await this.#client.get<ContainerSummary[]>('/containers/json', { all: all ? '1' : undefined });
    for (const { Id } of containers) this.#add(Id.slice(0, 12));
    await this.#ready();
    return watch;
  }

  async #followEvents(all: boolean): Promise<Watch> {
    const query = { filters: encodeFilters({ type: ['container'] }) };
    const response = await this.#client.send({ method: 'GET', path: '/events', query });
    const follow = async (): Promise<void> => {
      for await (const { Action, Actor } of jsonLines<{ Action: string; Actor: { ID: string } }>(response)) {
        const id = Actor.ID.slice(0, 12);
        if (Action === 'start' || (all && Action === 'create')) this.#add(id);
        else if (all ? Action === 'destroy' : Action === 'die') this.#remove(id);
      }
    };
    return { ended: follow() };
  }

  #add(container: string): void {
    if (this.collectors.some((collector) => collector.container === container)) return;
    this.collectors.push(new StatsCollector(this.#client, container, this.#stream));
  }

  #remove(container: string): void {
    const leaving = this.collectors.filter((collector) => collector.container === container);
    this.collectors = this.collectors.filter((collector) => collector.container !== container);
    for (const collector of leaving) collector.stop();
  }

  async #ready(): Promise<void> {
    await Promise.all(this.collectors.map(({ ready }) => ready));
  }
}
