import { decodeAuthHeader } from '../../decode/auth-config.ts';
import { decodePlatform } from '../../decode/platform.ts';
import type { Exchange } from '../../http/exchange.ts';
import { sendProgress } from '../images/transfer.ts';
import type { RegistriesBackend } from './backend.ts';

/** `POST /images/create` with `fromImage`. */
export async function pull(backend: RegistriesBackend, exchange: Exchange): Promise<void> {
  const { query, version, signal, headers } = exchange;
  const image = query.text('fromImage');
  const options = {
    // "pull -a" of old clients sends the name with a colon behind it.
    ref: image.endsWith(':') ? image.slice(0, -1) : image,
    tag: query.text('tag'),
    // The parameter came with 1.32.
    platform: version >= 32 ? query.text('platform') : '',
    credentials: decodeAuthHeader(headers['x-registry-auth']),
    signal,
  };
  await sendProgress(exchange, backend.pull(options));
}

/** `POST /images/{name}/push`. */
export async function push(backend: RegistriesBackend, exchange: Exchange): Promise<void> {
  const { query, version, signal, headers } = exchange;
  const options = {
    ref: exchange.params['name'] ?? '',
    tag: query.text('tag'),
    // The parameter came with 1.46; older clients may send one that never counted.
    platform: version >= 46 ? decodePlatform(query.text('platform')) : '',
    credentials: decodeAuthHeader(headers['x-registry-auth']),
    signal,
  };
  await sendProgress(exchange, backend.push(options));
}
