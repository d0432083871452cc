import { emptyContainerConfig, emptyEndpointSettings, emptyHostConfig, parseContainerId, parseDigest } from '#spec';
import type { ContainerRecord } from './record.ts';

/** A created container, for unit tests; `seed` (one hex digit) makes its ID. */
export function someContainer(seed: string, own: Partial<ContainerRecord>): ContainerRecord {
  return {
    id: parseContainerId(seed.repeat(64)),
    name: `name-${seed}`,
    createdAt: '2024-01-01T00:00:00Z',
    imageId: parseDigest(`sha256:${'0'.repeat(64)}`),
    chainId: undefined,
    config: emptyContainerConfig(),
    hostConfig: emptyHostConfig({ NetworkMode: 'bridge' }),
    path: 'sh',
    args: [],
    phase: { status: 'created', exitCode: 0, error: '' },
    restartCount: 0,
    stoppedByUser: false,
    sandbox: undefined,
    endpoints: { bridge: emptyEndpointSettings() },
    mounts: [],
    anonymousVolumes: [],
    ...own,
  };
}
