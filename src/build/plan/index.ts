export type { NamedContext, Plan, PlanRequest } from './contract.ts';
export type { BaseImage, ConfigStep, CopyOp, CopySource, LayerStep, MkdirOp, Op, RunOp, Step, Tree } from './ops.ts';
export { planBuild } from './plan.ts';
