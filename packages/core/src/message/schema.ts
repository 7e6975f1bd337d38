// Schema: checks a payload by any validator that speaks Standard Schema v1 (zod, valibot, arktype, …).

import { CarillonError } from '../errors.js';
import { pathOf } from './payload.js';

/** The interface of Standard Schema v1 (https://standardschema.dev), copied as its authors invite to. */
export interface StandardSchema<In = unknown, Out = In> {
  readonly '~standard': {
    readonly version: 1;
    /** The library's name. */
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Out> | Promise<SchemaResult<Out>>;
    /** Carries the types; there is nothing to read in it. */
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}

/** What a schema answers: the value as it should be used, or what is wrong with it. */
export type SchemaResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

const MOST_ISSUES = 5;

/**
 * The value as the schema gives it out, at once or, where the schema is asynchronous, as a promise. Throws (or rejects
 * with) `E_PAYLOAD` with the issues' paths and messages; `what` names the value. What the schema throws, it throws.
 */
export function validate<Out>(schema: StandardSchema<unknown, Out>, value: unknown, what: string): Out | Promise<Out> {
  const result = schema['~standard'].validate(value);
  return 'then' in result ? result.then((settled) => valueOf(settled, what)) : valueOf(result, what);
}

function valueOf<Out>(result: SchemaResult<Out>, what: string): Out {
  if (result.issues === undefined) return result.value;
  const lines = result.issues.slice(0, MOST_ISSUES).map((issue) => {
    const keys = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
    return `${pathOf(what, keys)}: ${issue.message}`;
  });
  const more = result.issues.length - lines.length;
  if (more > 0) lines.push(`${more} more`);
  throw new CarillonError('E_PAYLOAD', `${what} does not match its schema (${lines.join('; ')}).`, {
    next: "Pass what the task's schema asks for.",
  });
}
