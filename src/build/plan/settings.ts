import { DockerfileProblem } from '../dockerfile/index.ts';

const protocols = new Set(['tcp', 'udp', 'sctp']);
const MAX_PORT = 65_535;
const signalNames = new Set(
  'HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS UNUSED RTMIN RTMAX'.split(
    ' ',
  ),
);
const MAX_SIGNAL = 64;

/** Single ports as a configuration has them, `80/tcp`, sorted; ranges taken apart. @throws DockerfileProblem. */
export function exposedPorts(written: readonly string[]): string[] {
  return [...new Set(written.flatMap(parsePorts))].sort();
}

function parsePorts(text: string): string[] {
  const invalid = (): DockerfileProblem => new DockerfileProblem(`Invalid containerPort: ${text}`, text);
  const [numbers = '', protocol = 'tcp', ...more] = text.split('/');
  if (more.length > 0 || !protocols.has(protocol.toLowerCase())) {
    throw new DockerfileProblem(`Invalid proto: ${protocol}`, text);
  }
  // `address:host:port` is read as `docker run -p` would; only the last part means something here.
  const match = /^(?:.*:)?(\d+)(?:-(\d+))?$/.exec(numbers);
  if (!match) throw invalid();
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (first > last || last > MAX_PORT) throw invalid();
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`);
}

/** @throws DockerfileProblem for what is no signal. */
export function checkStopSignal(text: string): string {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const isNumber = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_SIGNAL;
  const isRealTime = /^RT(?:MIN\+|MAX-)\d{1,2}$/.test(name);
  if (isNumber || isRealTime || signalNames.has(name)) return text;
  throw new DockerfileProblem(`invalid signal: ${text}`, text);
}
