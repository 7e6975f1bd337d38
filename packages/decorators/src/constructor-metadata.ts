// Constructor metadata: what Inversify has written down about the classes that it makes.
//
// Inversify's own entry does not export its reader, so this file reads the records under its keys. A test fails if they
// move. Nothing here decides whether a class can be made: that is asked of the container (container-check.ts).

import 'reflect-metadata';
import { injectable, LazyServiceIdentifier, type ServiceIdentifier } from 'inversify';

const CLASS = '@inversifyjs/core/classMetadataReflectKey';
const INJECTABLE = '@inversifyjs/core/classIsInjectableFlagReflectKey';
const MULTIPLE = 0;
const SINGLE = 1;
const UNMANAGED = 2;

/** Something that a class asks for. */
export interface Injection {
  /** Where, as one would say it: `parameter 0 of Reports`. */
  readonly where: string;
  /** What it asks for; `undefined` if nothing that a container could know. */
  readonly token: ServiceIdentifier | undefined;
  readonly many: boolean;
  readonly optional: boolean;
  readonly name: string | number | symbol | undefined;
  readonly tags: readonly { readonly key: string | number | symbol; readonly value: unknown }[];
}

interface ElementRecord {
  readonly kind: number;
  readonly value?: unknown;
  readonly optional?: boolean;
  readonly name?: string | number | symbol | undefined;
  readonly tags?: ReadonlyMap<string | number | symbol, unknown>;
}

interface ClassRecord {
  readonly constructorArguments: readonly (ElementRecord | undefined)[];
  readonly properties: ReadonlyMap<string | symbol, ElementRecord>;
}

type AnyClass = abstract new (...args: never[]) => unknown;

/** Decorates a class as injectable unless it is: then its parameters' types count, where the compiler has kept them. */
export function makeInjectable(type: AnyClass): void {
  if (!Reflect.hasOwnMetadata(INJECTABLE, type)) injectable()(type);
}

/** What a class asks for, in its constructor's parameters and its properties; without those that it does not leave to
 *  the container (`@unmanaged`). */
export function injectionsOf(type: AnyClass): Injection[] {
  const record = Reflect.getOwnMetadata(CLASS, type) as ClassRecord | undefined;
  const parameters = record?.constructorArguments ?? [];
  return [
    ...Array.from({ length: Math.max(type.length, parameters.length) }, (_, index) =>
      injection(`parameter ${String(index)} of ${type.name}`, parameters[index]),
    ),
    ...[...(record?.properties ?? [])].map(([key, element]) => injection(`${String(key)} of ${type.name}`, element)),
  ].filter((found) => found !== undefined);
}

function injection(where: string, element: ElementRecord | undefined): Injection | undefined {
  if (element?.kind === UNMANAGED) return undefined;
  const complete = element?.kind === SINGLE || element?.kind === MULTIPLE;
  return {
    where,
    token: complete ? token(element.value) : undefined,
    many: element?.kind === MULTIPLE,
    optional: element?.optional === true,
    name: element?.name,
    tags: [...(element?.tags ?? [])].map(([key, value]) => ({ key, value })),
  };
}

function token(value: unknown): ServiceIdentifier | undefined {
  const asked = LazyServiceIdentifier.is(value) ? (value.unwrap() as unknown) : value;
  if (typeof asked === 'string' || typeof asked === 'symbol') return asked;
  return typeof asked === 'function' ? (asked as ServiceIdentifier) : undefined; // such as an enum
}
