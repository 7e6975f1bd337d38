import { describe, expect, test } from 'vitest';
import { implement } from './definition.js';
import { defineTask, TASK, taskOf } from './task.js';

describe('a token', () => {
  test('is a name and its options, and nobody changes it', () => {
    const options = { attempts: 3 };
    const task = defineTask('close-order', options);
    options.attempts = 5;
    expect(task).toEqual({ name: 'close-order', options: { attempts: 3 } });
    expect(Object.isFrozen(task) && Object.isFrozen(task.options)).toBe(true);
  });

  test.each(['a', 'close-order', 'Shop.close_order-2', 'x'.repeat(127)])('can be called %s', (name) => {
    expect(defineTask(name).name).toBe(name);
  });

  test.each(['', 'close order', 'shop/close', '-a', '(malformed)', 'ä', 'x'.repeat(128), 'a\n'])(
    'cannot be called %j',
    (name) => {
      expect(() => defineTask(name)).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
    },
  );
});

describe('taskOf', () => {
  class Close {
    static readonly [TASK] = defineTask('close');
    handle(): void {}
  }

  test('a token is its own, a class carries one', () => {
    const token = defineTask('t');
    expect(taskOf(token)).toBe(token);
    expect(taskOf(Close)).toBe(Close[TASK]);
  });

  test('a class without one, also one that inherits from a task, is refused by its name', () => {
    class Plain {
      handle(): void {}
    }
    class Derived extends Close {}
    for (const ref of [Plain, Derived])
      expect(() => taskOf(ref)).toThrow(
        expect.objectContaining({ code: 'E_TASK_UNKNOWN', message: expect.stringContaining(ref.name) }),
      );
    expect(() =>
      taskOf(
        class {
          handle(): void {}
        },
      ),
    ).toThrow(/anonymous/);
  });
});

describe('implement', () => {
  const task = defineTask<{ n: number }, number>('t');
  const attempt = {} as never;

  test('a function', () => {
    const { resolver } = implement(task, ({ n }) => n + 1);
    expect(resolver).toEqual({ resolve: expect.any(Function) });
    const handler = resolver.resolve(task) as { handle(payload: unknown, attempt: never): unknown };
    expect(handler.handle({ n: 1 }, attempt)).toBe(2);
  });

  test('an object, which stays its own `this`', () => {
    class Counter {
      step = 5;
      handle({ n }: { n: number }): number {
        return n + this.step;
      }
    }
    const handler = implement(task, new Counter()).resolver.resolve(task) as Counter;
    expect(handler.handle({ n: 1 })).toBe(6);
  });

  test('services for unless', () => {
    const services = { get: () => undefined as never };
    expect(implement(task, () => 1, services).resolver.services).toBe(services);
  });
});
