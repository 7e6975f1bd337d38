import { type Carillon, defineTask, giveUp, type Services, type StandardSchema, type Task } from '@carillon/core';
import type { Attempt, Ruling } from '@carillon/core';
import type { Container } from 'inversify';
import { expect, expectTypeOf, test } from 'vitest';
import { fromContainer, methodTask, ScheduledTask } from './index.js';

interface Order {
  orderId: string;
}
declare const carillon: Carillon;
declare const container: Container;
const orderSchema: StandardSchema<unknown, Order> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Order }) },
};
const token = defineTask<Order>('close-unpaid-order');
const counted = defineTask<Order, number>('count');

@ScheduledTask({ in: '30m' })
class CloseUnpaidOrder {
  handle({ orderId }: Order, attempt: Attempt): string | Ruling {
    return orderId === '' ? giveUp(attempt.jobId) : orderId;
  }
}

@ScheduledTask()
class Nightly {
  handle(): void {}
}

class Reports {
  @ScheduledTask({ in: '1m' })
  async daily({ day }: { day: string }, _attempt: Attempt): Promise<number> {
    return day.length;
  }
  @ScheduledTask()
  weekly(): void {}
  readonly count: number = 0;
}

test('a class is scheduled with what its handler takes', () => {
  void (async () => {
    await carillon.schedule(CloseUnpaidOrder, { orderId: 'o-42' });
    await carillon.schedule(Nightly);
    // @ts-expect-error a wrong field
    await carillon.schedule(CloseUnpaidOrder, { order: 'o-42' });
    // @ts-expect-error a wrong type
    await carillon.schedule(CloseUnpaidOrder, { orderId: 42 });
    // @ts-expect-error no payload
    await carillon.schedule(CloseUnpaidOrder);
    // @ts-expect-error a payload for a handler that takes none
    await carillon.schedule(Nightly, { orderId: 'o-42' });
    const job = await carillon.get(CloseUnpaidOrder, { id: 'j' });
    expectTypeOf(job!.payload).toEqualTypeOf<Order>();
    expectTypeOf(job!.result).toEqualTypeOf<string | undefined>();
  });
});

test('a method is scheduled with what it takes', () => {
  expectTypeOf(methodTask(Reports, 'daily')).toEqualTypeOf<Task<{ day: string }, number>>();
  void (async () => {
    await carillon.schedule(methodTask(Reports, 'daily'), { day: 'Monday' });
    await carillon.schedule(methodTask(Reports, 'weekly'));
    // @ts-expect-error a wrong type
    await carillon.schedule(methodTask(Reports, 'daily'), { day: 1 });
    // @ts-expect-error no such method
    methodTask(Reports, 'monthly');
    // @ts-expect-error not a method
    methodTask(Reports, 'count');
  });
});

test('only what can handle is decorated', () => {
  expect(() => {
    // @ts-expect-error no handle
    @ScheduledTask()
    class None {}
    return None;
  }).toThrow(/no method handle/);
  // @ts-expect-error its second parameter is not an attempt
  @ScheduledTask()
  class Second {
    handle(_order: Order, _attempt: string): void {}
  }
  void (() => {
    class Field {
      // @ts-expect-error a field
      @ScheduledTask()
      field = 1;
    }
    class Static {
      // @ts-expect-error a static method
      @ScheduledTask()
      static daily(): void {}
    }
    return [Field, Static];
  });
  expectTypeOf([Second]).toBeArray();
});

test('a token is implemented by a handler of its payload and result', () => {
  @ScheduledTask({ task: token, concurrency: 2 })
  class Close {
    handle(_order: Order): void {}
  }
  @ScheduledTask({ task: counted })
  class Count {
    async handle(_order: Readonly<Order>): Promise<number | Ruling> {
      return 1;
    }
  }
  // @ts-expect-error another payload
  @ScheduledTask({ task: token })
  class Other {
    handle(_order: { id: number }): void {}
  }
  // @ts-expect-error more than the token promises
  @ScheduledTask({ task: token })
  class More {
    handle(_order: Order & { total: number }): void {}
  }
  // @ts-expect-error less: `schedule(Less, …)` would send too little
  @ScheduledTask({ task: token })
  class Less {
    handle(_order: object): void {}
  }
  // @ts-expect-error no payload
  @ScheduledTask({ task: token })
  class NoPayload {
    handle(): void {}
  }
  // @ts-expect-error another result
  @ScheduledTask({ task: counted })
  class Result {
    handle(_order: Order): string {
      return '';
    }
  }
  class Methods {
    @ScheduledTask({ task: token })
    right(_order: Order): void {}
    // @ts-expect-error another payload
    @ScheduledTask({ task: token })
    wrong(_order: { id: number }): void {}
  }
  expectTypeOf([Close, Count, Other, More, Less, NoPayload, Result, Methods]).toBeArray();
});

test('beside a token stand only options of the worker', () => {
  void (() => {
    ScheduledTask({ task: token, unless: (order, services) => order.orderId === services.get<string>('paid') });
    // @ts-expect-error the token names the task
    ScheduledTask({ task: token, name: 'close' });
    // @ts-expect-error producers read it
    ScheduledTask({ task: token, in: '5m' });
    // @ts-expect-error producers read it
    ScheduledTask({ task: token, queue: 'fast' });
  });
});

test('`unless` takes what the handler takes, and `schema` gives it', () => {
  @ScheduledTask({ unless: ({ orderId }: Order, services: Services) => services.get<Set<string>>('paid').has(orderId) })
  class Close {
    handle(_order: Order & { total: number }): void {}
  }
  // @ts-expect-error `unless` asks for what the payload has not
  @ScheduledTask({ unless: ({ orderId }: Order) => orderId === '' })
  class Blind {
    handle(_order: { id: number }): void {}
  }
  @ScheduledTask({ schema: orderSchema })
  class Checked {
    handle(_order: Order): void {}
  }
  // @ts-expect-error the schema gives something else
  @ScheduledTask({ schema: orderSchema })
  class Misread {
    handle(_order: { id: number }): void {}
  }
  class Methods {
    // @ts-expect-error the schema gives something else
    @ScheduledTask({ schema: orderSchema })
    wrong(_order: { id: number }): void {}
    // @ts-expect-error `unless` asks for what the payload has not
    @ScheduledTask({ unless: ({ orderId }: Order) => orderId === '' })
    blind(_order: { id: number }): void {}
  }
  expectTypeOf([Close, Blind, Checked, Misread, Methods]).toBeArray();
});

test('options that do not exist do not compile', () => {
  void (() => {
    // @ts-expect-error not an option
    ScheduledTask({ delay: '5m' });
    // @ts-expect-error not a duration
    ScheduledTask({ in: 'soon' });
    // @ts-expect-error not a class
    fromContainer(container, [{}]);
    fromContainer(container, [CloseUnpaidOrder, Reports]);
  });
});

test('it is a standard decorator too', () => {
  const decorate = ScheduledTask({ in: '5m' });
  type Daily = Reports['daily'];
  void ((type: ClassDecoratorContext<typeof CloseUnpaidOrder>, at: ClassMethodDecoratorContext<Reports, Daily>) => {
    decorate(CloseUnpaidOrder, type);
    decorate(async ({ day }) => day.length, at);
  });
});
