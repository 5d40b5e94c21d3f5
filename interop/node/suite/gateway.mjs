// What every test has: a client of the gateway, tools that its model may call, and whole answers of a socket.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';

export const MODEL = 'scripted';
export const UNKNOWN_ID = `resp_${'0'.repeat(32)}`;
const HTTP_MS = 20_000;
const SOCKET_MS = 30_000;
const TERMINAL = ['response.completed', 'response.incomplete', 'response.failed'];

export const client = new OpenAI({
  baseURL: process.env.CAPSTAN_INTEROP_URL,
  apiKey: process.env.CAPSTAN_INTEROP_KEY ?? 'interop',
  maxRetries: 0,
  timeout: HTTP_MS,
});
export const responses = client.responses;

/** A function tool all of whose properties must be given. */
const fn = (name, properties) => ({
  type: 'function',
  name,
  description: `${name}s`,
  parameters: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
  strict: true,
});
export const LOOKUP = fn('lookup', { city: { type: 'string' } });
export const STEP = fn('step', { round: { type: 'integer' } });

export const user = (text) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
/** The output of a call, as the next request carries it. */
export const answer = (call, output) => ({ type: `${call.type}_output`, call_id: call.call_id, output });
export const kinds = (events) => events.map((event) => event.type);
export const lines = (text) => text.split('\n').filter(Boolean);
export const ended = (event) => TERMINAL.includes(event.type);

/** One folded answer, which must be complete. */
export async function ask(input, settings = {}, options = undefined) {
  const response = await responses.create({ model: MODEL, input, ...settings }, options);
  assert.equal(response.status, 'completed', JSON.stringify(response.error));
  return response;
}

export async function all(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

/** All events of one streamed answer. */
export const stream = (input, settings = {}) =>
  all(responses.create({ model: MODEL, input, stream: true, ...settings }));

/** The events of one response, from its creation or refusal to its end. */
export class Answer {
  constructor(events) {
    this.events = events;
    this.last = events.at(-1);
    this.id = events[0].response?.id;
    this.items = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
  }

  get text() {
    const messages = this.items.filter(({ type }) => type === 'message');
    return messages.flatMap(({ content }) => content.map(({ text }) => text)).join('');
  }
}

/** A new socket, closed when the test ends, or when it waits for what does not come. */
export function connect(t) {
  const socket = new Socket();
  t.after(() => socket.close());
  return socket;
}

class Socket {
  constructor() {
    this.ws = new ResponsesWS(client);
    this.received = this.ws.stream();
    this.alarm = setTimeout(() => this.close(), SOCKET_MS);
  }

  close() {
    clearTimeout(this.alarm);
    this.ws.close();
  }

  send(request) {
    this.ws.send({ type: 'response.create', model: MODEL, ...request });
  }

  /** What the server says next; the SDK hands over its errors as errors, the event within. */
  async next() {
    for (;;) {
      const { value: said, done } = await this.received.next();
      if (done) throw new Error('the socket is closed');
      if (said.type === 'message') return said.message;
      if (said.type === 'error' && said.error.error) return said.error.error;
      if (said.type === 'error') throw said.error;
    }
  }

  async answer() {
    const events = [];
    do events.push(await this.next());
    while (!ended(events.at(-1)) && events.at(-1).type !== 'error');
    return new Answer(events);
  }

  /** One request and its answer, which must be complete. */
  async turn(input, settings = {}) {
    this.send({ input, ...settings });
    const told = await this.answer();
    assert.equal(told.last.type, 'response.completed', JSON.stringify(told.last));
    return told;
  }

  /** One request, and the error it must come to before anything is created. */
  async refusal(input, settings = {}) {
    this.send({ input, ...settings });
    const { events, last } = await this.answer();
    assert.deepEqual(kinds(events), ['error']);
    return last;
  }

  /** Events of all lanes until that many responses have ended. */
  async untilEnded(count) {
    const events = [];
    while (events.filter(ended).length < count) {
      events.push(await this.next());
      assert.notEqual(events.at(-1).type, 'error', JSON.stringify(events.at(-1)));
    }
    return events;
  }
}
