// Refusals over HTTP: which class of the SDK they become, and what they say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadRequestError, NotFoundError } from 'openai';
import { LOOKUP, MODEL, UNKNOWN_ID, ask, responses } from './gateway.mjs';

const refused = (request, kind, status, expected = {}) =>
  assert.rejects(responses.create(request), (error) => {
    assert.ok(error instanceof kind, error);
    assert.equal(error.status, status);
    assert.equal(error.type, 'invalid_request_error');
    for (const [field, value] of Object.entries(expected)) assert.equal(error[field], value);
    return true;
  });

test('a model that is not there is not found, streamed or not', async () => {
  const request = { model: 'no-such-model', input: 'hello' };
  await refused(request, NotFoundError, 404, { code: 'model_not_found' });
  await refused({ ...request, stream: true }, NotFoundError, 404, { code: 'model_not_found' });
});

test('a value of the wrong type is refused by its name', async () => {
  for (const [param, value] of [['input', 42], ['max_output_tokens', 'many']]) {
    await refused({ model: MODEL, input: 'hello', [param]: value }, BadRequestError, 400, { param });
  }
});

test('a request without a model is refused by that name', async () => {
  await refused({ input: 'hello' }, BadRequestError, 400, { param: 'model' });
});

test('a parent that is not there is refused by its name', async () => {
  const expected = { code: 'previous_response_not_found', param: 'previous_response_id' };
  await refused({ model: MODEL, input: 'hello', previous_response_id: UNKNOWN_ID }, BadRequestError, 400, expected);
});

test('the output of a call that was never made is refused', async () => {
  const { id } = await ask('say nothing to do', { tools: [LOOKUP] });
  const input = [{ type: 'function_call_output', call_id: 'call_stray', output: '?' }];
  await refused({ model: MODEL, input, previous_response_id: id }, BadRequestError, 400);
});

test('a model that fails midway gives a failed response and what it said', async () => {
  const input = 'say so far\nfail server_error the backend is gone';
  const { status, output_text, error } = await responses.create({ model: MODEL, input });
  assert.deepEqual([status, output_text], ['failed', 'so far']);
  assert.deepEqual([error.code, error.message], ['server_error', 'the backend is gone']);
});

test('a model that fails at once is told by its code', async () => {
  const asked = responses.create({ model: MODEL, input: 'fail invalid_prompt not this' });
  const told = await asked.then(({ error }) => error, (error) => error);
  assert.equal(told.code, 'invalid_prompt', String(told));
});
