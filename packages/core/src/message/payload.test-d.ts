import { expectTypeOf, test } from 'vitest';
import type { JsonOf } from './payload.js';

interface Order {
  readonly id: string;
  total: number;
  note?: string;
  paid: boolean | null;
  lines: readonly { sku: string; count: number }[];
  point: [x: number, y: number];
  state: 'open' | 'closed';
  attributes: Record<string, string | number>;
  name: string;
  message: string;
}
interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type OldJson = string | number | boolean | null | OldJsonObject | OldJsonArray; // as type-fest and Prisma spell it
interface OldJsonObject {
  [key: string]: OldJson;
}
interface OldJsonArray extends Array<OldJson> {}
type UserId = string & { readonly brand: unique symbol };
enum Level {
  Low,
  High,
}

declare function schedule<T>(payload: JsonOf<T>): void;
declare function scheduleFor<T>(handle: (payload: T) => unknown, payload: JsonOf<NoInfer<T>>): void;

test('what JSON holds is itself', () => {
  expectTypeOf<JsonOf<Order>>().toEqualTypeOf<Order>();
  expectTypeOf<Order>().toExtend<JsonOf<Order>>();
  expectTypeOf<Tree>().toExtend<JsonOf<Tree>>();
  expectTypeOf<JsonOf<Json>>().toEqualTypeOf<Json>();
  expectTypeOf<JsonOf<OldJson>>().toEqualTypeOf<OldJson>();
  expectTypeOf<{ order: Order; data: Json; old: OldJson }>().toExtend<
    JsonOf<{ order: Order; data: Json; old: OldJson }>
  >();
  expectTypeOf<JsonOf<string>>().toEqualTypeOf<string>();
  expectTypeOf<JsonOf<UserId>>().toEqualTypeOf<UserId>();
  expectTypeOf<JsonOf<Level>>().toEqualTypeOf<Level>();
  expectTypeOf<JsonOf<boolean | undefined>>().toEqualTypeOf<boolean | undefined>();
  expectTypeOf<JsonOf<void>>().toEqualTypeOf<void>();
  expectTypeOf<JsonOf<unknown>>().toBeUnknown();
  expectTypeOf<JsonOf<{ data: unknown }>>().toEqualTypeOf<{ data: unknown }>();
  expectTypeOf<JsonOf<readonly string[]>>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<JsonOf<[string, number?]>>().toEqualTypeOf<[string, number?]>();
  expectTypeOf<JsonOf<readonly [a: string, ...rest: number[]]>>().toEqualTypeOf<
    readonly [a: string, ...rest: number[]]
  >();
  expectTypeOf<JsonOf<{ kind: 'a'; a: number } | { kind: 'b'; b?: string }>>().toEqualTypeOf<
    { kind: 'a'; a: number } | { kind: 'b'; b?: string }
  >();
});

test('what JSON does not hold is never', () => {
  expectTypeOf<JsonOf<Date>>().toBeNever();
  expectTypeOf<JsonOf<Map<string, number>>>().toBeNever();
  expectTypeOf<JsonOf<ReadonlySet<string>>>().toBeNever();
  expectTypeOf<JsonOf<() => void>>().toBeNever();
  expectTypeOf<JsonOf<(a: string) => string>>().toBeNever();
  expectTypeOf<JsonOf<typeof Date>>().toBeNever();
  expectTypeOf<JsonOf<bigint>>().toBeNever();
  expectTypeOf<JsonOf<symbol>>().toBeNever();
  expectTypeOf<JsonOf<Buffer>>().toBeNever();
  expectTypeOf<JsonOf<URL>>().toBeNever();
  expectTypeOf<JsonOf<{ at: Date }>>().toEqualTypeOf<{ at: never }>();
  expectTypeOf<JsonOf<Date[]>>().toEqualTypeOf<never[]>();
  expectTypeOf<JsonOf<(string | undefined)[]>>().toEqualTypeOf<string[]>();
});

test('a wrong payload does not compile', () => {
  schedule<{ orderId: string; note?: string }>({ orderId: 'o-1' });
  schedule<Tree>({ children: [], value: 1 });
  // @ts-expect-error a Date
  schedule<{ at: Date }>({ at: new Date(0) });
  // @ts-expect-error a Date in an array
  schedule<{ at: Date[] }>({ at: [new Date(0)] });
  // @ts-expect-error a method
  schedule<{ run(): void }>({ run() {} });
  // @ts-expect-error a Map in an optional property
  schedule<{ prices?: Map<string, number> }>({ prices: new Map() });
  // @ts-expect-error another type
  schedule<{ orderId: string }>({ orderId: 1 });
  // @ts-expect-error bytes
  schedule<Uint8Array>(new Uint8Array(1));
});

test('the type flows from a handler', () => {
  const handle = (payload: { order: string; at?: number }): string => payload.order;
  scheduleFor(handle, { order: 'o-1' });
  // @ts-expect-error not what the handler takes
  scheduleFor(handle, { order: 1 });
  // @ts-expect-error a handler that takes what JSON does not hold
  scheduleFor((payload: { at: Date }) => payload.at, { at: new Date(0) });
});
