export {
  ApiClient,
  type ApiClientOptions,
  type ApiRequest,
  compareVersions,
  newestApiVersion,
  type PingInfo,
  type RequestExtras,
} from './api-client.ts';
export type { ApiResponse } from './response.ts';
export type { TlsOptions } from './endpoint.ts';
export { ApiError, ConnectionError, ProtocolError } from './errors.ts';
export type { HijackedStream } from './hijacked-stream.ts';
export { jsonLines, jsonLineTexts } from './json-lines.ts';
export { encodeFilters, type FilterValues, type Query } from './query.ts';
export { Demultiplexer, demultiplex, type StreamPiece } from './stdcopy.ts';
