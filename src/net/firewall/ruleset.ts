/** A bridge network as the firewall sees it. */
export interface FirewallNetwork {
  bridgeName: string;
  subnet: string;
  masquerade: boolean;
  /** Its containers may reach each other. */
  interContainer: boolean;
}

function elements(values: readonly string[]): string {
  return values.length === 0 ? '' : ` elements = { ${values.join(', ')} }`;
}

function quoted(name: string): string {
  return `"${name}"`;
}

/**
 * The whole of our nftables table as one transaction that replaces what there was, so that no packet meets half of it.
 *
 * Into a network of ours come answers, what a port mapping leads there, and what starts in the same bridge; the rest is
 * dropped. What leaves to other interfaces carries the host's address. Everything that is not ours passes through.
 * Bridged packets come by here too where the host has bridge-nf-call-iptables on, hence the rules for the same bridge.
 */
export function renderRuleset(tableName: string, networks: readonly FirewallNetwork[]): string {
  const bridges = networks.map((network) => quoted(network.bridgeName));
  const linked = networks
    .filter((network) => network.interContainer)
    .map(({ bridgeName }) => `${quoted(bridgeName)} . ${quoted(bridgeName)}`);
  const masqueraded = networks.filter((network) => network.masquerade).map((network) => network.subnet);
  return `
add table inet ${tableName}
delete table inet ${tableName}
table inet ${tableName} {
  set bridges { type ifname;${elements(bridges)}
  }
  set linked { type ifname . ifname;${elements(linked)}
  }
  set masqueraded { type ipv4_addr; flags interval;${elements(masqueraded)}
  }
  chain to-bridge {
    ct state established,related accept
    ct status dnat accept
    iifname . oifname @linked accept
    drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname @bridges jump to-bridge
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != @bridges ip saddr @masqueraded masquerade
  }
}
`;
}
