import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTcpProxy } from './tcp-proxy.js';
import type { TcpProxy } from './tcp-proxy.js';

let server: Server;
let proxy: TcpProxy;
const heard: string[] = [];

beforeEach(async () => {
  heard.length = 0;
  // It repeats what it hears, in capitals.
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard.push(chunk.toString());
      socket.write(chunk.toString().toUpperCase());
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startTcpProxy({ target: (server.address() as AddressInfo).port });
});
afterEach(async () => {
  await proxy.stop();
  server.close();
});

async function dial(): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => {}); // every test that cuts looks for it itself
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

async function broken(socket: Socket): Promise<string | undefined> {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code;
}

test('carries both ways', async () => {
  const socket = await dial();
  expect(await ask(socket, 'ding')).toBe('DING');
  expect(proxy.connections).toBe(1);
});

test('cut breaks what is open and takes what is new', async () => {
  const socket = await dial();
  await ask(socket, 'ding');
  const end = broken(socket);
  proxy.cut();
  expect(await end).toBe('ECONNRESET');
  expect(await ask(await dial(), 'dong')).toBe('DONG');
});

test('refuse lets nobody in until heal', async () => {
  await proxy.refuse();
  await expect(dial()).rejects.toThrow('ECONNREFUSED');
  await proxy.heal();
  expect(await ask(await dial(), 'dong')).toBe('DONG');
});

test('freeze carries nothing until heal, and loses nothing', async () => {
  const socket = await dial();
  await ask(socket, 'ding');
  proxy.freeze();
  const arrival = once(server, 'connection');
  const late = ask(socket, 'dong');
  const other = await dial();
  const otherLate = ask(other, 'bing');
  await arrival; // the second is connected through, and nothing it said has come
  expect(heard).toEqual(['ding']);
  await proxy.heal();
  expect(await Promise.all([late, otherLate])).toEqual(['DONG', 'BING']);
});

test('T1: delay keeps the order, also of what comes after its end', async () => {
  const socket = await dial();
  await ask(socket, 'ding');
  proxy.delay(300);
  let answer = '';
  const complete = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.length === 2) resolve();
    });
  });
  socket.write('a');
  for (let turn = 0; turn < 50; turn += 1) await setImmediate(); // the proxy has it and holds it back
  await proxy.heal();
  socket.write('b');
  await complete;
  expect(answer).toBe('AB');
});

test('a dropped reply was a served request', async () => {
  const [one, two] = [await dial(), await dial()];
  const dropped = proxy.dropNextReply('claim');
  expect(await ask(two, 'ping')).toBe('PING');
  const end = broken(one);
  one.write('claim 1');
  await dropped;
  expect(await end).toBe('ECONNRESET');
  expect(heard).toEqual(['ping', 'claim 1']);
  expect(await ask(two, 'claim 2')).toBe('CLAIM 2');
});
