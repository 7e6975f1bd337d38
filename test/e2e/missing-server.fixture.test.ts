import { describeWith } from '@carillon/services/testing';
import { test } from 'vitest';

describeWith(['own valkey'], 'needs a Valkey', () => {
  test('never runs', () => {
    throw new Error('There is a Valkey here.');
  });
});
