// Scheduled task: the decorator that makes a class or a method a task.

import 'reflect-metadata'; // before any decorated class: compilers' metadata are lost if it comes later
import { CarillonError } from '@carillon/core';
import type { Attempt, PayloadOf, Ruling } from '@carillon/core';
import type { Declaration, ImplementedTaskOptions, ScheduledTaskOptions } from './declaration.js';
import { type ClassOf, declareClass, declareMethod, type HandlerClass, markMethod } from './declared-tasks.js';

/** A method that handles a payload of type `S` and ends with an `R` or a ruling. */
export type HandlerMethod<S, R> = (payload: S, attempt: Attempt) => R | Ruling | Promise<R | Ruling>;

/** A class whose `handle` is such a method. */
type HandlingClass<S, R> = abstract new (...args: never[]) => { handle: HandlerMethod<S, R> };

/** Nothing to add if the handler's payload is one that the options can read; else an error to the compiler. */
type Agreed<P, U> = [P] extends [U] ? unknown : { readonly 'the options are for another payload': never };

/**
 * What `ScheduledTask` returns: a decorator of classes and methods, legacy (`experimentalDecorators`) and standard. It
 * compiles only where the handler takes what `schema` or the token gives (`S`), gives what `unless` or the token takes
 * (`U`), and returns the token's result (`R`).
 */
export interface TaskDecorator<S, U, R> {
  <C extends HandlingClass<S, R>>(type: C & Agreed<PayloadOf<C>, U>, context?: ClassDecoratorContext<C>): void;
  <M extends HandlerMethod<S, R>>(
    method: M & Agreed<PayloadOf<ClassOf<M>>, U>,
    context: ClassMethodDecoratorContext<never, M>,
  ): void;
  <M extends HandlerMethod<S, R>>(
    prototype: object & { readonly prototype?: never },
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<M> & Agreed<PayloadOf<ClassOf<M>>, U>,
  ): void;
}

/**
 * Makes a class with `handle(payload, attempt)`, or a method `(payload, attempt)` of a class, a task. The class is then
 * scheduled by itself, a method by `methodTask`; the payload's type is the handler's. A subclass is not a task unless it
 * is decorated too. Throws `E_OPTIONS` where it can't stand: on static or private members, fields, classes without a
 * name. Bad options are refused when the Carillon is made.
 *
 * Its default name follows the class's name, so renaming or minifying the class loses the jobs of the old name: give a
 * `name` in whatever is bundled.
 *
 * With `task`, a token of `defineTask`, the class implements that token, whose payload and result it must match.
 */
export function ScheduledTask<P, R>(options: ImplementedTaskOptions<P, R>): TaskDecorator<P, P, R>;
export function ScheduledTask<U = unknown, S = never>(
  options?: ScheduledTaskOptions<U, S>,
): TaskDecorator<S, U, unknown>;
export function ScheduledTask(options: object = {}): TaskDecorator<never, unknown, unknown> {
  return decorate(options, '@ScheduledTask()');
}

/** A decorator that declares a task on a class or on a method; `by` is how errors call it. */
export function decorate(declaration: Declaration, by: string): TaskDecorator<never, unknown, unknown> {
  const misplaced = (where: string): CarillonError =>
    new CarillonError('E_OPTIONS', `${by} can't stand on ${where}.`, {
      next: 'Put it on a class with a method `handle`, or on a public method of an instance.',
    });
  const standard = (target: object, context: DecoratorContext): void => {
    if (context.kind === 'class') return declareClass(target as HandlerClass, declaration);
    const member = `${context.kind} ${String(context.name)}`;
    if (context.kind !== 'method') throw misplaced(`the ${member}`);
    if (context.static || context.private) throw misplaced(`the ${context.static ? 'static' : 'private'} ${member}`);
    markMethod(target, declaration);
  };
  return (target: object, at?: string | symbol | DecoratorContext, descriptor?: PropertyDescriptor): void => {
    if (typeof at === 'object') return standard(target, at);
    if (at === undefined) return declareClass(target as HandlerClass, declaration);
    if (typeof target === 'function') throw misplaced(`the static method ${String(at)}`);
    if (typeof descriptor?.value !== 'function') throw misplaced(`the field or accessor ${String(at)}`);
    declareMethod(target, at, declaration);
  };
}
