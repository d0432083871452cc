import { type NftSocket, openNftSocket } from './nft-socket.ts';

/** nftables over netlink; see nft(8) for what tables, chains, sets and rules are. */
export interface Nft {
  openNftSocket(netnsPath?: string): NftSocket;
}

export const linuxNft: Nft = { openNftSocket };
