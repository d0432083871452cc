/** A line of a container's output, or a piece of a long one, on its way to a receiver. */
export interface LogMessage {
  stream: 'stdout' | 'stderr';
  /** Nanoseconds since the epoch; all pieces of a line have the first one's. */
  time: bigint;
  /** Without the newline. */
  data: Buffer;
  /** There for pieces only. */
  partial?: { id: string; ordinal: number; last: boolean };
}

/** What a driver tells about the container beside its lines; names as in dockerd's drivers. */
export interface LogInfo {
  containerId: string;
  /** Without the leading slash. */
  containerName: string;
  imageId: string;
  imageName: string;
  command: string;
  /** RFC 3339. */
  created: string;
  /** The rendered `tag` option. */
  tag: string;
  /** Chosen labels and variables. */
  attributes: Readonly<Record<string, string>>;
  /** This host's. */
  hostname: string;
}

export type LogOptions = Readonly<Record<string, string>>;

/** A receiver of messages. One call at a time. */
export interface LogDestination {
  /**
   * Resolves when the receiver has them all, as far as the protocol tells; connects where needed.
   *
   * @throws when it may not have them: they are to be sent again.
   */
  deliver(messages: readonly LogMessage[]): Promise<void>;
  /** A delivery under way fails. Repeatable. */
  close(): void;
}

/** What drivers need of the kernel; `sockets` of `#sys` is that. */
export interface LogSockets {
  connectDatagram(path: string): number;
  /** Undefined: not now. */
  send(fd: number, packet: Uint8Array): number | undefined;
  sendWithFds(fd: number, data: Uint8Array, fds: readonly number[]): number | undefined;
  unsentBytes(fd: number): number;
}

/** What drivers need of the file system; `files` of `#sys` is that. */
export interface LogMemory {
  sealedMemory(name: string, content: Uint8Array): number;
  closeFd(fd: number): void;
}

export interface LogDriverHost {
  sockets: LogSockets;
  files: LogMemory;
}

export interface LogDriver {
  /** Options beyond those that all drivers have. */
  readonly options: readonly string[];
  /** @throws invalidArgument with dockerd's texts. */
  check(options: LogOptions): void;
  /** Connects nowhere yet. @throws what cannot become better by waiting. */
  open(options: LogOptions, info: LogInfo, host: LogDriverHost): LogDestination;
  /** How long to wait before trying again. */
  retryMs(options: LogOptions): number;
}
