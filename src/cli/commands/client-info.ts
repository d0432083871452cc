import { newestApiVersion } from '#client';
import { currentContextName } from '../config/current-context.ts';
import type { CliContext } from '../context.ts';
import { clientVersion } from '../version.ts';

/** What `version` and `info` say about this client. There is no Go in it: its place has the runtime. */
export interface ClientInfo {
  readonly Version: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime: string;
  readonly Context: string;
}

/** Go's names of architectures. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export function clientInfo(ctx: CliContext): ClientInfo {
  return {
    Version: clientVersion,
    DefaultAPIVersion: newestApiVersion,
    GitCommit: '',
    GoVersion: runtimeVersion(),
    Os: process.platform,
    Arch: architectures[process.arch] ?? process.arch,
    BuildTime: '',
    Context: currentContextName(ctx),
  };
}

function runtimeVersion(): string {
  const { bun } = process.versions;
  return bun === undefined ? `node${process.versions.node}` : `bun${bun}`;
}
