export {
  executeTemplate,
  formatGoJson,
  GoFloat,
  GoMap,
  GoRow,
  type GoValue,
  headerFunctions,
  isTrue,
  parseGoJson,
  parseTemplate,
  standardFunctions,
  type Template,
  toGoValue,
} from '#templates';
export { asGoStruct } from './typed.ts';
