// Payload: a job's input as JSON text, on its way in and out.
//
// Y1  What `encodePayload` accepts, `decodePayload` gives back equal: a value that JSON would change or drop is refused.
//     Only enumerable string keys and array elements are data; of these, properties that are `undefined` and the keys
//     of Y2 are dropped, and -0 becomes 0.
// Y2  The keys `__proto__`, `constructor` and `prototype` neither go in nor come out, at any depth.
// Y3  The work is bounded by the size limit: a value that shares its parts and grows without end is refused early.

import { CarillonError } from '../errors.js';
import { shown } from '../time/shown.js';

type Json = Primitive | readonly Json[] | { readonly [key: string]: Json | undefined };
type Primitive = string | number | boolean | null;
type NotJson =
  | bigint
  | symbol
  | ((...args: never[]) => unknown)
  | (abstract new (...args: never[]) => unknown)
  | { toJSON(...args: never[]): unknown }
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>;

/**
 * `T` where JSON holds it faithfully, and `never` in the place of what it does not: dates, maps, sets, functions,
 * `bigint`, symbols, whatever has a `toJSON`, and `undefined` in arrays. So a bad payload does not compile.
 */
export type JsonOf<T> = unknown extends T
  ? T
  : T extends Json | undefined | void // whole at once, so that recursive types end here
    ? T
    : T extends NotJson
      ? never
      : T extends readonly unknown[]
        ? { [K in keyof T]: JsonOfElement<T[K]> }
        : { [K in keyof T]: JsonOf<T[K]> };
type JsonOfElement<T> = T extends undefined ? never : JsonOf<T>;

const NAME = /^[a-z_$][\w$]{0,63}$/i;
const DEEPEST = 32;
const LONGEST_CHARACTER_BYTES = 3; // in UTF-8, of one UTF-16 code unit
const WALK_LIMITS = 16; // how far a walk goes on beyond the limit, so that the error can tell the real size

/** The path as one would write it in code, such as `payload.items[2]['unit price']`. */
export function pathOf(root: string, keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    return typeof key === 'string' && NAME.test(key) ? `${path}.${key}` : `${path}[${shown(key)}]`;
  }, root);
}

/**
 * The value as JSON text; `undefined` is `null`. `what` names the value in errors. Throws `E_PAYLOAD` with the path of
 * what JSON cannot hold (Y1) or is nested deeper than 32, and `E_PAYLOAD_SIZE` beyond `maxBytes` bytes of UTF-8.
 */
export function encodePayload(value: unknown, maxBytes: number, what: string): string {
  if (value === undefined) return 'null';
  const walk: Walk = { left: maxBytes * WALK_LIMITS, dirty: false };
  const found = flawOf(value, walk, 1);
  if (found !== undefined) {
    const path = cycleIn(value, found.path);
    const { is, next } = path === undefined ? found : { is: 'a reference to what it is in', next: PASS_AN_ID };
    throw new CarillonError('E_PAYLOAD', `${pathOf(what, path ?? found.path)} is ${is}, which a payload cannot hold.`, {
      next,
    });
  }
  if (walk.left < 0) throw tooLarge(what, `more than ${maxBytes * WALK_LIMITS}`, maxBytes); // Y3
  const text = JSON.stringify(walk.dirty ? withoutBarred(value) : value);
  if (text.length * LONGEST_CHARACTER_BYTES > maxBytes) {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) throw tooLarge(what, `${bytes}`, maxBytes);
  }
  return text;
}

/** The value of a JSON text, without the keys of Y2. Throws `E_PAYLOAD` if the text is no JSON. */
export function decodePayload(text: string): unknown {
  try {
    return mayHoldBarred(text)
      ? JSON.parse(text, (key, value: unknown) => (isBarred(key) ? undefined : value))
      : JSON.parse(text);
  } catch (cause) {
    throw new CarillonError('E_PAYLOAD', 'The payload is not JSON.', {
      next: 'It was damaged, or something other than Carillon wrote it.',
      cause,
    });
  }
}

const PASS_AN_ID = 'Pass an id, and have the handler load the rest.';

interface Walk {
  /** How many bytes the rest of the value may still need, at the least. */
  left: number;
  /** Some object has a key of Y2. */
  dirty: boolean;
}

interface Flaw {
  readonly path: (string | number)[];
  readonly is: string;
  readonly next: string;
}

/** The first thing in the value that JSON cannot hold. Ends early, with `walk.left` below 0, when it is too large. */
function flawOf(value: unknown, walk: Walk, depth: number): Flaw | undefined {
  walk.left -= 1;
  switch (typeof value) {
    case 'string':
      walk.left -= value.length;
      return undefined;
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : flaw(`${value}`, 'Use null or leave it out.');
    case 'object':
      if (value === null) return undefined;
      break;
    case 'bigint':
      return flaw('a bigint', 'Use a string.');
    case 'undefined':
      return flaw('undefined in an array', 'Use null.'); // a property that is undefined does not get here
    default:
      return flaw(`a ${typeof value}`, 'Leave it out, and have the handler get it by itself.');
  }
  if (depth > DEEPEST) {
    return flaw(`nested deeper than ${DEEPEST} levels`, PASS_AN_ID);
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    const name = nameOf(value);
    return flaw(
      name === 'Object' ? 'an object with a toJSON' : `a ${name}`,
      'Convert it first: to text, a number or plain data.',
    );
  }
  return Array.isArray(value) ? flawOfArray(value, walk, depth) : flawOfObject(value, walk, depth);
}

function flawOfArray(value: readonly unknown[], walk: Walk, depth: number): Flaw | undefined {
  for (let index = 0; index < value.length && walk.left >= 0; index += 1) {
    const found = flawOf(value[index], walk, depth + 1);
    if (found !== undefined) return within(index, found);
  }
  return undefined;
}

function flawOfObject(value: object, walk: Walk, depth: number): Flaw | undefined {
  if (!isPlain(value)) return flaw(`a ${nameOf(value)}`, 'Copy what the handler needs into a plain object or array.');
  for (const key of Object.keys(value)) {
    if (walk.left < 0) return undefined;
    if (isBarred(key)) {
      walk.dirty = true;
      continue;
    }
    const property = (value as Record<string, unknown>)[key];
    if (property === undefined) continue;
    walk.left -= key.length;
    const found = flawOf(property, walk, depth + 1);
    if (found !== undefined) return within(key, found);
  }
  return undefined;
}

function flaw(is: string, next: string): Flaw {
  return { path: [], is, next };
}

function within(key: string | number, found: Flaw): Flaw {
  found.path.unshift(key);
  return found;
}

/** How far down the path the value comes back to itself; `undefined` if it never does. */
function cycleIn(value: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] | undefined {
  const above = new Set<unknown>();
  let here = value;
  for (const [depth, key] of path.entries()) {
    above.add(here);
    here = (here as Record<PropertyKey, unknown>)[key];
    if (above.has(here)) return path.slice(0, depth + 1);
  }
  return undefined;
}

/** Objects of `{}`, of `Object.create(null)`, and their like from another realm (a vm context). */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: object): string {
  const maker: unknown = value.constructor;
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'class instance';
}

function isBarred(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

/** Whether some key of the text may be barred: only a `\u` can spell one otherwise than in clear. */
function mayHoldBarred(text: string): boolean {
  return (
    text.includes('"constructor"') ||
    text.includes('"__proto__"') ||
    text.includes('"prototype"') ||
    text.includes('\\u')
  );
}

/** A copy of a value that has no flaw, without the keys of Y2. */
function withoutBarred(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutBarred);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !isBarred(key))
      .map(([key, property]) => [key, withoutBarred(property)]),
  );
}

function tooLarge(what: string, size: string, maxBytes: number): CarillonError {
  return new CarillonError('E_PAYLOAD_SIZE', `${what} is ${size} bytes long, the limit is ${maxBytes}.`, {
    next: 'Keep the data elsewhere and pass its id.',
  });
}
