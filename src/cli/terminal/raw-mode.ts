import { spawnSync } from 'node:child_process';
import type { CliIo } from '../io.ts';

/**
 * Makes the terminal at standard input hand every key through and print every byte as it is.
 *
 * @returns Puts it back as it was; safe to call again. The runtime does the same if the process exits without it.
 */
export function enterRawMode(io: CliIo): () => void {
  if (!io.isTerminal('stdin')) return () => undefined;
  const { stdin } = io;
  stdin.setRawMode(true);
  // The runtime's raw mode leaves output processing on, which would turn the line feeds of full-screen programs into
  // carriage return and line feed.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  let raw = true;
  return () => {
    if (!raw) return;
    raw = false;
    stdin.setRawMode(false);
  };
}
