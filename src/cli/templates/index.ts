export { executeTemplate } from './execute.ts';
export { headerFunctions, standardFunctions } from './functions.ts';
export { formatGoJson, parseGoJson } from './json.ts';
export type { Template } from './nodes.ts';
export { parseTemplate } from './parser.ts';
export { GoFloat, GoMap, GoRow, type GoValue, isTrue, toGoValue } from './values.ts';
export { asGoStruct } from './typed.ts';
