// Seed thread: a worker thread that runs seeds, one order after the other.

import { parentPort } from 'node:worker_threads';
import { inWords, liveBuiltIn, type Outcome, outcomeOf, Story, textOf, type Trial } from '@carillon/testing/simulation';

/** A run that is asked for. */
export interface Order {
  readonly trial: Trial;
  /** Run it twice, to see that it replays. */
  readonly twice?: boolean;
  /** Tell everything that happens. */
  readonly trace?: boolean;
  /** What the run is known to break, if its story is wanted: what the violation is about. */
  readonly about?: string;
}

/** What a thread says: any number of lines, then how the run ended. */
export type News =
  | { readonly is: 'line'; readonly text: string }
  | { readonly is: 'ran'; readonly outcome: Outcome; readonly story: readonly string[] };

async function carryOut({ trial, twice = false, trace = false, about }: Order): Promise<News> {
  const story = about === undefined ? undefined : new Story(about);
  const observers = [...(trace ? [traced] : []), ...(story === undefined ? [] : [story.watch])];
  const outcome = await outcomeOf(trial, liveBuiltIn, { observers, twice });
  return { is: 'ran', outcome, story: (outcome.failure && story?.told(outcome.failure)) ?? [] };
}

function traced(observation: Parameters<typeof inWords>[0]): void {
  const line = inWords(observation);
  if (line !== undefined) tell({ is: 'line', text: textOf(line) });
}

function tell(news: News): void {
  parentPort?.postMessage(news); // oxlint-disable-line unicorn/require-post-message-target-origin -- no window
}

parentPort?.on('message', (order: Order) => void carryOut(order).then(tell)); // what it throws ends the thread
