// WebSocket mode on many lanes: who is answered where, and what a fork remembers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponsesWebSocketSession } from 'openai/lib/responses/responses-websocket-session';
import { Answer, MODEL, connect, ended, kinds, lines } from './gateway.mjs';

const LIMITS = { maxLanes: 8, maxBufferedEvents: 4000, maxBufferedBytes: 1 << 22 };

/** The answers of all lanes by their names. */
function split(events) {
  const lanes = new Map();
  for (const event of events) lanes.set(event.stream_id, [...(lanes.get(event.stream_id) ?? []), event]);
  return new Map([...lanes].map(([name, told]) => [name, new Answer(told)]));
}

test('every event of a lane carries its name', async (t) => {
  const { events } = await connect(t).turn('think of it\ncount 3', { stream_id: 'left' });
  assert.deepEqual([...new Set(events.map((event) => event.stream_id))], ['left']);
});

for (const store of [true, false]) {
  test(`a fork remembers the response of the other lane and so does its source, store ${store}`, async (t) => {
    const socket = connect(t);
    const root = await socket.turn('the root', { stream_id: 'left', store });
    const settings = { previous_response_id: root.id, store };
    socket.send({ input: 'the right', stream_id: 'right', ...settings });
    const begun = [await socket.next(), await socket.next()];
    assert.deepEqual(kinds(begun), ['response.created', 'response.in_progress']);
    socket.send({ input: 'the left', stream_id: 'left', ...settings });
    const lanes = split([...begun, ...(await socket.untilEnded(2))]);
    assert.deepEqual([...lanes.keys()].toSorted(), ['left', 'right']);
    for (const [name, { id }] of lanes) {
      const recalled = await socket.turn('recall', { stream_id: name, previous_response_id: id, store });
      assert.deepEqual(lines(recalled.text), ['the root', `the ${name}`]);
    }
  });
}

test('a lane that waits does not hold up another', async (t) => {
  const socket = connect(t);
  socket.send({ input: 'pause 2000\nsay slow', stream_id: 'slow' });
  socket.send({ input: 'say quick', stream_id: 'quick' });
  const events = await socket.untilEnded(2);
  assert.deepEqual(events.filter(ended).map((event) => event.stream_id), ['quick', 'slow']);
});

test('requests of one lane are answered one after the other', async (t) => {
  const socket = connect(t);
  for (const input of ['pause 200\nsay one', 'say two', 'say three']) socket.send({ input, stream_id: 'only' });
  for (const expected of ['one', 'two', 'three']) {
    const { events, id, text } = await socket.answer();
    assert.equal(text, expected);
    assert.deepEqual([...new Set(events.flatMap(({ response }) => response?.id ?? []))], [id]);
  }
});

test('the lane without a name runs beside the named ones', async (t) => {
  const socket = connect(t);
  socket.send({ input: 'say named', stream_id: 'named' });
  socket.send({ input: 'say plain' });
  const lanes = split(await socket.untilEnded(2));
  assert.equal(lanes.get('named').text, 'named');
  assert.equal(lanes.get(undefined).text, 'plain');
});

test('a lane used again without a parent begins anew', async (t) => {
  const socket = connect(t);
  await socket.turn('my name is Ada', { stream_id: 'left' });
  assert.equal((await socket.turn('recall', { stream_id: 'left' })).text, '');
});

test('a name that no lane may have is refused without one', async (t) => {
  const socket = connect(t);
  for (const stream_id of ['no spaces', '', 'x'.repeat(257), 7]) {
    const refused = await socket.refusal('hello', { stream_id });
    assert.deepEqual([refused.status, refused.error.code], [400, 'invalid_stream_id']);
    assert.equal(refused.stream_id, undefined);
  }
});

test('an error ends only the request of its lane', async (t) => {
  const socket = connect(t);
  socket.send({ input: 'pause 300\nsay unharmed', stream_id: 'left' });
  socket.send({ model: 'no-such-model', input: 'hello', stream_id: 'right' });
  const events = [];
  do events.push(await socket.next());
  while (!ended(events.at(-1)));
  const errors = events.filter(({ type }) => type === 'error');
  assert.deepEqual(errors.map(({ stream_id, error }) => [stream_id, error.code]), [['right', 'model_not_found']]);
  const told = new Answer(events.filter(({ type }) => type !== 'error'));
  assert.deepEqual([told.last.stream_id, told.text], ['left', 'unharmed']);
});

test('the session of the sdk routes lanes and folds their answers', async (t) => {
  const socket = connect(t);
  await socket.turn('say open');
  const session = new ResponsesWebSocketSession(socket.ws, LIMITS);
  t.after(() => session.close());
  const [left, right] = [session.lane('left'), session.lane('right')];
  left.create({ model: MODEL, input: 'count 30' });
  right.create({ model: MODEL, input: 'say right' });
  const told = await right.finalResponse();
  assert.deepEqual([told.status, told.output_text], ['completed', 'right']);
  const counted = await left.finalResponse();
  assert.equal(counted.output_text, Array.from({ length: 30 }, (_, index) => index + 1).join(' '));
  left.create({ model: MODEL, input: 'recall', previous_response_id: counted.id });
  assert.equal((await left.finalResponse()).output_text, 'count 30');
});
