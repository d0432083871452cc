import { type NftObject, query, run } from './nft.ts';

/** nftables through libnftables. */
export interface Nft {
  run(commands: string): string;
  query(commands: string): NftObject[];
}

export const linuxNft: Nft = { run, query };
