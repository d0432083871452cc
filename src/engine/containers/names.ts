import { randomInt } from 'node:crypto';
import { invalidName } from './errors.ts';

const adjectives =
  'agile amber bold breezy bright brisk calm candid clever cosy crisp dapper daring deft eager early earnest fair fleet fond frank fresh gentle glad golden grand happy hardy hearty honest humble jolly keen kind lively loyal lucid lucky mellow merry mild nimble noble patient placid plucky polite prime proud quick quiet ready robust rosy salty serene sharp silent sleek snug sober sound spry stable steady stout sunny swift tidy trusty upbeat vivid warm wise witty zesty'.split(
    ' ',
  );
const nouns =
  'anchor barge barnacle beacon bollard bosun bow breeze brig buoy cabin canal capstan captain cargo catamaran channel clipper coast compass coral cove crane crew current cutter deck delta dinghy dock dolphin estuary fathom ferry fjord fleet foghorn frigate galley gangway gull harbour hatch haven helm heron hull inlet island jetty junk keel ketch knot lagoon lantern lighthouse lock lugger marina mast mooring narwhal oar osprey otter paddle pelican pier pilot porpoise port quay raft reef regatta rigging rudder sail schooner seal sextant shoal shore skiff sloop spinnaker starboard stern strait surf tanker tern tide tiller trawler tug turtle vessel voyage walrus wharf whale winch yacht yawl'.split(
    ' ',
  );

const valid = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * A wanted name without its optional leading slash.
 *
 * @throws invalidArgument with Docker's text.
 */
export function checkName(wanted: string): string {
  const name = wanted.startsWith('/') ? wanted.slice(1) : wanted;
  if (!valid.test(name)) throw invalidName(wanted);
  return name;
}

/** A free name such as `brisk_heron`; with a number behind after a few clashes. */
export function generateName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const base = `${adjectives[randomInt(adjectives.length)]}_${nouns[randomInt(nouns.length)]}`;
    const name = attempt < 6 ? base : `${base}${randomInt(10 ** Math.min(attempt - 5, 9))}`;
    if (!isTaken(name)) return name;
  }
}
