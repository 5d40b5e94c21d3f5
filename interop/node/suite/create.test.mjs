// Folded answers: `POST /responses` without a stream.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadRequestError } from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { LOOKUP, MODEL, answer, ask, lines, responses, user } from './gateway.mjs';

const Weather = z.object({ city: z.string(), degrees: z.number().int() });
const weather = { city: 'Oslo', degrees: -3 };
const SAID = `json ${JSON.stringify(weather)}`;

test('an answer says what the model said and is complete', async () => {
  const response = await ask('say the gateway is here');
  assert.equal(response.output_text, 'the gateway is here');
  assert.equal(response.object, 'response');
  assert.match(response.id, /^resp_/);
  assert.equal(response.model, MODEL);
  assert.equal(response.error, null);
  assert.equal(response.previous_response_id, null);
  const shown = response.output.map(({ type, role, status }) => ({ type, role, status }));
  assert.deepEqual(shown, [{ type: 'message', role: 'assistant', status: 'completed' }]);
});

test('usage adds up', async () => {
  const { usage } = await ask('count 5');
  assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0, JSON.stringify(usage));
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
});

test('a message without a command is repeated', async () => {
  assert.equal((await ask('good evening')).output_text, 'You said: good evening');
});

test('what was asked for is shown in the response', async () => {
  const asked = { instructions: 'be brief', metadata: { ticket: '17' }, max_output_tokens: 100 };
  const { instructions, metadata, max_output_tokens, tools } = await ask('say yes', { ...asked, tools: [LOOKUP] });
  assert.deepEqual({ instructions, metadata, max_output_tokens }, asked);
  assert.deepEqual(tools.map(({ name }) => name), ['lookup']);
});

test('a conversation goes on by the id of its last response', async () => {
  const first = await ask('my name is Ada');
  const second = await ask('my town is Oslo', { previous_response_id: first.id });
  const third = await ask('recall', { previous_response_id: second.id });
  assert.equal(third.previous_response_id, second.id);
  assert.deepEqual(lines(third.output_text), ['my name is Ada', 'my town is Oslo']);
});

test('two answers to the same response do not know each other', async () => {
  const root = await ask('the root');
  const left = await ask('the left', { previous_response_id: root.id });
  const right = await ask('the right', { previous_response_id: root.id });
  for (const [branch, own] of [[left, 'the left'], [right, 'the right']]) {
    const recalled = await ask('recall', { previous_response_id: branch.id });
    assert.deepEqual(lines(recalled.output_text), ['the root', own]);
  }
});

test('a response that is not stored cannot be continued', async () => {
  const lost = await ask('my name is Ada', { store: false });
  await assert.rejects(ask('recall', { previous_response_id: lost.id }), (error) => {
    assert.ok(error instanceof BadRequestError, error);
    assert.equal(error.code, 'previous_response_not_found');
    assert.equal(error.param, 'previous_response_id');
    return true;
  });
});

test('a conversation that is sent whole needs no memory', async () => {
  const first = await ask('my name is Ada', { store: false });
  const whole = [user('my name is Ada'), ...first.output, user('recall')];
  assert.equal((await ask(whole, { store: false })).output_text, 'my name is Ada');
});

test('thoughts come before the answer', async () => {
  const { output } = await ask('think of the sea\nsay blue');
  assert.deepEqual(output.map(({ type }) => type), ['reasoning', 'message']);
  assert.deepEqual(output[0].summary.map(({ text }) => text), ['of the sea']);
});

test('an answer that is too long is incomplete and says why', async () => {
  const response = await responses.create({ model: MODEL, input: 'length 3\ncount 10' });
  assert.equal(response.status, 'incomplete');
  assert.equal(response.incomplete_details.reason, 'max_output_tokens');
  assert.equal(response.output_text.trim().split(/\s+/).length, 3, response.output_text);
});

test('a call is made and its output answered', async () => {
  const asked = await ask('call lookup {"city":"Oslo"}', { tools: [LOOKUP] });
  assert.equal(asked.output.length, 1);
  const [call] = asked.output;
  assert.equal(call.type, 'function_call');
  assert.equal(call.name, 'lookup');
  assert.equal(call.arguments, '{"city":"Oslo"}');
  const told = await ask([answer(call, 'rain')], { tools: [LOOKUP], previous_response_id: asked.id });
  assert.equal(told.output_text, 'Tool said: rain');
});

test('two calls of one response are answered together', async () => {
  const asked = await ask('call lookup {"city":"Oslo"}\ncall lookup {"city":"Rome"}', { tools: [LOOKUP] });
  const [north, south] = asked.output;
  assert.notEqual(north.call_id, south.call_id);
  const outputs = [answer(north, 'rain'), answer(south, 'sun')];
  const told = await ask(outputs, { tools: [LOOKUP], previous_response_id: asked.id });
  assert.equal(told.output_text, 'Tool said: rain, sun');
});

test('a custom tool is called with raw input', async () => {
  const tools = [{ type: 'custom', name: 'patch', description: 'takes a patch' }];
  const asked = await ask('call patch *** not { json', { tools });
  const [call] = asked.output;
  assert.equal(call.type, 'custom_tool_call');
  assert.equal(call.input, '*** not { json');
  const told = await ask([answer(call, 'applied')], { tools, previous_response_id: asked.id });
  assert.equal(told.output_text, 'Tool said: applied');
});

test('a round trip without memory sends the call again', async () => {
  const settings = { tools: [LOOKUP], store: false };
  const question = user('call lookup {"city":"Oslo"}');
  const [call] = (await ask([question], settings)).output;
  assert.equal((await ask([question, call, answer(call, 'rain')], settings)).output_text, 'Tool said: rain');
});

test('an answer is parsed into the type that was asked for', async () => {
  const text = { format: zodTextFormat(Weather, 'weather') };
  const response = await responses.parse({ model: MODEL, input: SAID, text });
  assert.deepEqual(response.output_parsed, weather);
  assert.equal(response.text.format.type, 'json_schema');
  assert.equal(response.text.format.name, 'weather');
});

test('a streamed answer is parsed too', async () => {
  const text = { format: zodTextFormat(Weather, 'weather') };
  const final = await responses.stream({ model: MODEL, input: SAID, text }).finalResponse();
  assert.deepEqual(final.output_parsed, weather);
});

test('the arguments of a strict function are parsed', async () => {
  const tools = [zodResponsesFunction({ name: 'report', parameters: Weather })];
  const response = await responses.parse({ model: MODEL, input: `call report ${JSON.stringify(weather)}`, tools });
  assert.deepEqual(response.output.map((call) => call.parsed_arguments), [weather]);
});
