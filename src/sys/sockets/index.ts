import { createDatagramBatch, type DatagramBatch, type DatagramBatchOptions } from './datagram-batch.ts';
import { type HeldPort, holdPort, listenAtPort } from './held-port.ts';
import { bindInet, type InetKind, openInet } from './inet.ts';
import { bindDatagram, connectDatagram, unsentBytes } from './unix-datagram.ts';
import { receiveWithFds, type ReceivedWithFds, sendWithFds } from './pass-fds.ts';
import { type FdEvents, type FdWatch, poll, type PollEntry, watchFd } from './poll.ts';
import {
  accept,
  connectSeqpacket,
  listenSeqpacket,
  receive,
  send,
  seqpacketPair,
  shutdown,
  type SocketOptions,
} from './seqpacket.ts';

/** Sockets that Node cannot open, and waiting on them. Fds belong to the caller, who closes them with `files.closeFd`. */
export interface Sockets {
  connectSeqpacket(path: string, options?: SocketOptions): number;
  connectDatagram(path: string): number;
  bindDatagram(path: string): number;
  unsentBytes(fd: number): number;
  listenSeqpacket(path: string, options?: SocketOptions & { backlog?: number }): number;
  seqpacketPair(options?: SocketOptions): [number, number];
  accept(fd: number, options?: SocketOptions): number | undefined;
  send(fd: number, packet: Uint8Array): number | undefined;
  receive(fd: number, into: Uint8Array): number | undefined;
  shutdown(fd: number, direction: 'read' | 'write' | 'both'): void;
  sendWithFds(fd: number, data: Uint8Array, fds: readonly number[]): number | undefined;
  receiveWithFds(fd: number, into: Uint8Array, maxFds: number): ReceivedWithFds | undefined;
  poll(entries: readonly PollEntry[], timeoutMs: number): number[];
  watchFd(fd: number, events: Partial<FdEvents>, listener: (events: FdEvents) => void): FdWatch;
  openInet(kind: InetKind, family: 4 | 6): number;
  bindInet(kind: InetKind, address: string, port: number): { fd: number; port: number };
  holdPort(where: HeldPort): number;
  listenAtPort(fd: number): void;
  createDatagramBatch(options: DatagramBatchOptions): DatagramBatch;
}

export const linuxSockets: Sockets = {
  connectSeqpacket,
  connectDatagram,
  bindDatagram,
  unsentBytes,
  listenSeqpacket,
  seqpacketPair,
  accept,
  send,
  receive,
  shutdown,
  sendWithFds,
  receiveWithFds,
  poll,
  watchFd,
  openInet,
  bindInet,
  holdPort,
  listenAtPort,
  createDatagramBatch,
};
