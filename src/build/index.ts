export { openBuilds, type Builds, type BuildsOptions, type PruneCommand } from './open-builds.ts';
export type { GcPolicy } from './cache/gc-policy.ts';
export type { BuildCommand } from './build-service.ts';
export type {
  BuildEvent,
  BuildImages,
  BuildRequest,
  BuildResult,
  Executor,
  ExecutorStep,
  FetchedTree,
  FetchSource,
  StepLimits,
} from './contract.ts';
export { excerpt, type LintWarning } from './dockerfile/index.ts';
export type { BaseImage, CopySource, NamedContext, Step } from './plan/index.ts';
