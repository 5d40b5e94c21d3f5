// What the gateway keeps: stored responses, background runs, compacted conversations, keys of repeated requests.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { BadRequestError, NotFoundError } from 'openai';
import { MODEL, UNKNOWN_ID, all, ask, client, responses, stream, user } from './gateway.mjs';

const POLL_MS = 50;
const RUNNING = ['queued', 'in_progress'];
const FACTS = ['my name is Ada', 'my town is Oslo'];

/** An event as data, without the padding that is random. */
const plain = ({ obfuscation, ...event }) => event;
const notFound = (promise) => assert.rejects(promise, NotFoundError);
const lostParent = (promise) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof BadRequestError, error);
    assert.equal(error.code, 'previous_response_not_found');
    return true;
  });
const said = (items) => items.map(({ content }) => content[0].text);

test('a stored response is retrieved as it was created', async () => {
  const created = await ask('say keep this', { metadata: { ticket: '17' } });
  assert.deepEqual(await responses.retrieve(created.id), created);
});

test('a response that is not stored is not found', async () => {
  const { id } = await ask('say forget this', { store: false });
  await notFound(responses.retrieve(id));
});

test('a stored stream is read again from where one left', async () => {
  const events = await stream('count 6');
  const { id } = events[0].response;
  for (const after of [0, 5, events.length - 2]) {
    const again = await all(responses.retrieve(id, { stream: true, starting_after: after }));
    assert.deepEqual(again.map(plain), events.slice(after + 1).map(plain));
  }
});

test('the items of the input are listed in both orders', async () => {
  const { id } = await ask([user('one'), user('two'), user('say three')]);
  const asked = ['one', 'two', 'say three'];
  assert.deepEqual(said((await responses.inputItems.list(id, { order: 'asc' })).data), asked);
  assert.deepEqual(said((await responses.inputItems.list(id, { order: 'desc' })).data), asked.toReversed());
});

test('a plain text is listed as a message of one part', async () => {
  const { id } = await ask('say plain');
  const [{ type, role, content }] = (await responses.inputItems.list(id)).data;
  assert.deepEqual([type, role, content], ['message', 'user', [{ type: 'input_text', text: 'say plain' }]]);
});

test('a long input is listed page by page', async () => {
  const asked = Array.from({ length: 5 }, (_, number) => `word ${number}`);
  const { id } = await ask(asked.map(user));
  const page = await responses.inputItems.list(id, { order: 'asc', limit: 2 });
  assert.equal(page.data.length, 2);
  assert.ok(page.hasNextPage());
  assert.deepEqual(said(await all(page)), asked);
});

test('a deleted response is gone and cannot be continued', async () => {
  const { id } = await ask('say goodbye');
  await responses.delete(id);
  await notFound(responses.retrieve(id));
  await notFound(responses.delete(id));
  await lostParent(ask('recall', { previous_response_id: id }));
});

test('what never was is not found', async () => {
  await notFound(responses.retrieve(UNKNOWN_ID));
  await notFound(responses.inputItems.list(UNKNOWN_ID));
});

test('a background run is polled until it ends', async () => {
  const started = await responses.create({ model: MODEL, input: 'pause 200\nsay done', background: true });
  assert.ok(RUNNING.includes(started.status), started.status);
  assert.equal(started.background, true);
  const deadline = Date.now() + 20_000;
  let response = started;
  while (RUNNING.includes(response.status)) {
    assert.ok(Date.now() < deadline, 'the background run does not end');
    await wait(POLL_MS);
    response = await responses.retrieve(started.id);
  }
  assert.equal(response.status, 'completed');
  assert.equal(response.output_text, 'done');
});

test('a background run is cancelled and stays so', async () => {
  const input = 'say begun\npause 60000\nsay never';
  const { id } = await responses.create({ model: MODEL, input, background: true });
  const cancelled = await responses.cancel(id);
  assert.deepEqual([cancelled.id, cancelled.status], [id, 'cancelled']);
  assert.equal((await responses.cancel(id)).status, 'cancelled');
  assert.equal((await responses.retrieve(id)).status, 'cancelled');
});

test('only a background run can be cancelled', async () => {
  const { id } = await ask('say done');
  await assert.rejects(responses.cancel(id), BadRequestError);
});

test('a background stream that was left is read on from there', async () => {
  const request = { model: MODEL, input: 'count 3\npause 300\nsay the end', background: true, stream: true };
  const seen = [];
  for await (const event of await responses.create(request)) {
    seen.push(event);
    if (seen.length === 2) break;
  }
  const [first, left] = seen;
  const query = { stream: true, starting_after: left.sequence_number };
  const rest = await all(responses.retrieve(first.response.id, query));
  assert.equal(rest[0].sequence_number, left.sequence_number + 1);
  assert.equal(rest.at(-1).type, 'response.completed');
  const texts = rest.filter(({ type }) => type === 'response.output_text.done').map(({ text }) => text);
  assert.deepEqual(texts, ['1 2 3', 'the end']);
});

async function remembered(compacted) {
  assert.equal(compacted.object, 'response.compaction');
  assert.ok(compacted.output.some(({ type }) => type === 'compaction'), JSON.stringify(compacted.output));
  const told = await ask([...compacted.output, user('recall')]);
  for (const fact of FACTS) assert.ok(told.output_text.includes(fact), told.output_text);
  const again = await ask('recall', { previous_response_id: told.id });
  assert.ok(again.output_text.includes(FACTS[0]), again.output_text);
}

test('a compacted chain begins a new one that remembers', async () => {
  const first = await ask(FACTS[0]);
  const second = await ask(FACTS[1], { previous_response_id: first.id });
  await remembered(await responses.compact({ model: MODEL, previous_response_id: second.id }));
});

test('a window that is sent whole is compacted too', async () => {
  await remembered(await responses.compact({ model: MODEL, input: FACTS.map(user) }));
});

test('the id of a compaction is not a response', async () => {
  const { id } = await responses.compact({ model: MODEL, input: [user(FACTS[0])] });
  await lostParent(ask('recall', { previous_response_id: id }));
});

test('more input counts more tokens', async () => {
  const short = await responses.inputTokens.count({ model: MODEL, input: 'one word' });
  const long = await responses.inputTokens.count({ model: MODEL, input: 'one word '.repeat(100) });
  assert.equal(short.object, 'response.input_tokens');
  assert.ok(0 < short.input_tokens && short.input_tokens < long.input_tokens);
});

test('what is remembered counts too', async () => {
  const { id } = await ask('count 50');
  const alone = await responses.inputTokens.count({ model: MODEL, input: 'recall' });
  const after = await responses.inputTokens.count({ model: MODEL, input: 'recall', previous_response_id: id });
  assert.ok(after.input_tokens > alone.input_tokens);
});

test('the scripted model is listed and retrieved by its name', async () => {
  const listed = await all(client.models.list());
  assert.ok(listed.some(({ id }) => id === MODEL), JSON.stringify(listed));
  const { id, object } = await client.models.retrieve(MODEL);
  assert.deepEqual([id, object], [MODEL, 'model']);
});

test('a model that is not there is not found', async () => {
  await notFound(client.models.retrieve('no-such-model'));
});

test('the same key gives the same response and another key another', async () => {
  const keyed = (key) => ask('say once', {}, { headers: { 'Idempotency-Key': key } });
  const [one, two] = [randomUUID(), randomUUID()];
  const first = await keyed(one);
  const second = await keyed(one);
  assert.deepEqual([second.id, second.output_text], [first.id, 'once']);
  assert.notEqual((await keyed(two)).id, first.id);
});
