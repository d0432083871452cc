import type { Logger } from '#lib';
import type { Sys } from '#sys';
import type { ResolverSettings } from './contract.ts';
import type { Pool } from './ipam/pools.ts';
import type { NetworkStore } from './store.ts';

/** What differs between daemons on one host, and what `dockerd`'s network flags set. */
export interface NetworkOptions {
  sys: Sys;
  store: NetworkStore;
  logger: Logger;
  /** State that does not outlive a boot; namespaces are at `<execRoot>/netns/<container id>`. */
  execRoot: string;
  /** Default `berth0`. */
  bridgeName?: string | undefined;
  /** Name of our nftables table, of family inet. Default `berth`. */
  tableName?: string | undefined;
  /** The bridge's address with the network's length, `172.30.0.1/24` (`--bip`); default the first free network. */
  bridgeAddress?: string | undefined;
  /** Part of the default network that containers get addresses from (`--fixed-cidr`); without an address, all of it. */
  fixedCidr?: string | undefined;
  /** Where the first free network is looked for (`--default-address-pool`). */
  pools?: readonly Pool[] | undefined;
  /** Default 1500, or less where the host's default route has less. */
  mtu?: number | undefined;
  /** Write nftables rules (`--iptables`). Default true. */
  firewall?: boolean | undefined;
  /** Switch on IPv4 forwarding (`--ip-forward`). Default true. */
  ipForward?: boolean | undefined;
  /** Hide containers behind the host's addresses (`--ip-masq`). Default true. */
  ipMasquerade?: boolean | undefined;
  /** What containers' resolvers ask and do unless the container has settings of its own (`--dns`, `--dns-opt`). */
  resolver?: ResolverSettings | undefined;
  /** The host's list of resolvers. Default `/etc/resolv.conf`. */
  hostResolvConf?: string | undefined;
  /** Where ports are published that name no address (`--ip`). Default all addresses. */
  hostBinding?: string | undefined;
  /**
   * Published ports obey the host's rules for what comes in: connections end at the daemon, which passes them on, instead
   * of being led past those rules. Containers see the bridge's address then. Default false.
   */
  respectFirewall?: boolean | undefined;
  /** Let containers of the default bridge reach each other (`--icc`). Default true. */
  interContainer?: boolean | undefined;
}
