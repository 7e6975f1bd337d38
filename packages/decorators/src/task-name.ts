// Task name: what a decorated class or method is called when it does not say.

import { CarillonError } from '@carillon/core';

const UNNAMED = /^(_?default(_\d+)?)?$/; // what compilers call the class of `export default class {}`

/** `CloseUnpaidOrder` → `close-unpaid-order`; throws `E_OPTIONS` for a class without a name. */
export function classTaskName(type: { readonly name: unknown }): string {
  const { name } = type;
  if (typeof name === 'string' && !UNNAMED.test(name)) return kebab(name);
  throw new CarillonError('E_OPTIONS', "A class without a name can't name its task.", {
    next: "Name the class, or write @ScheduledTask({ name: 'close-unpaid-order' }).",
  });
}

/** `Reports`, `sendDaily` → `reports.send-daily`; throws `E_OPTIONS` if either has no name. */
export function methodTaskName(type: { readonly name: unknown }, method: string | symbol): string {
  if (typeof method === 'string') return `${classTaskName(type)}.${kebab(method)}`;
  throw new CarillonError('E_OPTIONS', `The method ${String(method)} can't name its task.`, {
    next: "Write @ScheduledTask({ name: 'reports.daily' }).",
  });
}

function kebab(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
