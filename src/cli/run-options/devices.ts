import { posix } from 'node:path';
import type { DeviceMapping, DeviceRequest } from '#spec';
import { CliError, FlagValueError } from '../framework/errors.ts';
import { readCsvRecord } from './csv.ts';
import { cut, parseDecimal } from './go-values.ts';

/** What `--device` comes to: host devices, and names (`vendor.com/class=name`) for the Container Device Interface. */
export interface DeviceOptions {
  mappings: DeviceMapping[];
  cdiNames: string[];
}

/** @throws {@link CliError} */
export function parseDevices(specs: readonly string[]): DeviceOptions {
  const cdiNames = specs.filter((spec) => isCdiName(spec));
  const mappings = specs.filter((spec) => !isCdiName(spec)).map((spec) => parseDevice(spec));
  return { mappings, cdiNames };
}

/** `host[:container][:rwm]`. */
function parseDevice(spec: string): DeviceMapping {
  const parts = spec.split(':');
  const [host = '', second, mode] = parts;
  if (parts.length > 3 || host === '') throw new CliError(`bad format for path: ${spec}`);
  if (second === undefined || (mode === undefined && isDeviceMode(second))) {
    if (!posix.isAbsolute(host)) throw new CliError(`${host} is not an absolute path`);
    const path = cleanPath(host);
    return { PathOnHost: path, PathInContainer: path, CgroupPermissions: second ?? 'rwm' };
  }
  if (mode !== undefined && !isDeviceMode(mode)) throw new CliError(`bad mode specified: ${mode}`);
  if (!posix.isAbsolute(second)) throw new CliError(`${second} is not an absolute path`);
  const path = mode === undefined ? cleanPath(second) : second;
  return { PathOnHost: host, PathInContainer: path, CgroupPermissions: mode ?? 'rwm' };
}

/** Each of r, w, m at most once. */
function isDeviceMode(mode: string): boolean {
  return /^[rwm]+$/.test(mode) && new Set(mode).size === mode.length;
}

function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, '') : clean;
}

function isCdiName(spec: string): boolean {
  const [kind, name, found] = cut(spec, '=');
  const [vendor, className, hasClass] = cut(kind, '/');
  if (!found || !hasClass) return false;
  const vendorOk = /^[A-Za-z](?:[\w.-]*[A-Za-z0-9])?$/.test(vendor);
  const classOk = /^[A-Za-z](?:[\w-]*[A-Za-z0-9])?$/.test(className);
  return vendorOk && classOk && /^[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/.test(name);
}

/**
 * Reads the value of `--gpus`: `all`, a count, or `device=…,capabilities=…,driver=…,options=…`.
 *
 * @throws {@link FlagValueError}
 */
export function parseGpus(text: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: [['gpu']], Options: {} };
  const seen = new Set<string>();
  for (const field of readCsvRecord(text)) {
    const [key, value, found] = cut(field, '=');
    if (seen.has(key)) throw new FlagValueError(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (!found) {
      seen.add('count');
      request.Count = parseCount(key);
    } else if (key === 'driver') request.Driver = value;
    else if (key === 'count') request.Count = parseCount(value);
    else if (key === 'device') request.DeviceIDs = value.split(',');
    else if (key === 'capabilities') request.Capabilities = [[...value.split(','), 'gpu']];
    else if (key === 'options') request.Options = readOptions(value);
    else throw new FlagValueError(`unexpected key '${key}' in '${field}'`);
  }
  if (!seen.has('count') && request.DeviceIDs === null) request.Count = 1;
  return request;
}

function parseCount(text: string): number {
  if (text === 'all') return -1;
  const count = parseDecimal(text, 64, true);
  if (typeof count === 'number') return count;
  throw new FlagValueError(`invalid count (${text}): value must be either "all" or an integer: ${count}`);
}

function readOptions(text: string): Record<string, string> {
  try {
    return Object.fromEntries(readCsvRecord(text).map((pair) => cut(pair, '=').slice(0, 2) as [string, string]));
  } catch (error) {
    throw new FlagValueError(`failed to read gpu options: ${error instanceof Error ? error.message : String(error)}`);
  }
}
