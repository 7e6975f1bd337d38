import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askRedis } from '../redis.js';
import { describeWith } from '../testing.js';
import { isRunning } from './process-identity.js';
import { StartedServices } from './started-services.js';

describeWith(['own redis'], 'started services', () => {
  let folder: string;
  let services: StartedServices;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-services-test-'));
    services = new StartedServices(folder);
  });
  afterEach(async () => {
    await services.stop('redis');
    rmSync(folder, { recursive: true, force: true });
  });

  test('a start begins empty, a second one changes nothing, and a stop ends it', async () => {
    const { service, already } = await services.start('redis', 'free');
    expect(already).toBe(false);
    await askRedis(service.environment['REDIS_URL']!, 'SET', 'bell', 'rung');
    expect(await services.start('redis', 'free')).toEqual({ service, already: true });
    expect(await new StartedServices(folder).condition('redis')).toBe('running');
    expect(await services.stop('redis')).toBe(true);
    expect(service.processes.some(isRunning)).toBe(false);
    expect(await services.condition('redis')).toBe('stopped');
    const again = await services.start('redis', 'free');
    expect(await askRedis(again.service.environment['REDIS_URL']!, 'DBSIZE')).toBe(0);
  });

  test('one that does not answer is unwell, and started anew', async () => {
    const { service } = await services.start('redis', 'free');
    process.kill(service.processes[0]!.pid, 'SIGSTOP');
    expect(await services.condition('redis')).toBe('unwell');
    const again = await services.start('redis', 'free');
    expect(again.already).toBe(false);
    expect(await services.condition('redis')).toBe('running');
  });

  test('V1: another process with the same number is left alone', async () => {
    const { service } = await services.start('redis', 'free');
    const file = join(folder, 'redis.json');
    const { pid } = service.processes[0]!;
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace(/"began": "\d+"/, '"began": "1"'));
    expect(services.find('redis')).toBeUndefined();
    expect(await services.stop('redis')).toBe(false);
    expect(process.kill(pid, 0)).toBe(true);
    writeFileSync(file, before);
  });
});
