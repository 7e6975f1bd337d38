// Mutation hooks: module hooks (`module.register`) that put one mutant's bug into the core package while it is loaded. They
// run on a thread of their own.

import type { InitializeHook, LoadHook } from 'node:module';
import { type Mutant, planted } from './mutant.js';

/** What the hooks are told: the mutant, and the folder of the core's built files as a URL. */
export interface Mutation {
  readonly mutant: Mutant;
  readonly dist: string;
}

let mutation: Mutation | undefined;

/** Remembers what to change. */
export const initialize: InitializeHook<Mutation> = (data) => {
  mutation = data;
};

/** Changes the one file. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (mutation === undefined || url !== mutation.dist + mutation.mutant.file) return loaded;
  return { ...loaded, source: planted(mutation.mutant, Buffer.from(loaded.source as Uint8Array).toString()) };
};
