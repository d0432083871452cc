import { newestVersion, oldestVersion } from '../../version.ts';
import type { VersionInfo } from './backend.ts';

/** The answer of `GET /version`: the engine's facts flat, for old clients, and as the first of the components. */
export function versionAnswer(info: VersionInfo): Record<string, unknown> {
  const runtime = `node${process.versions.node}`;
  const shared = {
    ApiVersion: newestVersion,
    Arch: info.arch,
    BuildTime: info.buildTime,
    GitCommit: info.gitCommit,
    GoVersion: runtime,
    KernelVersion: info.kernelVersion,
    MinAPIVersion: oldestVersion,
    Os: 'linux',
  };
  const engine = { Name: 'Engine', Version: info.version, Details: { ...shared, Experimental: 'false' } };
  const others = info.components.map(({ name, version, details }) => ({
    Name: name,
    Version: version,
    Details: details,
  }));
  return { Platform: { Name: 'Berth' }, Components: [engine, ...others], Version: info.version, ...shared };
}
