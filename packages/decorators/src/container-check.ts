// Container check: whether a container can make a class, asked before the first job needs it.
//
// C1  Nothing of the user's is constructed or called. Inversify plans the whole tree of a service before it makes any of
//     it, so the check asks for the class behind a gate that throws as soon as the plan stands.
// C2  The container's own plan decides, with every rule that it knows (names, tags, parents, autobinding). The metadata
//     are walked only to say where a plan has failed.

import { CarillonError } from '@carillon/core';
import type { Container, ServiceIdentifier } from 'inversify';
import { type Injection, injectionsOf } from './constructor-metadata.js';
import type { HandlerClass } from './declared-tasks.js';

interface Flaw {
  readonly is: string;
  readonly next: string;
}

/** Throws `E_TASK_HANDLER`, with what to write, if the container can't make the class. */
export function checkHandler(container: Container, type: HandlerClass): void {
  const failure = planFailure(container, { serviceIdentifier: type });
  if (failure === undefined) return;
  const flaw = flawBelow(container, type, new Set()) ?? {
    is: firstLine(failure),
    next: `Bind ${type.name} once, before fromContainer(), which binds it only if nothing has.`,
  };
  throw refusal(type, flaw, failure);
}

/** Throws `E_TASK_HANDLER` if the class has a parameter or property of which its metadata don't say what it asks for. */
export function checkMetadata(type: HandlerClass): void {
  const nameless = injectionsOf(type).find(({ token }) => token === undefined);
  if (nameless !== undefined) throw refusal(type, namesNothing(nameless));
}

function refusal(type: HandlerClass, { is, next }: Flaw, cause?: unknown): CarillonError {
  return new CarillonError('E_TASK_HANDLER', `The container can't make ${type.name}: ${is}.`, { next, cause });
}

function flawBelow(container: Container, type: HandlerClass, path: Set<unknown>): Flaw | undefined {
  path.add(type);
  for (const injection of injectionsOf(type)) {
    const flaw = flawOf(container, injection, path);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function flawOf(container: Container, injection: Injection, path: Set<unknown>): Flaw | undefined {
  const { where, token, name, tags, many, optional } = injection;
  if (token === undefined) return namesNothing(injection);
  const wanted = {
    serviceIdentifier: token,
    tags: [...tags],
    ...(name !== undefined && { name }),
    ...(many && { isMultiple: true }),
  };
  const failure = planFailure(container, { ...wanted, ...(optional && { optional }) });
  if (failure === undefined) return undefined;
  const unbound = planFailure(container, { ...wanted, optional: true }) === undefined;
  if (unbound && isBuiltIn(token)) return namesNothing(injection);
  if (unbound) return { is: `${where} asks for ${shown(token)}, which is not bound`, next: toWrite(injection, token) };
  const below = typeof token === 'function' && !path.has(token);
  const deeper = below ? flawBelow(container, token as HandlerClass, path) : undefined;
  return deeper ?? { is: `${where} fails (${firstLine(failure)})`, next: 'Mend the binding that this names.' };
}

function namesNothing({ where }: Injection): Flaw {
  return {
    is: `${where} names no service`,
    next:
      'Write @inject(TOKEN) before it. Its type says it only if that is a class of yours, imported as a value, and the ' +
      'compiler emits metadata for the class that asks (it must be decorated).',
  };
}

function isBuiltIn(token: ServiceIdentifier): boolean {
  return typeof token === 'function' && token === Reflect.get(globalThis, token.name);
}

function toWrite({ name, tags }: Injection, token: ServiceIdentifier): string {
  const [tag] = tags;
  const to = typeof token === 'function' ? '.toSelf()' : '.to(…)';
  const named = name === undefined ? '' : `.whenNamed(${shown(name)})`;
  const tagged = tag === undefined ? '' : `.whenTagged(${shown(tag.key)}, ${shown(tag.value)})`;
  return `Write container.bind(${shown(token)})${to}${named}${tagged} before the Carillon is made.`;
}

function shown(value: unknown): string {
  if (typeof value === 'function') return value.name;
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function firstLine(error: Error): string {
  return (error.message.split('\n')[0] as string).replace(/\.$/, '');
}

type Wanted = { readonly serviceIdentifier: ServiceIdentifier; readonly optional?: true };

function planFailure(container: Container, wanted: Wanted): Error | undefined {
  const gate = Symbol('gate');
  const check = Symbol('Carillon');
  let planned = false;
  container.bind<never>(gate).toDynamicValue(() => {
    planned = true;
    throw new Error('The plan stands.');
  });
  // Dependencies are made from left to right (C1).
  container.bind(check).toResolvedValue((_gate: never, _wanted: unknown) => undefined, [gate, wanted]);
  try {
    container.get(check);
  } catch (error) {
    if (!planned) return error as Error;
  } finally {
    container.unbind(check);
    container.unbind(gate);
  }
  return undefined;
}
