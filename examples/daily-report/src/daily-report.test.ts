import 'reflect-metadata';
import { fromContainer } from '@carillon/decorators';
import { testCarillon } from '@carillon/testing';
import { Container } from 'inversify';
import { expect, it } from 'vitest';
import { Mail, Reports } from './reports.js';

it('reports every weekday at nine in Berlin, also after the clocks go forward, but not on holidays', async () => {
  const container = new Container();
  container.bind(Mail).toSelf().inSingletonScope();
  const app = await testCarillon(fromContainer(container, [Reports]), { startAt: new Date('2027-03-22T00:00:00Z') });
  await app.advance('14d');

  const { sent } = container.get(Mail);
  expect(sent).toHaveLength(8);
  expect(sent[0]).toBe('Report of 2027-03-22T08:00Z, since the beginning');
  expect(sent[4]).toBe('Report of 2027-03-30T07:00Z, since 2027-03-25T08:00Z');
  expect((await app.schedules.get('reports.daily'))?.counts).toEqual({ started: 8, missed: { excluded: 2 } });
  await app.stop();
});
