import type { Endpoint, Sandbox } from './contract.ts';
import type { AllocationRecord } from './store.ts';

/** What an endpoint got later than versions before this one wrote theirs. */
const laterDefaults = { interfaceName: 'eth0', names: [], gatewayPriority: 0 } as const;
type Later = keyof typeof laterDefaults;
type Former<T> = Omit<T, Later> & Partial<T>;

/** A sandbox as any version stored it: the first ones knew of one network only. */
export type StoredSandbox = Omit<Sandbox, 'endpoints'> & {
  endpoints?: readonly Former<Endpoint>[];
  endpoint?: Former<Endpoint>;
};

/** What was stored of a sandbox, whichever version did it. */
export function decodeSandbox({ endpoint, endpoints, ...stored }: StoredSandbox): Sandbox {
  const found = endpoints ?? (endpoint === undefined ? [] : [endpoint]);
  return { ...stored, endpoints: found.map((one) => ({ ...laterDefaults, ...one })) };
}

/** What was stored of an address in use, whichever version did it. */
export function decodeAllocation(stored: Former<AllocationRecord>): AllocationRecord {
  return { ...laterDefaults, ...stored };
}
