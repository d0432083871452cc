import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { isBerth } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();
/** Docker's fourteen. */
const defaultCapabilities = '00000000a80425fb';

describe('process of a container', { concurrency: 4 }, () => {
  test('entrypoint and command are joined, environment and directory set', async (t) => {
    const { stdout } = await engine.output(t, '', {
      Entrypoint: ['sh', '-c', 'echo "$0,$1,$2"; pwd; env | sort'],
      Cmd: ['a b', 'c', ''],
      Env: ['X=1', 'EMPTY=', 'PATH=/bin', 'EQ=a=b'],
      WorkingDir: '/var/new/dir',
      Hostname: 'myhost',
    });
    assert.equal(
      stdout,
      'a b,c,\n/var/new/dir\nEMPTY=\nEQ=a=b\nHOME=/root\nHOSTNAME=myhost\nPATH=/bin\nPWD=/var/new/dir\nSHLVL=1\nX=1\n',
    );
  });

  test("the image's environment stays unless it is set anew; TERM comes with a terminal", async (t) => {
    const plain = await engine.output(t, 'echo $PATH; echo ${TERM-none}', { Env: ['OTHER=1'] });
    assert.equal(plain.stdout, '/bin:/usr/bin\nnone\n');
    const id = await engine.run(t, 'echo $TERM', { Tty: true });
    await engine.wait(id);
    assert.equal((await engine.logs(id, {}, true)).stdout, 'xterm\r\n');
  });

  test('user and groups are looked up in the container', async (t) => {
    const cases: [string, string][] = [
      ['', 'uid=0(root) gid=0(root) groups=0(root)'],
      ['operator', 'uid=37(operator) gid=37 groups=37,8(mail),29(audio)'],
      ['www-data:users', 'uid=33(www-data) gid=100(users) groups=100(users)'],
      ['1234', 'uid=1234 gid=0(root) groups=0(root)'],
      ['1234:29', 'uid=1234 gid=29(audio) groups=29(audio)'],
      ['8', 'uid=8(mail) gid=8(mail) groups=8(mail)'],
    ];
    for (const [User, expected] of cases) {
      const { stdout } = await engine.output(t, 'id', { User });
      assert.equal(normalGroups(stdout), normalGroups(`${expected}\n`), User);
    }
    const added = await engine.output(t, 'id -G', { User: 'mail', HostConfig: { GroupAdd: ['audio', '4321'] } });
    assert.deepEqual(new Set(added.stdout.trim().split(' ')), new Set(['8', '29', '4321']));
  });

  test('an unknown user or group is refused, and never becomes root', async (t) => {
    for (const [User, message] of [
      ['nosuchuser', /unable to find user nosuchuser: no matching entries in passwd file/],
      ['mail:nosuchgroup', /unable to find group nosuchgroup: no matching entries in group file/],
      ['4294967296', /uids and gids must be in range|no matching entries|invalid/],
      ['-1', /uids and gids must be in range|no matching entries|invalid/],
    ] as const) {
      const id = await engine.create(t, { Cmd: ['id'], User });
      await refuses(engine.start(id), [400, 500], message);
      assert.equal((await engine.inspect(id)).State.Status, 'created');
    }
  });

  test('hostname, domain name, hosts and resolv.conf are its own', async (t) => {
    const id = await engine.run(t, 'hostname; cat /etc/hostname /etc/hosts; echo ---; cat /etc/resolv.conf', {
      Hostname: 'web',
      Domainname: 'example.test',
      HostConfig: {
        ExtraHosts: ['db:10.1.2.3', 'v6:::1'],
        Dns: ['192.0.2.53'],
        DnsSearch: ['corp.test'],
        DnsOptions: ['ndots:2'],
      },
    });
    await engine.wait(id);
    const { stdout } = await engine.logs(id);
    const [hosts = '', resolv = ''] = stdout.split('---\n');
    assert.match(hosts, /^web(\.example\.test)?\nweb(\.example\.test)?\n/);
    assert.match(hosts, /^127\.0\.0\.1\tlocalhost$/m);
    assert.match(hosts, /^::1\tlocalhost ip6-localhost ip6-loopback$/m);
    assert.match(hosts, /^10\.1\.2\.3\tdb$/m);
    assert.match(hosts, /^::1\tv6$/m);
    assert.match(hosts, /^\d+\.\d+\.\d+\.\d+\tweb\.example\.test web$/m);
    assert.match(resolv, /^nameserver 192\.0\.2\.53$/m);
    assert.match(resolv, /^search corp\.test$/m);
    assert.match(resolv, /^options ndots:2$/m);
  });

  test('without a hostname it is the short id', async (t) => {
    const id = await engine.run(t, 'hostname');
    await engine.wait(id);
    assert.equal((await engine.logs(id)).stdout, `${id.slice(0, 12)}\n`);
    assert.equal((await engine.inspect(id)).Config.Hostname, id.slice(0, 12));
  });

  test('/etc/hosts can be edited, and is not lost on restart', async (t) => {
    const id = await engine.runIdle(t);
    await engine.exec(id, 'echo "10.9.8.7 edited" >>/etc/hosts');
    assert.match((await engine.exec(id, 'cat /etc/hosts')).stdout, /10\.9\.8\.7 edited/);
  });

  test('/dev has what Docker gives, and no more', async (t) => {
    const { stdout } = await engine.output(t, 'ls /dev; stat -c %a /dev/null /dev/shm; df -k /dev/shm | tail -n 1');
    const lines = stdout.trim().split('\n');
    const names = lines.slice(0, -3);
    for (const name of [
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ]) {
      assert.ok(names.includes(name), `${name} in ${names.join(' ')}`);
    }
    assert.ok(!names.some((name) => /^(sd|vd|loop|mem|kmsg)/.test(name)), names.join(' '));
    assert.deepEqual(lines.slice(-3, -1), ['666', '1777']);
    assert.match(lines.at(-1) ?? '', /^shm\s+65536\s/);
  });

  test('a device is passed in with its permissions; others are refused by the cgroup', async (t) => {
    const PathOnHost = ['/dev/fuse', '/dev/loop-control', '/dev/rtc0'].find((path) => existsSync(path));
    if (PathOnHost === undefined) return t.skip('this machine has none of the devices');
    const { rdev } = statSync(PathOnHost);
    const { stdout } = await engine.output(
      t,
      'stat -c %t:%T /dev/mine; : </dev/mine && echo read; (: >/dev/mine) 2>/dev/null || echo denied; mknod /tmp/m c 1 1 && (head -c 1 /tmp/m >/dev/null) 2>/dev/null || echo no-mem',
      { HostConfig: { Devices: [{ PathOnHost, PathInContainer: '/dev/mine', CgroupPermissions: 'r' }] } },
    );
    assert.equal(stdout, `${(rdev >> 8).toString(16)}:${(rdev & 0xff).toString(16)}\nread\ndenied\nno-mem\n`);
  });

  test('capabilities are the default set, plus added, less dropped', async (t) => {
    const effective = async (HostConfig: { CapAdd?: string[]; CapDrop?: string[] }): Promise<string> =>
      (await engine.output(t, 'grep CapEff /proc/self/status | cut -f 2', { HostConfig })).stdout.trim();
    assert.equal(await effective({}), defaultCapabilities);
    assert.equal(await effective({ CapDrop: ['ALL'] }), '0000000000000000');
    assert.equal(await effective({ CapDrop: ['ALL'], CapAdd: ['CHOWN'] }), '0000000000000001');
    assert.equal(await effective({ CapDrop: ['CAP_CHOWN', 'mknod'] }), '00000000a00425fa');
    assert.equal(await effective({ CapAdd: ['NET_ADMIN'] }), '00000000a80435fb');
    await refuses(
      engine.create(t, { HostConfig: { CapAdd: ['WHATEVER'] } }).then(async (id) => await engine.start(id)),
      [400],
      /WHATEVER/,
    );
  });

  test('a user other than root has no effective capabilities', async (t) => {
    const { stdout } = await engine.output(t, 'grep -E "Cap(Eff|Prm|Amb)" /proc/self/status | cut -f 2', {
      User: '1000',
    });
    assert.equal(stdout, `${'0'.repeat(16)}\n`.repeat(3));
  });

  test('seccomp filters by default, and not when unconfined', async (t) => {
    const mode = async (SecurityOpt: string[]): Promise<string> =>
      (
        await engine.output(t, 'grep ^Seccomp: /proc/self/status | cut -f 2', { HostConfig: { SecurityOpt } })
      ).stdout.trim();
    assert.equal(await mode([]), '2');
    assert.equal(await mode(['seccomp=unconfined']), '0');
    const { exitCode, stderr } = await engine.output(t, 'unshare -n true');
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /Operation not permitted/);
  });

  test('no-new-privileges is set when asked for', async (t) => {
    const flag = async (SecurityOpt: string[]): Promise<string> =>
      (
        await engine.output(t, 'grep NoNewPrivs /proc/self/status | cut -f 2', { HostConfig: { SecurityOpt } })
      ).stdout.trim();
    assert.equal(await flag([]), '0');
    assert.equal(await flag(['no-new-privileges']), '1');
  });

  test('masked paths show nothing, read-only paths refuse writing', async (t) => {
    const { stdout } = await engine.output(
      t,
      'cat /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug 2>/dev/null | wc -c; ls /proc/scsi /sys/firmware 2>/dev/null | grep -v : | grep -c .; (echo h >/proc/sysrq-trigger) 2>/dev/null || echo ro; (echo 1 >/proc/sys/kernel/domainname) 2>/dev/null || echo ro',
    );
    assert.equal(stdout, '0\n0\nro\nro\n');
  });

  test('no descriptor of the engine is open inside', async (t) => {
    const script = 'for fd in /proc/self/fd/*; do echo "${fd##*/}"; done | sort -n | tr "\\n" " "';
    const { stdout } = await engine.output(t, script);
    // 3 is the directory the shell lists.
    assert.match(stdout, /^0 1 2 (3 )?$/);
    const id = await engine.runIdle(t);
    assert.match((await engine.exec(id, script)).stdout, /^0 1 2 (3 )?$/);
    const leaky = await engine.create(t, { Cmd: ['sh', '-c', 'ls ../../..'], WorkingDir: '/proc/self/fd/8' });
    await engine.start(leaky).then(
      async () => {
        await engine.wait(leaky);
        assert.doesNotMatch((await engine.logs(leaky)).stdout, /boot|lib64/);
      },
      (error: unknown) => assert.match(String(error), /fd\/8/),
    );
  });

  test('init runs as process 1 and reaps', async (t) => {
    const { stdout } = await engine.output(t, 'cat /proc/1/comm; echo $$', { HostConfig: { Init: true } });
    const [comm = '', pid] = stdout.split('\n');
    assert.match(comm, /init|tini|catatonit/);
    assert.notEqual(pid, '1');
    const id = await engine.runIdle(t, { HostConfig: { Init: true } });
    await engine.exec(id, '(sh -c "exit 0" &) ; true');
    await until(async () => !(await engine.exec(id, 'ps -o stat')).stdout.includes('Z'), { what: 'reaped children' });
  });

  test(
    'privileged has the devices, every capability and no seccomp',
    { skip: isBerth ? false : 'needs the full set' },
    async (t) => {
      const { stdout } = await engine.output(
        t,
        'test -e /dev/kmsg && echo devices; grep ^Seccomp: /proc/self/status | cut -f 2; mount -t tmpfs none /mnt 2>/dev/null || mkdir /m && mount -t tmpfs none /m && echo mounted',
        {
          HostConfig: { Privileged: true },
        },
      );
      assert.equal(stdout, 'devices\n0\nmounted\n');
    },
  );

  test('a read-only root refuses writing, tmpfs inside it does not', async (t) => {
    const { stdout } = await engine.output(
      t,
      '(: >/file) 2>/dev/null || echo ro; : >/scratch/file && echo rw; : >/dev/shm/x && echo shm; df -k /scratch | tail -n 1 | tr -s " " | cut -d " " -f 2',
      {
        HostConfig: { ReadonlyRootfs: true, Tmpfs: { '/scratch': 'size=1m,mode=700' } },
      },
    );
    assert.equal(stdout, 'ro\nrw\nshm\n1024\n');
  });

  test('limits are set in the cgroup', async (t) => {
    const { stdout } = await engine.output(
      t,
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max',
      {
        HostConfig: { Memory: 64 * 1024 * 1024, PidsLimit: 77 },
      },
    );
    assert.equal(stdout, `${64 * 1024 * 1024}\n77\n`);
  });

  test('using more memory than allowed kills it: 137 and OOMKilled', async (t) => {
    const events = await engine.events(t, { event: ['oom', 'die'] });
    const id = await engine.run(t, 'head -c 100m /dev/zero | tail', {
      HostConfig: { Memory: 16 * 1024 * 1024, MemorySwap: 16 * 1024 * 1024, OomKillDisable: false },
    });
    await events.action('oom', id);
    await engine.wait(id);
    assert.equal((await engine.inspect(id)).State.OOMKilled, true);
  });

  test('ulimits and sysctls are set', async (t) => {
    const { stdout } = await engine.output(
      t,
      'ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_unprivileged_port_start',
      {
        HostConfig: {
          Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
          Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80' },
        },
      },
    );
    assert.match(stdout, /^100\n200\n\d\n80\n$/);
  });
});

/** busybox prints the primary group among the groups or not; only the set counts. */
function normalGroups(id: string): string {
  const [head = '', groups = ''] = id.trim().split(' groups=');
  const primary = /gid=(\d+)/.exec(head)?.[1] ?? '';
  const numbers = new Set([primary, ...groups.split(',').map((group) => group.replace(/\(.*/, ''))]);
  return `${head.replaceAll(/\([^)]*\)/g, '')} ${[...numbers]
    .filter(Boolean)
    .toSorted((a, b) => Number(a) - Number(b))
    .join(',')}`;
}
