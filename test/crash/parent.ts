// Parent: how a process of these tests hears from the test that started it, and tells it news.

import type { ScheduleAnswer } from '@carillon/core';
import type { CrashPoint } from './crash-point.js';

/** What a process tells. */
export type News =
  | { readonly is: 'ready' | 'at work' | 'stopping' | 'lost its lease' | CrashPoint }
  | { readonly is: 'answered'; readonly answer: ScheduleAnswer };

process.once('disconnect', () => process.exit(1)); // nobody outlives the test

/** What this process was started with. */
export function settingOfProcess(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Tells the test something; resolves when it is on its way. */
export function tell(news: News): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(news, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Resolves when the test asks this process to stop. */
export function stopAsked(): Promise<void> {
  return new Promise((resolve) => process.once('message', () => resolve()));
}
