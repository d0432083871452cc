import { isIP } from 'node:net';
import { invalidNetwork } from '../errors.ts';
import type { NetworkOptions } from '../options.ts';
import type { NetworkRecord } from '../store.ts';

/** How a bridge network behaves, from the daemon's flags or from the options that it was made with. */
export interface BridgeSettings {
  bridgeName: string;
  mtu: number;
  /** What leaves it carries the host's address. */
  masquerade: boolean;
  /** Its containers may reach each other. */
  interContainer: boolean;
  /** Nothing goes in or out but from the host. */
  internal: boolean;
  /** Where ports are published that name no address. */
  hostBinding: string;
  /** Containers get addresses from this part of the subnet. */
  ipRange?: string | undefined;
}

/** Docker's names for options of bridge networks. */
export const BRIDGE_OPTION = {
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  name: 'com.docker.network.bridge.name',
  interContainer: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  mtu: 'com.docker.network.driver.mtu',
} as const;

/** All of the host's addresses, of IPv6 too where it has any. */
export const ANY_ADDRESS = '0.0.0.0';

const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false])),
};

type Options = Readonly<Record<string, string>>;

function flagOption(options: Options, key: string): boolean {
  const text = options[key];
  if (text === undefined) return true;
  const value = truths[text];
  if (value !== undefined) return value;
  const quoted = JSON.stringify(text);
  throw invalidNetwork(
    `failed to parse ${key} value: ${quoted} (strconv.ParseBool: parsing ${quoted}: invalid syntax)`,
  );
}

function mtuOption(options: Options, fallback: number): number {
  const text = options[BRIDGE_OPTION.mtu];
  if (text === undefined) return fallback;
  const mtu = Number(text);
  if (!/^\d+$/.test(text) || mtu < 68 || mtu > 65535) {
    throw invalidNetwork(`failed to parse ${BRIDGE_OPTION.mtu} value: ${JSON.stringify(text)}`);
  }
  return mtu;
}

function hostBindingOption(options: Options, fallback: string): string {
  const text = options[BRIDGE_OPTION.hostBinding];
  if (text === undefined || text === '') return fallback;
  if (isIP(text) !== 0) return text;
  throw invalidNetwork(`failed to parse ${BRIDGE_OPTION.hostBinding} value: ${JSON.stringify(text)}`);
}

/** What the options of a network that is to be made say. @throws invalidArgument for values that make no sense. */
export function settingsFromOptions(
  options: Options,
  network: { bridgeName: string; internal: boolean; mtu: number },
  hostBinding: string = ANY_ADDRESS,
): BridgeSettings {
  const { bridgeName, internal } = network;
  return {
    bridgeName,
    internal,
    mtu: mtuOption(options, network.mtu),
    masquerade: flagOption(options, BRIDGE_OPTION.masquerade),
    interContainer: flagOption(options, BRIDGE_OPTION.interContainer),
    hostBinding: hostBindingOption(options, hostBinding),
  };
}

/** @param facts - the default network's bridge, and what packets may measure where nobody says so. */
export function settingsOf(
  record: NetworkRecord,
  facts: { bridgeName: string; mtu: number },
  daemon: NetworkOptions,
): BridgeSettings {
  const { custom } = record;
  const hostBinding = daemon.hostBinding ?? ANY_ADDRESS;
  if (custom !== undefined) {
    const settings = settingsFromOptions(custom.options, { ...custom, mtu: facts.mtu }, hostBinding);
    return { ...settings, ipRange: custom.ipRange };
  }
  return {
    ...facts,
    masquerade: daemon.ipMasquerade !== false,
    interContainer: daemon.interContainer !== false,
    internal: false,
    hostBinding,
    ipRange: daemon.fixedCidr,
  };
}
