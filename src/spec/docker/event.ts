export interface EventActor {
  ID: string;
  Attributes: Record<string, string>;
}

/** One message of `GET /events`. `status`, `id`, `from` are sent for containers and images. */
export interface EventMessage {
  status?: string;
  id?: string;
  from?: string;
  Type: 'container' | 'image' | 'volume' | 'network' | 'daemon' | 'builder' | 'plugin';
  Action: string;
  Actor: EventActor;
  scope: 'local' | 'swarm';
  /** Seconds since the epoch. */
  time: number;
  /** Nanoseconds since the epoch; does not fit a double, so it is written digit by digit. */
  timeNano: bigint;
}
