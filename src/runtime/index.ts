export { buildSpec, cgroupDirectory, cgroupsPath, type ResolvedUser, type SpecInput } from './spec/build-spec.ts';
export { buildExecProcess, type ExecProcessInput } from './spec/exec-process.ts';
export { normalizeCapabilities } from './spec/capabilities.ts';
export type { DeviceNode, HostDevices } from './spec/devices.ts';
export type { HostFacts } from './spec/host-facts.ts';
export type { SpecMount } from './spec/mounts.ts';
export type { NamespaceChoice, NamespaceChoices } from './spec/namespaces.ts';
export { defaultMaskedPaths, defaultReadonlyPaths } from './spec/paths.ts';
export { allCgroupFeatures, type CgroupFeatures } from './spec/cgroup-features.ts';
export { buildResources } from './spec/resources.ts';
export { ulimitNames } from './spec/rlimits.ts';
export { parseSecurityOptions, type SecurityOptions } from './spec/security-options.ts';
export { serializeSpec } from './spec/serialize.ts';
export { networkSysctls } from './spec/sysctls.ts';
export { checkWorkingDirectory } from './spec/working-directory.ts';

export { writeBundle } from './bundle.ts';
export {
  buildHostnameFile,
  buildHostsFile,
  editHostsFile,
  buildResolvConf,
  type HostsInput,
  parseResolvConf,
  type ResolvConf,
  type ResolvConfInput,
} from './files/network-files.ts';
export { type OpenBeneath, RootFiles } from './files/root-files.ts';
export { findUser, resolveUser, type UserFiles } from './user/resolve-user.ts';

export { GroupMoves } from './host/group-moves.ts';
export { findInit } from './host/find-init.ts';
export { setFrozen } from './host/freezer.ts';
export { sealProgram } from './host/sealed-program.ts';
export { hostDevices } from './host/host-devices.ts';
export { readHostFacts } from './host/read-host-facts.ts';

export {
  findRuntime,
  OciRuntime,
  type OciRuntimeOptions,
  type RuntimeState,
  type RuntimeVersion,
} from './oci-runtime.ts';
