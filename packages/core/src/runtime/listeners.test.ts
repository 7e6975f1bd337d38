import { expect, test, vi } from 'vitest';
import { silentLogger } from '../task/logger.js';
import { Events } from './events.js';

const cancelled = { id: 'a', task: 't', queue: 'default', key: undefined, reason: 'cancelled' };

test('listeners hear their event, in the order of their coming, until they end it', () => {
  const events = new Events(silentLogger);
  const heard: string[] = [];
  const stop = events.on('job:cancelled', ({ reason }) => heard.push(`first ${reason}`));
  events.on('job:cancelled', ({ id }) => heard.push(`second ${id}`));
  events.on('job:skipped', () => heard.push('never'));
  events.emit('job:cancelled', cancelled);
  stop();
  stop();
  events.emit('job:cancelled', cancelled);
  expect(heard).toEqual(['first cancelled', 'second a', 'second a']);
});

test('hears tells whether anybody listens', () => {
  const events = new Events(silentLogger);
  expect(events.hears('job:dead')).toBe(false);
  const stop = events.on('job:dead', () => {});
  expect(events.hears('job:dead')).toBe(true);
  expect(events.hears('job:skipped')).toBe(false);
  stop();
  expect(events.hears('job:dead')).toBe(false);
});

test('a listener that throws is logged and hurts nobody', () => {
  const error = vi.fn<(fields: object, message: string) => void>();
  const events = new Events({ ...silentLogger, error });
  const heard = vi.fn<() => void>();
  const oops = new Error('oops');
  events.on('job:cancelled', () => {
    throw oops;
  });
  events.on('job:cancelled', heard);
  events.emit('job:cancelled', cancelled);
  expect(heard).toHaveBeenCalledTimes(1);
  expect(error).toHaveBeenCalledWith({ err: oops, event: 'job:cancelled' }, 'a listener threw');
});

test('what a step has to tell is not even made while nobody listens', () => {
  const events = new Events(silentLogger);
  const happenings = vi.fn(() => [
    { event: 'job:cancelled', data: cancelled } as const,
    { event: 'job:skipped', data: cancelled } as const,
  ]);
  events.tell(happenings);
  expect(happenings).not.toHaveBeenCalled();
  const heard = vi.fn<(data: unknown) => void>();
  events.on('job:skipped', heard);
  events.tell(happenings);
  expect(heard.mock.calls).toEqual([[cancelled]]);
});
