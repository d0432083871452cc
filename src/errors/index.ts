export { EngineError, type ErrorKind, type ErrorOptionsWithDetails, isKind, findEngineError } from './engine-error.ts';
