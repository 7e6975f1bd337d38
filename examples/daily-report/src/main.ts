// Two weeks around Easter 2027, in virtual time: weekends, two holidays, and the night when the clocks go forward.

import 'reflect-metadata';
import { fromContainer } from '@carillon/decorators';
import { testCarillon } from '@carillon/testing';
import { Container } from 'inversify';
import { Mail, Reports } from './reports.js';

const container = new Container();
container.bind(Mail).toSelf().inSingletonScope();
const app = await testCarillon(fromContainer(container, [Reports]), { startAt: new Date('2027-03-22T00:00:00Z') });

console.log('Next reports:');
for (const slot of await app.schedules.preview('reports.daily', 6)) console.log(`  ${slot.toISOString()}`);

await app.advance('14d');
console.log('Sent in two weeks:');
for (const report of container.get(Mail).sent) console.log(`  ${report}`);

const missed = (await app.schedules.get('reports.daily'))?.recent.filter(({ outcome }) => outcome === 'missed') ?? [];
for (const miss of missed) {
  if (miss.outcome === 'missed')
    console.log(`Not sent: ${miss.count} from ${miss.slot.toISOString()} to ${miss.to.toISOString()}, ${miss.reason}`);
}
await app.stop();
