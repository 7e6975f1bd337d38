// compose.yaml starts what ./script/services starts: the same versions, with the same settings.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeRocketmqFiles } from './rocketmq-files.js';
import { ROCKETMQ_VERSION } from './rocketmq-jars.js';
import { USUAL_PORTS } from './rocketmq.js';

const compose = readFileSync(join(import.meta.dirname, '../../compose.yaml'), 'utf8');

/** What only the servers of tests need: where their files are, that these are small, and that changes are seen at once. */
const OF_TESTS =
  /^(storePath|mappedFileSize|max(HashSlot|Index)Num|registerNameServerPeriod|diskMaxUsedSpaceRatio|flushDiskType)/;

let folder: string;
let ours: { broker: Record<string, string>; proxy: Record<string, unknown> };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-compose-'));
  const settings = { precisionMs: 1_000, topics: [], groups: [], user: undefined, config: {}, proxyConfig: {} };
  const files = writeRocketmqFiles(folder, { ports: USUAL_PORTS, ...settings });
  ours = {
    broker: settingsOf(readFileSync(files.broker, 'utf8')),
    proxy: JSON.parse(readFileSync(files.proxy, 'utf8')),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The text below `content: |` of a configuration. */
function configuration(name: string): string {
  return new RegExp(`\\n  ${name}:\\n    content: \\|\\n((?: {6}.*\\n)+)`).exec(compose)?.[1] ?? '';
}

function settingsOf(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.trim());
  return Object.fromEntries(lines.filter((line) => line !== '').map((line) => line.split('=', 2) as [string, string]));
}

test('the same versions', () => {
  const images = [...compose.matchAll(/image: (\S+):(\S+)/g)].map(([, name, tag]) => [name, tag]);
  expect(images.filter(([name]) => name !== 'postgres')).toEqual([
    ['redis', '7.0'], // of Debian's stable package, which the tests start
    ['apache/rocketmq', ROCKETMQ_VERSION],
    ['apache/rocketmq', ROCKETMQ_VERSION],
  ]);
});

test('the same settings of the broker, but for where its files are', () => {
  const expected = Object.entries(ours.broker).filter(([name]) => !OF_TESTS.test(name));
  const namesrvAddr = 'nameserver:9876';
  expect(settingsOf(configuration('broker'))).toEqual({ ...Object.fromEntries(expected), namesrvAddr });
});

test('the same settings of the proxy', () => {
  expect(JSON.parse(configuration('proxy'))).toEqual({ ...ours.proxy, namesrvAddr: 'nameserver:9876' });
});
