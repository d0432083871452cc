import { constants, openSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { CLONE, createLinuxSys, O } from '#sys';
import type { ContainerView } from '../contract.ts';
import { compareWithLowers, listUpper } from '../changes/changes-job.ts';
import { ChunkSink } from '../pack/chunk-sink.ts';
import { runPack } from '../pack/pack-job.ts';
import { matchSources } from '../select/match-job.ts';
import { runSelect } from '../select/select-job.ts';
import { runUnpack } from '../unpack/unpack-job.ts';
import { lookUpPath, resolvePath } from '../view/look-up-job.ts';
import { ContainerViews } from '../view/container-views.ts';
import { JobControl } from './job-control.ts';
import { MessageSource } from './message-source.ts';
import {
  type ControlCells,
  type FromWorker,
  type Job,
  type JobResult,
  type ToWorker,
  toWireError,
} from './protocol.ts';

/*
 * A thread of the archive's pool. It has a root directory, a working directory and a umask of its own; during a job the
 * root is the job's. It runs nothing but this module's code, with synchronous `fs` calls only, so nobody in the tree can
 * make use of the fd by which it finds back to the host's root.
 */

const port = parentPort;
const sys = createLinuxSys();

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** Before the first job, from the host's files: everything that is loaded or opened by path. */
function prepare(): number {
  const hostRoot = openSync('/', O.PATH | constants.O_DIRECTORY);
  sys.namespaces.unshare(CLONE.FS);
  sys.namespaces.setUmask(0);
  return hostRoot;
}

const hostRoot = prepare();
const views = new ContainerViews(sys, hostRoot);
let source: MessageSource | undefined;

function enter(root: string | ContainerView): void {
  if (typeof root === 'string') sys.namespaces.chroot(root);
  else views.enter(root);
}

async function run(job: Job, control: JobControl): Promise<JobResult> {
  switch (job.kind) {
    case 'unpack': {
      enter(job.root);
      sys.namespaces.chdir(job.directory);
      source = new MessageSource((bytes) => post({ kind: 'consumed', bytes }));
      return await runUnpack(job, source, control, sys.files);
    }
    case 'pack': {
      enter(job.root);
      runPack(job, new ChunkSink(control, (bytes) => post({ kind: 'chunk', bytes }, [bytes.buffer])), sys.files);
      return undefined;
    }
    case 'match': {
      sys.namespaces.chroot(job.root);
      return { matches: matchSources(job.sources, job.ignore) };
    }
    case 'select': {
      sys.namespaces.chroot(job.root);
      runSelect(job, new ChunkSink(control, (bytes) => post({ kind: 'chunk', bytes }, [bytes.buffer])), sys.files);
      return undefined;
    }
    case 'lookUp': {
      views.enter(job.root);
      return lookUpPath(job.path);
    }
    case 'resolve': {
      views.enter(job.root);
      return resolvePath(job.path);
    }
    case 'changes': {
      sys.namespaces.chroot(job.upper);
      const entries = listUpper(sys.files);
      sys.namespaces.chrootToFd(hostRoot);
      return compareWithLowers(entries, job.lowers, sys.files);
    }
  }
}

async function perform(job: Job, cells: ControlCells): Promise<void> {
  let answer: FromWorker;
  try {
    answer = { kind: 'done', result: await run(job, new JobControl(cells)) };
  } catch (error) {
    answer = { kind: 'failed', error: toWireError(error) };
  }
  source = undefined;
  // Should this fail the thread ends, and the pool drops it: better none than one with a foreign root.
  views.leave();
  sys.namespaces.chrootToFd(hostRoot);
  post(answer);
}

port?.on('message', (message: ToWorker) => {
  if (message.kind === 'job') void perform(message.job, message.control);
  else if (message.kind === 'chunk') source?.push(message.bytes);
  else source?.end(message.broken);
});
post({ kind: 'ready' });
