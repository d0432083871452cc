import type { ServerResponse } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry as Metrics } from 'prom-client';
import type { Answered } from './http/server.ts';
import type { RegistryStorage } from './storage/registry-storage.ts';

/** What Prometheus is told at `/metrics`. */
export class RegistryMetrics {
  readonly #metrics: Metrics;
  readonly #requests: Counter<'method' | 'kind' | 'status'>;
  readonly #seconds: Histogram<'method' | 'kind'>;
  readonly #sentBytes: Counter;
  readonly #receivedBytes: Counter;

  constructor(storage: RegistryStorage) {
    this.#metrics = new Metrics();
    const registers = [this.#metrics];
    collectDefaultMetrics({ register: this.#metrics });
    this.#requests = new Counter({
      name: 'berth_registry_requests_total',
      help: 'Requests answered',
      labelNames: ['method', 'kind', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'berth_registry_request_seconds',
      help: 'Time from the headers of a request to the end of its answer',
      labelNames: ['method', 'kind'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    });
    this.#sentBytes = new Counter({ name: 'berth_registry_sent_bytes_total', help: 'Bytes of answers', registers });
    this.#receivedBytes = new Counter({
      name: 'berth_registry_received_bytes_total',
      help: 'Bytes of request bodies',
      registers,
    });
    const openUploads: Gauge = new Gauge({
      name: 'berth_registry_open_uploads',
      help: 'Uploads begun and not finished',
      registers: [],
      collect: () => openUploads.set(storage.uploads.count()),
    });
    this.#metrics.registerMetric(openUploads);
  }

  observe(answered: Answered): void {
    const { method, kind, status } = answered;
    // Methods are what clients send; unknown ones would make as many series as they like.
    const known = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ? method : 'other';
    this.#requests.inc({ method: known, kind, status: String(status) });
    this.#seconds.observe({ method: known, kind }, answered.durationMs / 1000);
    this.#sentBytes.inc(answered.sentBytes);
    this.#receivedBytes.inc(answered.receivedBytes);
  }

  async send(response: ServerResponse): Promise<void> {
    const text = await this.#metrics.metrics();
    response.writeHead(200, { 'Content-Type': this.#metrics.contentType });
    response.end(text);
  }
}
