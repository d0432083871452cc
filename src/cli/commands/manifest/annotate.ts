import type { oci } from '#spec';
import { CliError, type Command, defineCommand, exactArgs, list, string } from '../../framework/index.ts';
import { parseName } from './manifest-list.ts';
import { ManifestStore } from './manifest-store.ts';

/** What Go programs can be built for, by operating system; other values are typing errors. */
const architectures: Readonly<Record<string, readonly string[]>> = {
  darwin: ['386', 'amd64', 'arm', 'arm64'],
  dragonfly: ['amd64'],
  freebsd: ['386', 'amd64', 'arm'],
  linux: ['386', 'amd64', 'arm', 'arm64', 'ppc64le', 'mips64', 'mips64le', 'riscv64', 's390x'],
  netbsd: ['386', 'amd64', 'arm'],
  openbsd: ['386', 'amd64', 'arm'],
  plan9: ['386', 'amd64'],
  solaris: ['amd64'],
  windows: ['386', 'amd64', 'arm', 'arm64'],
};

export const command: Command = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST MANIFEST',
  args: exactArgs(2),
  flags: {
    arch: string('Set architecture'),
    os: string('Set operating system'),
    'os-features': list('Set operating system feature'),
    'os-version': string('Set operating system version'),
    variant: string('Set architecture variant'),
  },
  run(ctx, { flags, args }) {
    const [listName = '', imageName = ''] = args;
    const target = parseName(listName);
    const image = parseName(imageName);
    const store = new ManifestStore(ctx);
    const manifest = store.find(target, image);
    if (!manifest) throw new CliError(`manifest for image ${imageName} does not exist in ${listName}`);
    const before: oci.Platform = manifest.Descriptor.platform ?? { architecture: '', os: '' };
    const features = [...new Set([...(before['os.features'] ?? []), ...flags['os-features']])];
    const version = flags['os-version'] || before['os.version'];
    const variant = flags.variant || before.variant;
    const platform: oci.Platform = {
      architecture: flags.arch || before.architecture,
      os: flags.os || before.os,
      ...(version === undefined ? {} : { 'os.version': version }),
      ...(features.length === 0 ? {} : { 'os.features': features }),
      ...(variant === undefined ? {} : { variant }),
    };
    if (architectures[platform.os]?.includes(platform.architecture) !== true) {
      throw new CliError(
        `manifest entry for image has unsupported os/arch combination: ${platform.os}/${platform.architecture}`,
      );
    }
    store.save(target, image, { ...manifest, Descriptor: { ...manifest.Descriptor, platform } });
    return Promise.resolve();
  },
});
