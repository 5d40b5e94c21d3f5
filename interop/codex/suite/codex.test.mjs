// The Codex CLI against the gateway: what it prints, what it runs, and that all of it went over one socket.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

const CODEX = createRequire(import.meta.url).resolve('@openai/codex/bin/codex.js');
const CODEX_MS = 60_000;
const gateway = new URL(process.env.CAPSTAN_INTEROP_URL);

/** Passes bytes on to the gateway and notes which requests went by. */
const requests = [];
const relay = net.createServer((client) => {
  const server = net.connect(Number(gateway.port), gateway.hostname);
  client.on('data', (bytes) => {
    const head = bytes.toString('latin1');
    const line = /^(GET|POST) (\S+) HTTP/.exec(head);
    if (line) requests.push(/^upgrade: websocket/im.test(head) ? `socket ${line[2]}` : `${line[1]} ${line[2]}`);
  });
  for (const [from, to] of [[client, server], [server, client]]) from.on('error', () => to.destroy()).pipe(to);
});
let home;

before(async () => {
  assert.equal(gateway.protocol, 'http:', 'the codex suite needs a gateway that speaks plain http');
  await new Promise((listening) => relay.listen(0, '127.0.0.1', listening));
  home = await mkdtemp(path.join(os.tmpdir(), 'capstan-codex-'));
  await writeFile(
    path.join(home, 'config.toml'),
    `model = "scripted"
model_provider = "capstan"
[model_providers.capstan]
name = "capstan"
base_url = "http://127.0.0.1:${relay.address().port}${gateway.pathname}"
wire_api = "responses"
supports_websockets = true
`,
  );
});

after(async () => {
  relay.close();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

/** Runs `codex exec` and gives what it told, as events, and what it asked the gateway. */
async function run(...args) {
  requests.length = 0;
  const common = ['exec', '--json', '--skip-git-repo-check', '--sandbox', 'read-only', '-m', 'scripted'];
  const child = spawn(process.execPath, [CODEX, ...common, ...args], {
    cwd: home,
    env: { ...process.env, CODEX_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CODEX_MS,
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes) => (out += bytes));
  child.stderr.on('data', (bytes) => (err += bytes));
  const code = await new Promise((exited) => child.on('close', exited));
  assert.equal(code, 0, `${out}\n${err}`);
  const asked = requests.filter((line) => line.includes('/responses'));
  const told = out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const items = told.filter(({ type }) => type === 'item.completed').map(({ item }) => item);
  const said = items.filter(({ type }) => type === 'agent_message').map(({ text }) => text);
  return { asked, told, items, said };
}

/** The same, and all of it must have gone over one socket. */
async function exec(...args) {
  const done = await run(...args);
  assert.deepEqual(done.asked, [`socket ${gateway.pathname}/responses`]);
  return done;
}

test('codex prints what the model says', async () => {
  const { told, said } = await exec('say hello from the gateway');
  assert.deepEqual(said, ['hello from the gateway']);
  assert.equal(told.at(-1).type, 'turn.completed');
});

test('codex runs the command that the model calls and gives back its output', async () => {
  const { items, said } = await exec('call exec_command {"cmd":"echo forty-$((40+2))","login":false}');
  const [command] = items.filter(({ type }) => type === 'command_execution');
  assert.equal(command.exit_code, 0);
  assert.equal(command.aggregated_output.trim(), 'forty-42');
  assert.equal(said.length, 1);
  assert.match(said[0], /^Tool said: [^]*forty-42/);
});

test('codex goes through twelve rounds of calls', async () => {
  const { said } = await exec('rounds 12 get_goal');
  assert.deepEqual(said, ['done after 12 rounds']);
});

test('codex goes through rounds of calls without a socket too', async () => {
  const { asked, said } = await run('-c', 'model_providers.capstan.supports_websockets=false', 'rounds 3 get_goal');
  assert.deepEqual(said, ['done after 3 rounds']);
  assert.deepEqual([...new Set(asked)], [`POST ${gateway.pathname}/responses`]);
});

test('codex shows thoughts apart from the answer', async () => {
  const { items, said } = await exec('think of the sea\nsay blue');
  assert.deepEqual(items.filter(({ type }) => type === 'reasoning').map(({ text }) => text), ['of the sea']);
  assert.deepEqual(said, ['blue']);
});

test('codex asks for structured output and gets it', async () => {
  const schema = path.join(home, 'schema.json');
  const properties = { city: { type: 'string' } };
  await writeFile(schema, JSON.stringify({ type: 'object', properties, required: ['city'], additionalProperties: false }));
  const { said } = await exec('--output-schema', schema, 'json {"city":"Oslo"}');
  assert.deepEqual(said.map((text) => JSON.parse(text)), [{ city: 'Oslo' }]);
});

test('codex resumes a session and the model sees what was said before', async () => {
  const { told } = await exec('my name is Ada');
  const { thread_id } = told.find(({ type }) => type === 'thread.started');
  const { said } = await exec('resume', thread_id, 'recall');
  assert.equal(said.length, 1);
  assert.ok(said[0].split('\n').includes('my name is Ada'), said[0]);
});
