export { executeTemplate } from './execute.ts';
export { type FunctionTable, headerFunctions, standardFunctions } from './functions.ts';
export { formatGoJson, parseGoJson } from './json.ts';
export type { Template } from './nodes.ts';
export { parseTemplate } from './parser.ts';
export {
  GoFloat,
  GoMap,
  GoRow,
  type GoValue,
  isTrue,
  nilSlice,
  type RowColumns,
  sortedKeys,
  toGoValue,
} from './values.ts';
