import type { ProgressLine } from '#spec';
import { shortId } from '../errors.ts';
import { layerProgress, layerStatus } from '../progress.ts';
import type { BlobEntry } from './manifest.ts';
import type { TransferEvent } from './transfer.ts';

const INTERVAL_MS = 100;
/** What Docker's first line about unpacking says has been read. */
const FIRST_READ_BYTES = 32 * 1024;

/** Tells of one layer as `docker pull` does: often enough to be lively, rarely enough to be cheap. */
export class LayerLines {
  readonly #report: (line: ProgressLine) => void;
  readonly #id: string;
  readonly #totalBytes: number;
  #lastMs: number;
  #status: string;
  #isDownloaded: boolean;

  constructor(report: (line: ProgressLine) => void, blob: BlobEntry) {
    this.#report = report;
    this.#id = shortId(blob.digest);
    this.#totalBytes = blob.sizeBytes;
    this.#lastMs = 0;
    this.#status = '';
    this.#isDownloaded = false;
  }

  say(status: string): void {
    this.#status = status;
    this.#report(layerStatus(status, this.#id));
  }

  on(event: TransferEvent): void {
    switch (event.kind) {
      case 'waiting':
        this.say('Waiting');
        break;
      case 'downloading':
        this.#progress('Downloading', event.currentBytes);
        break;
      case 'retrying':
        this.say(retryText(event.delayMs));
        break;
      case 'verifying':
        this.say('Verifying Checksum');
        break;
      case 'downloaded':
        this.#isDownloaded = true;
        this.say('Download complete');
        break;
      case 'unpacking':
        // Before that its line shows the download, which unpacking goes along with.
        if (this.#isDownloaded) this.#progress('Extracting', event.currentBytes);
        break;
    }
  }

  /** It is this layer's turn to become part of the image. */
  unpacking(): void {
    this.#progress('Extracting', Math.min(FIRST_READ_BYTES, this.#totalBytes));
  }

  /** It is part of the image. */
  done(): void {
    this.#progress('Extracting', this.#totalBytes);
    this.say('Pull complete');
  }

  #progress(status: string, currentBytes: number): void {
    const now = performance.now();
    const isNew = status !== this.#status;
    if (!isNew && currentBytes < this.#totalBytes && now - this.#lastMs < INTERVAL_MS) return;
    this.#status = status;
    this.#lastMs = now;
    this.#report(layerProgress(status, this.#id, currentBytes, this.#totalBytes));
  }
}

export function retryText(delayMs: number): string {
  const seconds = Math.max(1, Math.round(delayMs / 1000));
  return `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`;
}
