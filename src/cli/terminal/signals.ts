import { constants } from 'node:os';
import type { ApiClient } from '#client';
import type { CliIo } from '../io.ts';

/**
 * Not passed on: what cannot be caught, what is about this process alone (children, broken pipes, the runtime's own),
 * and faults, which must stay fatal.
 */
const ownSignals = new Set([
  'SIGKILL',
  'SIGSTOP',
  'SIGCHLD',
  'SIGPIPE',
  'SIGURG',
  'SIGPROF',
  'SIGSEGV',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGIOT',
  'SIGPOLL',
  'SIGUNUSED',
  'SIGSTKFLT',
]);

/** As many interrupts end the client itself, whatever the container makes of them. */
const interruptsToQuit = 3;

/**
 * Sends signals this process gets to the container instead; a third interrupt still ends the process.
 *
 * @returns Ends it, so that signals mean to this process what they did before.
 */
export function proxySignals(io: CliIo, client: ApiClient, containerId: string): () => void {
  const path = `/containers/${encodeURIComponent(containerId)}/kill`;
  return catchSignals(io, signalNames(), (name) => {
    // The container may be gone already; its end is seen elsewhere.
    client.post(path, { signal: name.slice(3) }).catch(() => undefined);
  });
}

/**
 * Keeps interrupts from ending this process until the third.
 *
 * @returns Ends it.
 */
export function ignoreInterrupts(io: CliIo): () => void {
  return catchSignals(io, ['SIGINT', 'SIGTERM'], () => undefined);
}

function catchSignals(io: CliIo, names: readonly NodeJS.Signals[], handle: (name: NodeJS.Signals) => void): () => void {
  let interrupts = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    if (name === 'SIGINT' || name === 'SIGTERM') interrupts += 1;
    if (interrupts === interruptsToQuit) {
      io.err('\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n');
      process.exit(1);
    }
    handle(name);
  };
  for (const name of names) process.on(name, onSignal);
  return () => {
    for (const name of names) process.off(name, onSignal);
  };
}

function signalNames(): NodeJS.Signals[] {
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table's keys are the signals */
  return (Object.keys(constants.signals) as NodeJS.Signals[]).filter((name) => !ownSignals.has(name));
}
