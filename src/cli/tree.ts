import type { CommandNode, FoundCommand, GroupNode } from './framework/command.ts';

type Load = NonNullable<CommandNode['load']>;

function leaf(name: string, summary: string, load?: Load, aliases: readonly string[] = []): CommandNode {
  return { name, summary, aliases, ...(load ? { load } : {}) };
}

const container: GroupNode = {
  name: 'container',
  summary: 'Manage containers',
  children: [
    leaf(
      'attach',
      "Attach the terminal's input and output to a running container",
      () => import('./commands/container/attach.ts'),
    ),
    leaf('commit', "Create a new image from a container's changes", () => import('./commands/container/commit.ts')),
    leaf(
      'cp',
      'Copy files and folders between a container and this machine',
      () => import('./commands/container/cp.ts'),
    ),
    leaf('create', 'Create a new container', () => import('./commands/container/create.ts')),
    leaf('diff', "List files changed in a container's filesystem", () => import('./commands/container/diff.ts')),
    leaf('exec', 'Run a command in a running container', () => import('./commands/container/exec.ts')),
    leaf('export', "Export a container's filesystem as a tar archive", () => import('./commands/container/export.ts')),
    leaf('inspect', 'Show all details of one or more containers', () => import('./commands/container/inspect.ts')),
    leaf('kill', 'Kill one or more running containers', () => import('./commands/container/kill.ts')),
    leaf('logs', 'Fetch the logs of a container', () => import('./commands/container/logs.ts')),
    leaf('ls', 'List containers', () => import('./commands/container/ls.ts'), ['list', 'ps']),
    leaf('pause', 'Pause all processes of one or more containers', () => import('./commands/container/pause.ts')),
    leaf('port', 'List the port mappings of a container', () => import('./commands/container/port.ts')),
    leaf('prune', 'Remove all stopped containers', () => import('./commands/container/prune.ts')),
    leaf('rename', 'Rename a container', () => import('./commands/container/rename.ts')),
    leaf('restart', 'Restart one or more containers', () => import('./commands/container/restart.ts')),
    leaf('rm', 'Remove one or more containers', () => import('./commands/container/rm.ts'), ['remove']),
    leaf('run', 'Create and run a new container from an image', () => import('./commands/container/run.ts')),
    leaf('start', 'Start one or more stopped containers', () => import('./commands/container/start.ts')),
    leaf('stats', 'Show a live stream of the resources containers use', () => import('./commands/container/stats.ts')),
    leaf('stop', 'Stop one or more running containers', () => import('./commands/container/stop.ts')),
    leaf('top', 'Show the processes of a container', () => import('./commands/container/top.ts')),
    leaf('unpause', 'Let paused containers go on', () => import('./commands/container/unpause.ts')),
    leaf('update', 'Change the limits of one or more containers', () => import('./commands/container/update.ts')),
    leaf(
      'wait',
      'Wait until containers stop, then print their exit codes',
      () => import('./commands/container/wait.ts'),
    ),
  ],
};

const image: GroupNode = {
  name: 'image',
  summary: 'Manage images',
  children: [
    leaf('build', 'Build an image from a Dockerfile', () => import('./commands/image/build.ts')),
    leaf('history', 'Show the history of an image', () => import('./commands/image/history.ts')),
    leaf('import', 'Make an image from a tar archive of a filesystem', () => import('./commands/image/import.ts')),
    leaf('inspect', 'Show all details of one or more images', () => import('./commands/image/inspect.ts')),
    leaf('load', 'Load images from a tar archive or standard input', () => import('./commands/image/load.ts')),
    leaf('ls', 'List images', () => import('./commands/image/ls.ts'), ['list']),
    leaf('prune', 'Remove unused images', () => import('./commands/image/prune.ts')),
    leaf('pull', 'Download an image from a registry', () => import('./commands/image/pull.ts')),
    leaf('push', 'Upload an image to a registry', () => import('./commands/image/push.ts')),
    leaf('rm', 'Remove one or more images', () => import('./commands/image/rm.ts'), ['remove']),
    leaf('save', 'Save images to a tar archive (standard output by default)', () => import('./commands/image/save.ts')),
    leaf('tag', 'Give an image another name', () => import('./commands/image/tag.ts')),
  ],
};

const builder: GroupNode = {
  name: 'builder',
  summary: 'Manage builds',
  children: [
    leaf('build', 'Build an image from a Dockerfile', () => import('./commands/image/build.ts')),
    leaf('prune', 'Remove build cache', () => import('./commands/builder/prune.ts')),
  ],
};

const manifest: GroupNode = {
  name: 'manifest',
  summary: 'Manage image manifests and manifest lists',
  children: [
    leaf(
      'annotate',
      'Add additional information to a local image manifest',
      () => import('./commands/manifest/annotate.ts'),
    ),
    leaf(
      'create',
      'Create a local manifest list for annotating and pushing to a registry',
      () => import('./commands/manifest/create.ts'),
    ),
    leaf('inspect', 'Display an image manifest, or manifest list', () => import('./commands/manifest/inspect.ts')),
    leaf('push', 'Push a manifest list to a repository', () => import('./commands/manifest/push.ts')),
    leaf('rm', 'Delete one or more manifest lists from local storage', () => import('./commands/manifest/rm.ts')),
  ],
};

const network: GroupNode = {
  name: 'network',
  summary: 'Manage networks',
  children: [
    leaf('connect', 'Connect a container to a network', () => import('./commands/network/connect.ts')),
    leaf('create', 'Create a network', () => import('./commands/network/create.ts')),
    leaf('disconnect', 'Disconnect a container from a network', () => import('./commands/network/disconnect.ts')),
    leaf('inspect', 'Show all details of one or more networks', () => import('./commands/network/inspect.ts')),
    leaf('ls', 'List networks', () => import('./commands/network/ls.ts'), ['list']),
    leaf('prune', 'Remove all unused networks', () => import('./commands/network/prune.ts')),
    leaf(
      'repair',
      'Make firewall rules and bridges again that others have removed',
      () => import('./commands/network/repair.ts'),
    ),
    leaf('rm', 'Remove one or more networks', () => import('./commands/network/rm.ts'), ['remove']),
  ],
};

const volume: GroupNode = {
  name: 'volume',
  summary: 'Manage volumes',
  children: [
    leaf('create', 'Create a volume', () => import('./commands/volume/create.ts')),
    leaf('inspect', 'Show all details of one or more volumes', () => import('./commands/volume/inspect.ts')),
    leaf('ls', 'List volumes', () => import('./commands/volume/ls.ts'), ['list']),
    leaf('prune', 'Remove unused local volumes', () => import('./commands/volume/prune.ts')),
    leaf('rm', 'Remove one or more volumes', () => import('./commands/volume/rm.ts'), ['remove']),
    leaf('update', 'Update a cluster volume'),
  ],
};

const context: GroupNode = {
  name: 'context',
  summary: 'Manage contexts',
  children: [
    leaf('create', 'Create a context', () => import('./commands/context/create.ts')),
    leaf(
      'export',
      'Export a context to a tar archive or standard output',
      () => import('./commands/context/export.ts'),
    ),
    leaf('import', 'Import a context from a tar or zip file', () => import('./commands/context/import.ts')),
    leaf('inspect', 'Show all details of one or more contexts', () => import('./commands/context/inspect.ts')),
    leaf('ls', 'List contexts', () => import('./commands/context/ls.ts'), ['list']),
    leaf('rm', 'Remove one or more contexts', () => import('./commands/context/rm.ts'), ['remove']),
    leaf('show', 'Print the name of the current context', () => import('./commands/context/show.ts')),
    leaf('update', 'Update a context', () => import('./commands/context/update.ts')),
    leaf('use', 'Set the context used by default', () => import('./commands/context/use.ts')),
  ],
};

const system: GroupNode = {
  name: 'system',
  summary: 'Manage the engine',
  children: [
    leaf('df', 'Show disk usage', () => import('./commands/system/df.ts')),
    leaf('events', 'Get events from the server as they happen', () => import('./commands/system/events.ts')),
    leaf('fsck', 'Verify the image store', () => import('./commands/system/fsck.ts')),
    leaf('info', 'Show system-wide information', () => import('./commands/system/info.ts')),
    leaf('prune', 'Remove unused data', () => import('./commands/system/prune.ts')),
  ],
};

/** Groups of Docker's that have no command here yet: name to summary. */
const planned = (name: string, summary: string, swarm = false): GroupNode => ({ name, summary, swarm, children: [] });

export const groups: readonly GroupNode[] = [
  builder,
  planned('buildx', 'Build with BuildKit'),
  planned('checkpoint', 'Manage checkpoints'),
  planned('compose', 'Run applications of several containers'),
  planned('config', 'Manage Swarm configs', true),
  container,
  context,
  image,
  manifest,
  network,
  planned('node', 'Manage Swarm nodes', true),
  planned('plugin', 'Manage plugins'),
  planned('secret', 'Manage Swarm secrets', true),
  planned('service', 'Manage Swarm services', true),
  planned('stack', 'Manage Swarm stacks', true),
  planned('swarm', 'Manage Swarm', true),
  system,
  planned('trust', 'Manage trust on images'),
  volume,
];

/** Commands outside groups. */
export const singles: readonly CommandNode[] = [
  leaf('inspect', 'Show all details of objects of any kind', () => import('./commands/inspect.ts')),
  leaf('login', 'Authenticate to a registry', () => import('./commands/login.ts')),
  leaf('logout', 'Log out from a registry', () => import('./commands/logout.ts')),
  leaf('registry', 'Run a registry of images', () => import('./commands/registry.ts')),
  leaf('search', 'Search a registry for images', () => import('./commands/search.ts')),
  leaf('version', 'Show the version of client and server', () => import('./commands/version.ts')),
];

/** Short spellings: the first word of a line to the group and command it means. */
export const shortcuts: Readonly<Record<string, readonly [GroupNode, string]>> = {
  ...Object.fromEntries(
    container.children
      .filter(({ name }) => !['inspect', 'ls', 'prune'].includes(name))
      .map(({ name }) => [name, [container, name]] as const),
  ),
  ps: [container, 'ls'],
  ...Object.fromEntries(
    ['build', 'history', 'import', 'load', 'pull', 'push', 'save', 'tag'].map((name) => [name, [image, name]] as const),
  ),
  images: [image, 'ls'],
  rmi: [image, 'rm'],
  events: [system, 'events'],
  info: [system, 'info'],
};

/** Whether the command can be run, so that help lists it. */
export function isBuilt(node: CommandNode): boolean {
  return node.load !== undefined && node.hidden !== true;
}

export function findChild(group: GroupNode, word: string): CommandNode | undefined {
  return group.children.find((child) => child.name === word || child.aliases?.includes(word) === true);
}

/** The command of a group, with all its spellings. `path` is what was typed. */
export function describeChild(program: string, path: string, group: GroupNode, node: CommandNode): FoundCommand {
  const spellings = [node.name, ...(node.aliases ?? [])].map((name) => `${program} ${group.name} ${name}`);
  for (const [word, [owner, name]] of Object.entries(shortcuts)) {
    if (owner === group && name === node.name) spellings.push(`${program} ${word}`);
  }
  return { node, path, spellings };
}
