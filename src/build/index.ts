export { Builder, type BuilderOptions, type BuildOptions } from './builder.ts';
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
