/** Numbers of nf_tables' netlink interface: linux/netfilter/nf_tables.h, nfnetlink.h and netfilter.h. */

export const NFNL_SUBSYS_NFTABLES = 10;
export const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const;

/** The subsystem's number is the upper byte. */
export const NFT_MSG = {
  NEWTABLE: 0xa00,
  DELTABLE: 0xa02,
  NEWCHAIN: 0xa03,
  GETCHAIN: 0xa04,
  NEWRULE: 0xa06,
  GETRULE: 0xa07,
  DELRULE: 0xa08,
  NEWSET: 0xa09,
  NEWSETELEM: 0xa0c,
  DELSETELEM: 0xa0e,
} as const;

export const FAMILY = { inet: 1, ip: 2, ip6: 10 } as const;
export const HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
export const POLICY = { drop: 0, accept: 1 } as const;
export const VERDICT = { drop: 0, accept: 1, continue: -1, jump: -3, goto: -4, return: -5 } as const;

/** Added to a rule at its end, and not at its chain's beginning. */
export const NLM_F_APPEND = 0x800;

export const NFTA_TABLE = { NAME: 1 } as const;
export const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
export const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2 } as const;
export const NFTA_RULE = { TABLE: 1, CHAIN: 2, HANDLE: 3, EXPRESSIONS: 4 } as const;
export const NFTA_LIST_ELEM = 1;
export const NFTA_EXPR = { NAME: 1, DATA: 2 } as const;
export const NFTA_DATA = { VALUE: 1, VERDICT: 2 } as const;
export const NFTA_VERDICT = { CODE: 1, CHAIN: 2 } as const;
export const NFTA_SET = {
  TABLE: 1,
  NAME: 2,
  FLAGS: 3,
  KEY_TYPE: 4,
  KEY_LEN: 5,
  DATA_TYPE: 6,
  DATA_LEN: 7,
  ID: 10,
  USERDATA: 13,
} as const;
/** Of no concern to the kernel: attributes of an 8-bit type, an 8-bit length and a value, by which nft(8) shows a set. */
export const UDATA_SET = { KEY_BYTE_ORDER: 0, DATA_BYTE_ORDER: 1 } as const;
export const NFTA_SET_ELEM_LIST = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const;
export const NFTA_SET_ELEM = { KEY: 1, DATA: 2, FLAGS: 3 } as const;

export const NFT_SET = { INTERVAL: 4, MAP: 8 } as const;
export const NFT_SET_ELEM_INTERVAL_END = 1;
/** The data type of a map that leads to verdicts. */
export const NFT_DATA_VERDICT = 0xffffff00;

export const META_KEY = { mark: 3, iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const;
export const CT_KEY = { state: 0, direction: 1, status: 2, mark: 3 } as const;
export const PAYLOAD_BASE = { link: 0, network: 1, transport: 2 } as const;
export const COMPARISON = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const;
export const NAT_TYPE = { snat: 0, dnat: 1 } as const;
export const NFT_FIB_RESULT_ADDRTYPE = 3;
export const FIB_FLAG = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 } as const;
