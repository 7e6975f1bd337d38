// Three tenants in three zones: one changes its mind, one does not pay, one leaves.

import { testCarillon } from '@carillon/testing';
import { digests, wants } from './digests.js';

const sent: string[] = [];
const app = await testCarillon([digests(sent)], { startAt: new Date('2027-06-01T00:00:00Z') });
const day = async (what: string): Promise<void> => {
  await app.advance('1d');
  console.log(`${what}: ${sent.splice(0).join(', ') || 'nothing'}`);
};

await wants(app, { id: 'tokyo', at: '9:00', timezone: 'Asia/Tokyo' });
await wants(app, { id: 'paris', at: '8:00', timezone: 'Europe/Paris' });
await wants(app, { id: 'austin', at: '7:30', timezone: 'America/Chicago' });
await day('The first day');

await wants(app, { id: 'paris', at: '18:00', timezone: 'Europe/Paris' });
await app.schedules.pause('digest:austin', { note: 'unpaid' });
await app.schedules.delete('digest:tokyo');
await day('Paris prefers the evening, Austin does not pay, Tokyo has left');

await app.schedules.resume('digest:austin');
await app.schedules.trigger('digest:austin', { id: 'goodwill' });
await day('Austin has paid, and gets one at once');

for (const { id, state, counts } of (await app.schedules.list({ idPrefix: 'digest:' })).schedules) {
  console.log(`${id} is ${state}: ${counts.started} sent, missed ${JSON.stringify(counts.missed)}`);
}
await app.stop();
