// WebSocket mode on one lane: one socket, many turns, what is remembered, what is lost with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotFoundError } from 'openai';
import { LOOKUP, STEP, UNKNOWN_ID, answer, ask, connect, kinds, lines, responses, stream, user } from './gateway.mjs';

const ROUNDS = 30;

for (const store of [true, false]) {
  test(`thirty rounds of tools go over one socket with only what is new, store ${store}`, async (t) => {
    const socket = connect(t);
    const settings = { tools: [STEP], store };
    let told = await socket.turn(`rounds ${ROUNDS} step`, settings);
    for (let number = 1; number <= ROUNDS; number += 1) {
      assert.deepEqual(kinds(told.items), ['function_call']);
      const [call] = told.items;
      assert.deepEqual([call.name, JSON.parse(call.arguments)], ['step', { round: number }]);
      const parent = told.id;
      const input = [answer(call, `result ${number}`)];
      told = await socket.turn(input, { ...settings, previous_response_id: parent });
      assert.equal(told.last.response.previous_response_id, parent);
    }
    assert.equal(told.text, `done after ${ROUNDS} rounds`);
  });
}

test('events are those of a stream without a lane', async (t) => {
  const { events } = await connect(t).turn('think of it\ncount 3');
  assert.deepEqual(kinds(events), kinds(await stream('think of it\ncount 3')));
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
  assert.deepEqual(events.filter((event) => 'stream_id' in event), []);
});

test('a request without a parent begins anew on the same socket', async (t) => {
  const socket = connect(t);
  await socket.turn('my name is Ada');
  assert.equal((await socket.turn('recall')).text, '');
});

test('a warm-up says nothing and is continued', async (t) => {
  const socket = connect(t);
  const settings = { tools: [LOOKUP], store: false };
  const warm = await socket.turn([user('my name is Ada')], { ...settings, generate: false });
  assert.deepEqual([warm.items, warm.events[0].type], [[], 'response.created']);
  const told = await socket.turn('recall', { ...settings, previous_response_id: warm.id });
  assert.equal(told.text, 'my name is Ada');
});

test('what is stored over a socket is retrieved over http', async (t) => {
  const socket = connect(t);
  const kept = await socket.turn('say kept');
  assert.equal((await responses.retrieve(kept.id)).output_text, 'kept');
  const lost = await socket.turn('say lost', { store: false });
  await assert.rejects(responses.retrieve(lost.id), NotFoundError);
});

test('a response made over http is continued over a socket', async (t) => {
  const { id } = await ask('my name is Ada');
  assert.equal((await connect(t).turn('recall', { previous_response_id: id })).text, 'my name is Ada');
});

test('a new socket continues a stored response', async (t) => {
  const socket = connect(t);
  const { id } = await socket.turn('my name is Ada');
  socket.close();
  assert.equal((await connect(t).turn('recall', { previous_response_id: id })).text, 'my name is Ada');
});

test('without storage the parent is gone and sending all of it helps', async (t) => {
  const before = connect(t);
  const first = await before.turn('my name is Ada', { store: false });
  before.close();
  const socket = connect(t);
  const { status, error } = await socket.refusal('recall', { previous_response_id: first.id, store: false });
  const { code, param } = error;
  assert.deepEqual([status, code, param], [400, 'previous_response_not_found', 'previous_response_id']);
  const whole = [user('my name is Ada'), ...first.items, user('recall')];
  assert.equal((await socket.turn(whole, { store: false })).text, 'my name is Ada');
});

test('a refused request leaves the socket usable', async (t) => {
  const socket = connect(t);
  const model = await socket.refusal('hello', { model: 'no-such-model' });
  assert.deepEqual([model.status, model.error.code], [404, 'model_not_found']);
  const parent = await socket.refusal('hello', { previous_response_id: UNKNOWN_ID });
  assert.deepEqual([parent.status, parent.error.code], [400, 'previous_response_not_found']);
  const input = await socket.refusal(42);
  assert.deepEqual([input.status, input.error.param], [400, 'input']);
  assert.equal((await socket.turn('say still here')).text, 'still here');
});

test('a model that fails midway ends the response and not the socket', async (t) => {
  const socket = connect(t);
  socket.send({ input: 'say so far\nfail server_error the backend is gone' });
  let { last } = await socket.answer();
  if (last.type === 'error') {
    assert.equal(last.error.code, 'server_error');
    ({ last } = await socket.answer());
  }
  assert.deepEqual([last.type, last.response?.error.code], ['response.failed', 'server_error']);
  assert.equal((await socket.turn('say still here')).text, 'still here');
});

test('a model that fails at once leaves the socket usable', async (t) => {
  const socket = connect(t);
  socket.send({ input: 'fail invalid_prompt not this' });
  const { last } = await socket.answer();
  assert.equal((last.error ?? last.response.error).code, 'invalid_prompt');
  assert.equal((await socket.turn('say still here')).text, 'still here');
});

test('a continuation that fails takes its parent with it', async (t) => {
  const socket = connect(t);
  const first = await socket.turn('my name is Ada', { store: false });
  const settings = { previous_response_id: first.id, store: false };
  await socket.refusal('hello', { ...settings, model: 'no-such-model' });
  assert.equal((await socket.refusal('recall', settings)).error.code, 'previous_response_not_found');
});

const steer = (socket, id) =>
  socket.ws.send({ type: 'response.steer', previous_response_id: id, input: 'say as you wish' });

test('a steer is accepted and a successor answers it', async (t) => {
  const socket = connect(t);
  socket.send({ input: 'say first\npause 1000\nsay second' });
  const steered = (await socket.next()).response.id;
  steer(socket, steered);
  const parent = await socket.answer();
  const accepted = parent.events.filter(({ type }) => type === 'response.steer.accepted');
  assert.deepEqual(accepted.map((event) => event.steer.previous_response_id), [steered]);
  assert.match(accepted[0].steer.id, /^steer_/);
  const { type, response } = parent.last;
  assert.deepEqual(
    [type, response.incomplete_details?.reason],
    type === 'response.incomplete' ? [type, 'steered'] : ['response.completed', undefined],
  );
  const successor = await socket.answer();
  assert.equal(successor.events[0].type, 'response.created');
  assert.equal(successor.events[0].response.previous_response_id, steered);
  assert.deepEqual([successor.last.type, successor.text], ['response.completed', 'as you wish']);
});

test('a steer of an unknown response is given back', async (t) => {
  const socket = connect(t);
  steer(socket, UNKNOWN_ID);
  const { type, error, steer: back } = await socket.next();
  assert.deepEqual([type, error.code], ['response.steer.failed', 'response_not_found']);
  assert.deepEqual([back.previous_response_id, back.input], [UNKNOWN_ID, 'say as you wish']);
});

test('a steer waits for the output of a call', async (t) => {
  const socket = connect(t);
  const asked = await socket.turn('call lookup {"city":"Oslo"}', { tools: [LOOKUP] });
  const [call] = asked.items;
  steer(socket, asked.id);
  const [accepted, pending] = [await socket.next(), await socket.next()];
  assert.deepEqual(kinds([accepted, pending]), ['response.steer.accepted', 'response.steer.pending']);
  assert.deepEqual([pending.reason, pending.steer.id], ['waiting_for_required_input', accepted.steer.id]);
  const stubs = pending.required_input.map(({ type, call_id }) => ({ type, call_id }));
  assert.deepEqual(stubs, [{ type: 'function_call_output', call_id: call.call_id }]);
  const told = await socket.turn([answer(call, 'rain')], { tools: [LOOKUP], previous_response_id: asked.id });
  const recalled = await socket.turn('recall', { previous_response_id: told.id });
  assert.ok(lines(recalled.text).includes('say as you wish'), recalled.text);
});
