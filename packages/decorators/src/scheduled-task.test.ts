import { CarillonError, defineTask, TASK, taskOf } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import { declaredTasks, methodTask } from './declared-tasks.js';
import { ScheduledTask } from './scheduled-task.js';

describe('ScheduledTask on a class', () => {
  it('gives the class its task, named after it, with its options', () => {
    @ScheduledTask({ in: '30m', retry: { for: '24h' } })
    class CloseUnpaidOrder {
      handle(_order: { orderId: string }): void {}
    }
    expect(taskOf(CloseUnpaidOrder)).toEqual({
      name: 'close-unpaid-order',
      options: { in: '30m', retry: { for: '24h' } },
    });
    expect(taskOf(CloseUnpaidOrder)).toBe(taskOf(CloseUnpaidOrder));
    expect(Object.keys(CloseUnpaidOrder)).toEqual([]);
  });

  it('takes a name', () => {
    @ScheduledTask({ name: 'orders/2'.replace('/', '.') })
    class CloseUnpaidOrder {
      handle(): void {}
    }
    expect(taskOf(CloseUnpaidOrder).name).toBe('orders.2');
  });

  it.each([
    ['CloseUnpaidOrder', 'close-unpaid-order'],
    ['HTTPProbe', 'http-probe'],
    ['SendV2Mail', 'send-v2-mail'],
    ['ParseURL', 'parse-url'],
    ['Mail', 'mail'],
  ])('names the class %s %s', (className, name) => {
    const type = { [className]: class { handle(): void {} } }[className] as new () => { handle(): void }; // prettier-ignore
    ScheduledTask()(type);
    expect(taskOf(type).name).toBe(name);
  });

  it.each(['', 'default', 'default_1', '_default'])('refuses a class named %j, and says what to write', (name) => {
    const type = class { handle(): void {} }; // prettier-ignore
    Object.defineProperty(type, 'name', { value: name });
    const error = thrown(() => ScheduledTask()(type));
    expect(error.code).toBe('E_OPTIONS');
    expect(error.message).toContain("A class without a name can't name its task.");
    expect(error.next).toBe("Name the class, or write @ScheduledTask({ name: 'close-unpaid-order' }).");
    ScheduledTask({ name: 'close' })(type);
    expect(taskOf(type).name).toBe('close');
  });

  it('refuses names that no task can have', () => {
    class Überweisung { handle(): void {} } // prettier-ignore
    expect(thrown(() => ScheduledTask()(Überweisung)).code).toBe('E_OPTIONS');
    expect(thrown(() => ScheduledTask({ name: '' })(Überweisung)).code).toBe('E_OPTIONS');
  });

  it('stands once on a class', () => {
    @ScheduledTask()
    class Mail {
      handle(): void {}
    }
    expect(thrown(() => ScheduledTask({ name: 'other' })(Mail)).message).toContain(
      'The class Mail is decorated twice.',
    );
    expect(taskOf(Mail).name).toBe('mail');
  });

  it('is not inherited', () => {
    @ScheduledTask()
    class Mail {
      handle(): void {}
    }
    class Express extends Mail {}
    expect(() => taskOf(Express)).toThrow('The class Express is not a task.');
    ScheduledTask()(Express);
    expect([taskOf(Mail).name, taskOf(Express).name]).toEqual(['mail', 'express']);
  });
});

describe('ScheduledTask for a token', () => {
  const token = defineTask<{ orderId: string }>('close-unpaid-order', { in: '30m', timeout: '1m' });

  it('makes the class carry the token itself', () => {
    @ScheduledTask({ task: token })
    class Close {
      handle(_order: { orderId: string }): void {}
    }
    expect(taskOf(Close)).toBe(token);
    expect(Object.hasOwn(Close, TASK)).toBe(true);
  });

  it("lays the worker's options over the token's", () => {
    @ScheduledTask({ task: token, timeout: '10s', concurrency: undefined })
    class Close {
      handle(_order: { orderId: string }): void {}
    }
    expect(taskOf(Close)).toEqual({ name: token.name, options: { in: '30m', timeout: '10s' } });
    expect(token.options).toEqual({ in: '30m', timeout: '1m' });
  });

  it.each([{ in: '5m' }, { queue: 'fast' }, { name: 'close' }, { record: 'on-claim' }, { attempts: 3 }])(
    'refuses %o, which producers would not see',
    (option) => {
      class Close { handle(_order: { orderId: string }): void {} } // prettier-ignore
      const error = thrown(() => ScheduledTask({ task: token, ...(option as object) })(Close));
      expect(error.code).toBe('E_OPTIONS');
      expect(error.message).toContain(`${Object.keys(option)[0]} stands beside the token of task close-unpaid-order.`);
    },
  );
});

describe('ScheduledTask on methods', () => {
  it('makes each a task, named after class and method', () => {
    class Reports {
      @ScheduledTask({ in: '1h' })
      daily(_day: { day: string }): number {
        return 1;
      }
      @ScheduledTask({ name: 'weekly' })
      sendWeekly(): void {}
      plain(): void {}
    }
    expect(methodTask(Reports, 'daily')).toEqual({ name: 'reports.daily', options: { in: '1h' } });
    expect(methodTask(Reports, 'daily')).toBe(methodTask(Reports, 'daily'));
    expect(methodTask(Reports, 'sendWeekly').name).toBe('weekly');
    expect(declaredTasks(Reports).map(({ method }) => method)).toEqual(['daily', 'sendWeekly']);
    const error = thrown(() => methodTask(Reports, 'plain'));
    expect(error.code).toBe('E_TASK_UNKNOWN');
    expect(error.message).toContain('The method plain of Reports is not a task.');
  });

  it('survives a decorator that replaces the method', () => {
    const traced = (_: object, __: string, descriptor: PropertyDescriptor): PropertyDescriptor => {
      const inner = descriptor.value as () => unknown;
      return { ...descriptor, value: () => inner() };
    };
    class Reports {
      @traced
      @ScheduledTask()
      above(): void {}
      @ScheduledTask()
      @traced
      below(): void {}
    }
    expect(declaredTasks(Reports).map(({ task }) => task.name)).toEqual(['reports.above', 'reports.below']);
  });

  it('stands once on a method', () => {
    class Reports {
      @ScheduledTask()
      daily(): void {}
    }
    const again = (): void => {
      const descriptor = Object.getOwnPropertyDescriptor(Reports.prototype, 'daily') as TypedPropertyDescriptor<
        () => void
      >;
      ScheduledTask({ name: 'other' })(Reports.prototype, 'daily', descriptor);
    };
    expect(thrown(again).message).toContain('The method daily is decorated twice.');
    expect(methodTask(Reports, 'daily').name).toBe('reports.daily');
  });

  it('needs a name for a symbol', () => {
    const run = Symbol('run');
    class Reports {
      @ScheduledTask()
      [run](): void {}
    }
    expect(thrown(() => methodTask(Reports, run)).next).toBe("Write @ScheduledTask({ name: 'reports.daily' }).");
    class Named {
      @ScheduledTask({ name: 'run' })
      [run](): void {}
    }
    expect(methodTask(Named, run).name).toBe('run');
  });

  it('is not inherited, not by an override either', () => {
    class Reports {
      @ScheduledTask()
      daily(): void {}
    }
    class German extends Reports {}
    class French extends Reports {
      override daily(): void {}
    }
    class Swiss extends Reports {
      @ScheduledTask()
      override daily(): void {}
    }
    expect(declaredTasks(German)).toEqual([]);
    expect(declaredTasks(French)).toEqual([]);
    expect(methodTask(Swiss, 'daily').name).toBe('swiss.daily');
    expect(methodTask(Reports, 'daily').name).toBe('reports.daily');
    expect(thrown(() => methodTask(German, 'daily')).next).toContain('tasks are not inherited');
  });

  it('refuses what is not a method of an instance', () => {
    const apply = ScheduledTask() as unknown as (target: object, key: string, descriptor?: PropertyDescriptor) => void;
    const error = thrown(() => apply(class Reports {}, 'daily', { value: () => {} }));
    expect(error.message).toContain("@ScheduledTask() can't stand on the static method daily.");
    expect(() => apply({}, 'daily')).toThrow('the field or accessor daily');
    expect(() => apply({}, 'daily', { get: () => 1 })).toThrow('the field or accessor daily');
  });
});

describe('ScheduledTask as a standard decorator', () => {
  const apply = (options: object, target: object, context: object): void => {
    (ScheduledTask(options) as unknown as (target: object, context: object) => void)(target, context);
  };

  it('makes classes and methods tasks', () => {
    class Reports {
      handle(): void {}
      daily(): void {}
    }
    apply({ in: '1m' }, Reports, { kind: 'class', name: 'Reports' });
    const method = { kind: 'method', name: 'daily', static: false, private: false };
    const daily = Object.getOwnPropertyDescriptor(Reports.prototype, 'daily')?.value as object;
    apply({}, daily, method);
    expect(() => apply({}, daily, method)).toThrow('The method is decorated twice.');
    expect(taskOf(Reports)).toEqual({ name: 'reports', options: { in: '1m' } });
    expect(methodTask(Reports, 'daily').name).toBe('reports.daily');
    class Sub extends Reports {}
    expect(declaredTasks(Sub)).toEqual([]);
  });

  it('refuses what is not a public method of an instance', () => {
    const field = { kind: 'field', name: 'daily', static: false, private: false };
    expect(() => apply({}, () => {}, field)).toThrow('the field daily');
    expect(() => apply({}, () => {}, { ...field, kind: 'method', static: true })).toThrow('the static method daily');
    expect(() => apply({}, () => {}, { ...field, kind: 'method', private: true })).toThrow('the private method daily');
  });
});

function thrown(act: () => unknown): CarillonError {
  try {
    act();
  } catch (error) {
    if (CarillonError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
