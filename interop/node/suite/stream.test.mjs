// Streamed answers: which events come, and in which order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APIError } from 'openai';
import { LOOKUP, MODEL, ask, ended, kinds, responses, stream } from './gateway.mjs';

const BEGIN = ['response.created', 'response.in_progress'];
const MESSAGE_BEGINS = ['response.output_item.added', 'response.content_part.added'];
const MESSAGE_ENDS = ['response.output_text.done', 'response.content_part.done', 'response.output_item.done'];

const deltas = (events, type) => events.filter((event) => event.type === type).map(({ delta }) => delta);
const without = (events, type) => kinds(events).filter((kind) => kind !== type);

test('a message is streamed word by word in the known order', async () => {
  const events = await stream('count 4');
  const delta = 'response.output_text.delta';
  const expected = [...BEGIN, ...MESSAGE_BEGINS, ...Array(4).fill(delta), ...MESSAGE_ENDS, 'response.completed'];
  assert.deepEqual(kinds(events), expected);
  assert.deepEqual(deltas(events, delta), ['1', ' 2', ' 3', ' 4']);
});

test('events are numbered from zero without a gap', async () => {
  const events = await stream('think of it\nsay two words\ncount 3');
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
});

test('the streamed text is the folded text', async () => {
  const said = 'say the same words either way';
  const streamed = deltas(await stream(said), 'response.output_text.delta').join('');
  assert.equal(streamed, (await ask(said)).output_text);
});

test('parts and items end with what their deltas said', async () => {
  const events = Object.fromEntries((await stream('say a whole sentence')).map((event) => [event.type, event]));
  assert.deepEqual(events['response.output_item.added'].item.content, []);
  assert.equal(events['response.output_text.done'].text, 'a whole sentence');
  assert.equal(events['response.content_part.done'].part.text, 'a whole sentence');
  assert.equal(events['response.output_item.done'].item.content[0].text, 'a whole sentence');
  assert.equal(events['response.completed'].response.output[0].content[0].text, 'a whole sentence');
});

test('one response has one id in every event and usage only at the end', async () => {
  const told = (await stream('say once')).flatMap(({ response }) => response ?? []);
  assert.equal(new Set(told.map(({ id }) => id)).size, 1);
  assert.deepEqual(told.map(({ usage }) => usage == null), [true, true, false]);
  assert.deepEqual(told.map(({ status }) => status), ['in_progress', 'in_progress', 'completed']);
});

test('items are numbered in the order they begin', async () => {
  const events = await stream('think of it\nsay one\nsay two');
  const added = events.filter(({ type }) => type === 'response.output_item.added');
  assert.deepEqual(added.map((event) => event.output_index), [0, 1, 2]);
  assert.deepEqual(added.map(({ item }) => item.type), ['reasoning', 'message', 'message']);
  assert.deepEqual(events.at(-1).response.output.map(({ id }) => id), added.map(({ item }) => item.id));
});

test('a call is streamed in the known order', async () => {
  const events = await stream('call lookup {"city":"Oslo"}', { tools: [LOOKUP] });
  const delta = 'response.function_call_arguments.delta';
  const done = ['response.function_call_arguments.done', 'response.output_item.done', 'response.completed'];
  assert.deepEqual(without(events, delta), [...BEGIN, 'response.output_item.added', ...done]);
  assert.equal(deltas(events, delta).join(''), '{"city":"Oslo"}');
  assert.equal(events.find(({ type }) => type === done[0]).arguments, '{"city":"Oslo"}');
});

test('a call of a custom tool streams its input', async () => {
  const events = await stream('call patch one two', { tools: [{ type: 'custom', name: 'patch' }] });
  assert.equal(deltas(events, 'response.custom_tool_call_input.delta').join(''), 'one two');
  assert.equal(events.find(({ type }) => type === 'response.output_item.done').item.input, 'one two');
});

test('a thought is streamed in the known order', async () => {
  const events = await stream('think of the sea');
  const delta = 'response.reasoning_summary_text.delta';
  const part = ['response.reasoning_summary_part.added', 'response.reasoning_summary_text.done'];
  const end = ['response.reasoning_summary_part.done', 'response.output_item.done', 'response.completed'];
  assert.deepEqual(without(events, delta), [...BEGIN, 'response.output_item.added', ...part, ...end]);
  assert.equal(deltas(events, delta).join(''), 'of the sea');
});

test('the helper of the sdk folds the stream', async () => {
  const snapshots = [];
  const final = await responses
    .stream({ model: MODEL, input: 'count 3' })
    .on('response.output_text.delta', ({ snapshot }) => snapshots.push(snapshot))
    .finalResponse();
  assert.deepEqual(snapshots, ['1', '1 2', '1 2 3']);
  assert.equal(final.status, 'completed');
  assert.equal(final.output_text, '1 2 3');
});

test('an answer that is too long ends the stream as incomplete', async () => {
  const { type, response } = (await stream('length 2\ncount 9')).at(-1);
  assert.equal(type, 'response.incomplete');
  assert.equal(response.incomplete_details.reason, 'max_output_tokens');
  assert.deepEqual(response.output.map(({ status }) => status), ['incomplete']);
});

test('a failure is told once and ends the stream', async () => {
  const seen = [];
  let code;
  try {
    const request = { model: MODEL, input: 'say so far\nfail server_error the backend is gone', stream: true };
    for await (const event of await responses.create(request)) seen.push(event);
    code = seen.at(-1).response.error.code;
  } catch (error) {
    assert.ok(error instanceof APIError, error);
    code = error.code;
  }
  assert.equal(code, 'server_error');
  assert.ok(kinds(seen).includes('response.output_item.done'), kinds(seen).join());
  assert.ok(!kinds(seen).includes('response.completed'), kinds(seen).join());
  assert.ok(seen.filter(ended).length <= 1, kinds(seen).join());
});
