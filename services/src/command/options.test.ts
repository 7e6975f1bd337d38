import { expect, test } from 'vitest';
import { parseOptions } from './options.js';

test('start without names means RocketMQ and Redis, on free ports', () => {
  expect(parseOptions(['start'], false)).toEqual({
    verb: 'start',
    names: ['rocketmq', 'redis'],
    port: 'free',
    install: false,
    json: false,
  });
});

test('stop and status without names mean all', () => {
  const all = ['rocketmq', 'redis', 'valkey', 'redis-cluster', 'redis-sentinel', 'postgres'];
  for (const verb of ['stop', 'status']) expect(parseOptions([verb], false)).toMatchObject({ names: all });
});

test('missing programs are installed in CI or if asked for', () => {
  expect(parseOptions(['start'], true)).toMatchObject({ install: true });
  expect(parseOptions(['start', '--install'], false)).toMatchObject({ install: true });
});

test('a port is for one service', () => {
  expect(parseOptions(['start', 'redis', '--port', '7000'], false)).toMatchObject({ port: 7000 });
  expect(parseOptions(['start', '--usual-ports'], false)).toMatchObject({ port: 'usual' });
  expect(() => parseOptions(['start', '--port', '7000'], false)).toThrow('name exactly one service');
  expect(() => parseOptions(['start', 'redis', '--port', '70000'], false)).toThrow('1 to 65535');
  expect(() => parseOptions(['start', 'redis', '--port', '1', '--usual-ports'], false)).toThrow('Either');
});

test('what is wrong is named', () => {
  expect(() => parseOptions([], false)).toThrow('start, stop, status');
  expect(() => parseOptions(['begin'], false)).toThrow('start, stop, status');
  expect(() => parseOptions(['start', 'kafka'], false)).toThrow("No service 'kafka'");
  expect(() => parseOptions(['start', '--loud'], false)).toThrow('--loud');
  expect(parseOptions(['--help'], false)).toBe('help');
});
