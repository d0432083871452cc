export type { Endpoint, Networks, NetworkStats, Sandbox, SandboxRequest } from './contract.ts';
