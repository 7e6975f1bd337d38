import { expect, test, vi } from 'vitest';
import { catalogOf } from './catalog.js';
import { type HandlerResolver, implement } from './definition.js';
import { defineTask } from './task.js';

const noop = (): void => {};

test('tasks are found by their name, with their options resolved', () => {
  const task = defineTask('mail', { attempts: 3 });
  const catalog = catalogOf([implement(task, noop), implement(defineTask('post'), noop)]);
  expect([...catalog.keys()]).toEqual(['mail', 'post']);
  expect(catalog.get('mail')).toMatchObject({ task, options: { name: 'mail', attempts: 3 } });
  expect(catalogOf([]).size).toBe(0);
});

test('C1: a name means one task', () => {
  const twice = [implement(defineTask('mail'), noop), implement(defineTask('mail'), noop)];
  expect(() => catalogOf(twice)).toThrow(
    expect.objectContaining({ code: 'E_TASK_DUPLICATE', message: expect.stringContaining('mail') }),
  );
});

test('a handler that cannot be resolved is found out at once', () => {
  const missing = new Error('no binding for Mailer');
  const resolve = vi.fn<HandlerResolver['resolve']>();
  const resolver: HandlerResolver = {
    resolve,
    check: () => {
      throw missing;
    },
  };
  expect(() => catalogOf([{ task: defineTask('mail'), resolver }])).toThrow(missing);
  expect(resolve).not.toHaveBeenCalled();
});

test('a bad option is found out at once', () => {
  const bad = implement(defineTask('mail', { attempts: 0 }), noop);
  expect(() => catalogOf([bad])).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
});
