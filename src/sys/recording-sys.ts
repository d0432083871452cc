import type { Sys } from './sys.ts';

/** One call made to the fake. */
export interface RecordedCall {
  /** Facet and function, `mounts.bind`. */
  call: string;
  args: readonly unknown[];
}

/** Answers for the fake by call: a function is called with the arguments (and may throw), anything else is returned. */
export type RecordedAnswers = Readonly<Record<string, unknown>>;

/** A kernel that does nothing but write down what it was asked to do. */
export interface RecordingSys extends Sys {
  /** All calls in order. */
  readonly calls: RecordedCall[];
  /** The same as short lines, `mounts.bind /a /b`; objects in JSON. */
  lines(): string[];
  /** Sets what a call answers from now on. */
  answer(call: string, answer: unknown): void;
  /** Makes a call throw from now on. */
  fail(call: string, error: Error): void;
}

/** What calls answer that take a function to run inside: the function's answer. */
const runningInside: RecordedAnswers = {
  'namespaces.createNetns': (_path: string, inside?: () => unknown) => inside?.(),
  'namespaces.withNetns': (_path: string, work: () => unknown) => work(),
};

function argumentText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'function') return '<function>';
  if (Buffer.isBuffer(value)) return value.toString('hex');
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner)) ?? '-';
}

/**
 * A fake for unit tests. Calls without a configured answer return undefined, except that `withNetns` and `createNetns`
 * run what they are given, and that `netlink.openRouteSocket` and `nft.openNftSocket` answer sockets whose calls are
 * recorded as `routeSocket.…` and `nftSocket.…`.
 */
export function createRecordingSys(answers: RecordedAnswers = {}): RecordingSys {
  const calls: RecordedCall[] = [];
  const configured = new Map(Object.entries({ ...runningInside, ...answers }));

  configured.set('netlink.openRouteSocket', () => recorder('routeSocket'));
  configured.set('nft.openNftSocket', () => recorder('nftSocket'));
  const recorder = (prefix: string): object =>
    new Proxy(
      {},
      {
        get: (_target, property) => {
          if (property === Symbol.dispose) return () => undefined;
          if (typeof property === 'symbol' || property === 'then') return undefined;
          const call = `${prefix}.${property}`;
          return (...args: unknown[]): unknown => {
            calls.push({ call, args });
            const answer = configured.get(call);
            return typeof answer === 'function' ? (answer(...args) as unknown) : answer;
          };
        },
      },
    );

  return {
    mounts: recorder('mounts') as Sys['mounts'],
    namespaces: recorder('namespaces') as Sys['namespaces'],
    sockets: recorder('sockets') as Sys['sockets'],
    processes: recorder('processes') as Sys['processes'],
    files: recorder('files') as Sys['files'],
    netlink: recorder('netlink') as Sys['netlink'],
    nft: recorder('nft') as Sys['nft'],
    conntrack: recorder('conntrack') as Sys['conntrack'],
    cgroups: recorder('cgroups') as Sys['cgroups'],
    calls,
    lines: () => calls.map(({ call, args }) => [call, ...args.map(argumentText)].join(' ')),
    answer: (call, answer) => void configured.set(call, answer),
    fail: (call, error) => {
      configured.set(call, () => {
        throw error;
      });
    },
  };
}
