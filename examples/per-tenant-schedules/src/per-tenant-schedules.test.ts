import { testCarillon } from '@carillon/testing';
import { expect, it } from 'vitest';
import { digests, wants } from './digests.js';

it("sends each tenant's digest at its own time, and follows what it wants", async () => {
  const sent: string[] = [];
  const app = await testCarillon([digests(sent)], { startAt: new Date('2027-06-01T00:00:00Z') });
  expect(await wants(app, { id: 'paris', at: '8:00', timezone: 'Europe/Paris' })).toBe('created');
  expect(await wants(app, { id: 'paris', at: '8:00', timezone: 'Europe/Paris' })).toBe('unchanged');
  await wants(app, { id: 'austin', at: '7:30', timezone: 'America/Chicago' });
  await app.advance('1d');
  expect(sent.splice(0)).toEqual(['paris 06:00', 'austin 12:30']);

  expect(await wants(app, { id: 'paris', at: '18:00', timezone: 'Europe/Paris' })).toBe('updated');
  await app.schedules.pause('digest:austin', { note: 'unpaid' });
  await app.advance('1d');
  expect(sent.splice(0)).toEqual(['paris 16:00']);

  await app.schedules.resume('digest:austin');
  await app.schedules.trigger('digest:austin', { id: 'goodwill' });
  await app.schedules.trigger('digest:austin', { id: 'goodwill' });
  await app.advance('1m');
  expect(sent.splice(0)).toEqual(['austin 00:00']);
  expect((await app.schedules.get('digest:austin'))?.counts.missed).toEqual({ paused: 1 });
  await app.stop();
});
