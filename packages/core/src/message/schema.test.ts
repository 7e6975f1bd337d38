import { describe, expect, test } from 'vitest';
import { type SchemaIssue, type SchemaResult, type StandardSchema, validate } from './schema.js';

const schemaOf = <Out>(
  answer: (value: unknown) => SchemaResult<Out> | Promise<SchemaResult<Out>>,
): StandardSchema<unknown, Out> => ({
  '~standard': { version: 1, vendor: 'test', validate: answer },
});
const refusing = (...issues: SchemaIssue[]): StandardSchema => schemaOf(() => ({ issues }));

describe('validate', () => {
  test('gives out what the schema makes of the value, at once', () => {
    const trimmed = schemaOf((value) => ({ value: String(value).trim() }));
    expect(validate(trimmed, ' o-1 ', 'payload')).toBe('o-1');
  });

  test('waits for an asynchronous schema', async () => {
    const slow = schemaOf(async (value) => ({ value: [value] }));
    const answer = validate(slow, 1, 'payload');
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toEqual([1]);
    const refused = schemaOf(async () => ({ issues: [{ message: 'no', path: ['a'] }] }));
    await expect(validate(refused, 1, 'payload')).rejects.toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD', message: expect.stringContaining('payload.a: no') }),
    );
  });

  test('throws the paths and messages of what is wrong', () => {
    const schema = refusing(
      { message: 'expected a number', path: ['items', 0, { key: 'unit price' }] },
      { message: 'too old', path: [] },
      { message: 'not an order' },
    );
    expect(() => validate(schema, {}, 'payload')).toThrow(
      expect.objectContaining({
        code: 'E_PAYLOAD',
        message: expect.stringContaining(
          "payload does not match its schema (payload.items[0]['unit price']: expected a number; payload: too old; payload: not an order).",
        ),
      }),
    );
  });

  test('shows five issues and counts the rest; no issues in the list is a refusal all the same', () => {
    const issues = Array.from({ length: 1_000 }, (_, index) => ({ message: `m${index}` }));
    expect(() => validate(refusing(...issues), {}, 'payload')).toThrow(/m4; 995 more\)/);
    expect(() => validate(refusing(), {}, 'payload')).toThrow(expect.objectContaining({ code: 'E_PAYLOAD' }));
  });

  test('lets through what the schema itself throws', () => {
    const broken = schemaOf(() => {
      throw new TypeError('broken schema');
    });
    expect(() => validate(broken, {}, 'payload')).toThrow(TypeError);
  });
});
