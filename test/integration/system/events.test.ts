import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { EventStream } from '../../helpers/event-stream.ts';

const engine = useEngine();

describe('events', { concurrency: 4 }, () => {
  test('tell the life of a container in order', async (t) => {
    const events = await engine.events(t, { type: ['container'] });
    const id = await engine.run(t, 'exit 4', { Labels: { colour: 'red' } }, 'events-life');
    await engine.wait(id);
    await events.action('die', id);
    await engine.client.post(`/containers/${id}/rename`, { name: 'events-renamed' });
    await engine.client.delete(`/containers/${id}`);
    await events.action('destroy', id);
    assert.deepEqual(
      events.actions(id).filter((action) => action !== 'attach'),
      ['create', 'start', 'die', 'rename', 'destroy'],
    );
    const die = await events.action('die', id);
    assert.equal(die.Type, 'container');
    assert.equal(die.Actor.Attributes['exitCode'], '4');
    assert.equal(die.Actor.Attributes['name'], 'events-life');
    assert.equal(die.Actor.Attributes['image'], busybox);
    assert.equal(die.Actor.Attributes['colour'], 'red');
    assert.equal(die.scope, 'local');
    assert.equal(die.status, 'die');
    assert.equal(die.id, id);
    assert.equal(die.from, busybox);
    assert.equal(Math.floor(die.timeNano / 1e9), die.time);
    const rename = await events.action('rename', id);
    assert.equal(rename.Actor.Attributes['oldName'], '/events-life');
    assert.equal(rename.Actor.Attributes['name'], 'events-renamed');
  });

  test('kill, stop, pause, unpause, restart have theirs', async (t) => {
    const events = await engine.events(t, { type: ['container'] });
    const id = await engine.runIdle(t);
    await engine.client.post(`/containers/${id}/pause`);
    await engine.client.post(`/containers/${id}/unpause`);
    await engine.client.post(`/containers/${id}/restart`);
    await events.action('restart', id);
    assert.deepEqual(events.actions(id).slice(0, 9), [
      'create',
      'start',
      'pause',
      'unpause',
      'kill',
      'die',
      'stop',
      'start',
      'restart',
    ]);
    const kill = await events.action('kill', id);
    assert.equal(kill.Actor.Attributes['signal'], '15');
  });

  test('exec has create, start and die, with its id and exit code', async (t) => {
    const events = await engine.events(t, { type: ['container'] });
    const id = await engine.runIdle(t);
    await engine.exec(id, 'exit 5');
    const die = await events.action('exec_die', id);
    assert.equal(die.Actor.Attributes['exitCode'], '5');
    assert.match(die.Actor.Attributes['execID'] ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(
      events.actions(id).filter((action) => action.startsWith('exec_')),
      ['exec_create: sh -c exit 5', 'exec_start: sh -c exit 5', 'exec_die'],
    );
  });

  test('filters: event, container, label, image, and several together', async (t) => {
    const name = 'events-filtered';
    const byName = await engine.events(t, { container: [name], event: ['die', 'destroy'] });
    const byLabel = await engine.events(t, { label: ['events-test=1'], event: ['create'] });
    const byImage = await engine.events(t, { image: [busybox], event: ['start'] });
    const id = await engine.run(t, 'true', { Labels: { 'events-test': '1' } }, name);
    await engine.wait(id);
    await engine.client.delete(`/containers/${id}`);
    await byName.action('destroy', id);
    assert.deepEqual(byName.actions(id), ['die', 'destroy']);
    await byLabel.action('create', id);
    assert.deepEqual(byLabel.actions(id), ['create']);
    await byImage.action('start', id);
  });

  test('since and until replay what was, and until ends the stream', async (t) => {
    const id = await engine.run(t, 'true', {}, 'events-replayed');
    await engine.wait(id);
    const { Created } = await engine.inspect(id);
    const since = String(Math.floor(Date.parse(Created) / 1000));
    const until = String(Math.floor(Date.now() / 1000) + 2);
    const replay = await EventStream.open(engine.client, { container: [id] }, { since, until });
    await replay.ended();
    assert.deepEqual(replay.actions(id), ['create', 'start', 'die']);
    const none = await EventStream.open(engine.client, { container: [id] }, { since: '1', until: '2' });
    await none.ended();
    assert.deepEqual(none.actions(), []);
  });

  test('images and networks have theirs', async (t) => {
    const events = await engine.events(t, {});
    await engine.client.post(`/images/${busybox}/tag`, { repo: 'berth-test/events', tag: 'one' });
    const tagged = await events.next(({ Action, Type }) => Type === 'image' && Action === 'tag', 'the tag');
    assert.equal(tagged.Actor.Attributes['name'], 'berth-test/events:one');
    await engine.client.delete('/images/berth-test/events:one');
    await events.next(({ Action, Type }) => Type === 'image' && Action === 'untag', 'the untag');
    const id = await engine.runIdle(t);
    const connect = await events.next(
      ({ Action, Type, Actor }) => Type === 'network' && Action === 'connect' && Actor.Attributes['container'] === id,
      'the connect',
    );
    assert.equal(connect.Actor.Attributes['name'], 'bridge');
    assert.equal(connect.Actor.Attributes['type'], 'bridge');
    await engine.client.post(`/containers/${id}/stop`);
    await events.next(
      ({ Action, Type, Actor }) =>
        Type === 'network' && Action === 'disconnect' && Actor.Attributes['container'] === id,
      'the disconnect',
    );
  });
});
