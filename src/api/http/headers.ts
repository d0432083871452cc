import { newestVersion } from '../version.ts';

/** Headers of every answer, as name and value in turn. */
export function baseHeaders(engineVersion: string): string[] {
  return [
    'Api-Version',
    newestVersion,
    'Docker-Experimental',
    'false',
    'Ostype',
    'linux',
    'Server',
    `Berth/${engineVersion} (linux)`,
  ];
}
