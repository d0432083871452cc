import { type Command, type CommandLine, defineCommand, minArgs } from '../../framework/command.ts';
import { describeError } from '../../framework/describe-error.ts';
import { CliError } from '../../framework/errors.ts';
import { string } from '../../framework/flags.ts';
import { parseRestartPolicy } from '../../run-options/container-options.ts';
import { updatableFlags } from '../../run-options/flags.ts';

const flags = { ...updatableFlags, restart: string('What to do when the container exits') };

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: minArgs(1),
  flags,
  async run(ctx, line) {
    const names = Object.keys(flags) as Extract<keyof typeof flags, string>[];
    if (!names.some((name) => line.given(name))) {
      throw new CliError('you must provide one or more flags when using this command');
    }
    const json = updateRequest(line.flags);
    const client = await ctx.client();
    const failures: string[] = [];
    const warnings: string[] = [];
    for (const name of line.args) {
      try {
        const path = `/containers/${encodeURIComponent(name)}/update`;
        const answer = await client.post<{ Warnings?: string[] | null }>(path, {}, { json });
        warnings.push(...(answer.Warnings ?? []));
        ctx.out(`${name}\n`);
      } catch (error) {
        failures.push(describeError(error, ctx.program));
      }
    }
    if (warnings.length > 0) ctx.out(`${warnings.join('\n')}\n`);
    if (failures.length > 0) throw new CliError(failures.join('\n'));
  },
});

/** Members that cannot be changed go out as Go's zero values, as from Docker's client. */
function updateRequest(values: CommandLine<typeof flags>['flags']): Record<string, unknown> {
  return {
    CpuShares: values['cpu-shares'],
    Memory: values.memory,
    NanoCpus: values.cpus,
    CgroupParent: '',
    BlkioWeight: values['blkio-weight'],
    BlkioWeightDevice: null,
    BlkioDeviceReadBps: null,
    BlkioDeviceWriteBps: null,
    BlkioDeviceReadIOps: null,
    BlkioDeviceWriteIOps: null,
    CpuPeriod: values['cpu-period'],
    CpuQuota: values['cpu-quota'],
    CpuRealtimePeriod: values['cpu-rt-period'],
    CpuRealtimeRuntime: values['cpu-rt-runtime'],
    CpusetCpus: values['cpuset-cpus'],
    CpusetMems: values['cpuset-mems'],
    Devices: null,
    DeviceCgroupRules: null,
    DeviceRequests: null,
    ...(values['kernel-memory'] === 0 ? {} : { KernelMemory: values['kernel-memory'] }),
    MemoryReservation: values['memory-reservation'],
    MemorySwap: values['memory-swap'],
    MemorySwappiness: null,
    OomKillDisable: null,
    PidsLimit: values['pids-limit'] === 0 ? null : values['pids-limit'],
    Ulimits: null,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    RestartPolicy: parseRestartPolicy(values.restart),
  };
}
