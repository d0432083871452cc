/** One line of conmon's sync pipe: a pid, an exit code, or a negative number with the runtime's complaint. */
export interface SyncMessage {
  data: number;
  message: string | undefined;
}

/** Cuts a conmon pipe's bytes into its JSON lines, whatever the chunks. */
export class SyncMessageParser {
  #rest: string;

  constructor() {
    this.#rest = '';
  }

  /** What has not made a full line yet. */
  get rest(): string {
    return this.#rest;
  }

  push(chunk: string): SyncMessage[] {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => parseLine(line) ?? []);
  }
}

function parseLine(line: string): SyncMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // conmon 2.1.6 leaves bytes such as control characters unescaped in the runtime's text.
    const loose = /^\{"data": (-?\d+)(?:, "message": "([\s\S]*)")?\}$/.exec(line);
    return loose ? { data: Number(loose[1]), message: loose[2] } : undefined;
  }
  if (typeof value !== 'object' || value === null || !('data' in value) || typeof value.data !== 'number') {
    return undefined;
  }
  const message = 'message' in value && typeof value.message === 'string' ? value.message : undefined;
  return { data: value.data, message };
}
