import type { ContainerConfig, HealthConfig } from '#spec';
import { flag, integer, list, map, nothing, optional, struct, type StructDecoder, text, words } from './go-json.ts';

const health = struct<HealthConfig>({
  Test: optional(list(text())),
  Interval: optional(integer()),
  Timeout: optional(integer()),
  Retries: optional(integer('int')),
  StartPeriod: optional(integer()),
  StartInterval: optional(integer()),
});

/** Docker's `container.Config`. */
export const containerConfig: StructDecoder<ContainerConfig> = struct<ContainerConfig>({
  Hostname: text(),
  Domainname: text(),
  User: text(),
  AttachStdin: flag(),
  AttachStdout: flag(),
  AttachStderr: flag(),
  ExposedPorts: optional(map(nothing())),
  Tty: flag(),
  OpenStdin: flag(),
  StdinOnce: flag(),
  Env: list(text()),
  Cmd: words(),
  Healthcheck: optional(health),
  ArgsEscaped: optional(flag()),
  Image: text(),
  Volumes: map(nothing()),
  WorkingDir: text(),
  Entrypoint: words(),
  NetworkDisabled: optional(flag()),
  MacAddress: optional(text()),
  OnBuild: list(text()),
  Labels: map(text()),
  StopSignal: optional(text()),
  StopTimeout: optional(integer('int')),
  Shell: optional(words()),
});
