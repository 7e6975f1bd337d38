// Digest: hashes of texts, the same on every host and in every release.

// oxlint-disable-next-line no-restricted-imports -- a hash draws nothing
import { createHash } from 'node:crypto';

/** 132 bits of SHA-256 as 22 letters and digits. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** A number in [0, 1) that looks random, but always is the same for the same text. */
export function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}
