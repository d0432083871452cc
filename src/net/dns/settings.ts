import type { Endpoint, ResolverSettings } from '../contract.ts';

const DEFAULT_NETWORK = 'bridge';
const NDOTS = /^ndots:(\d+)$/;

/** Whether a container with these endpoints has a resolver of ours: one of them is of a network that a user made. */
export function usesResolver(endpoints: readonly Pick<Endpoint, 'networkName'>[]): boolean {
  return endpoints.some(({ networkName }) => networkName !== DEFAULT_NETWORK);
}

/** The container's own settings, each replaced by the daemon's when it has none. */
export function mergeSettings(
  own: ResolverSettings | undefined,
  daemon: ResolverSettings | undefined,
): ResolverSettings {
  const pick = (key: keyof ResolverSettings): readonly string[] =>
    (own?.[key].length ?? 0) > 0 ? (own?.[key] ?? []) : (daemon?.[key] ?? []);
  return { servers: pick('servers'), options: pick('options') };
}

/**
 * Whether names of one label stay here when no network knows them: with `ndots` above 0 the client adds its search domains
 * to them by itself, as dockerd takes it.
 */
export function keepsShortNames({ options }: Pick<ResolverSettings, 'options'>): boolean {
  return options.some((option) => Number(NDOTS.exec(option)?.[1] ?? 0) > 0);
}
