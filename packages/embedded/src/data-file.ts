// Data file: looks at LMDB's file with plain reads, before a memory map of a wrong one would kill the process.
//
// A1  Two meta pages begin the file; the one with the higher transaction number counts and says how many pages there are.
// A2  The file may lack final pages that were taken and freed in one transaction. So a file that is too short is damaged
//     only if its trees lead to a page that is not there.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** The name of LMDB's data file in its folder. */
export const DATA_FILE = 'data.mdb';

const SMALLEST = 2 * 4096;
const MAGIC = 0xbeefc0de;
const META_HEAD = 160; // up to its transaction number
const PAGE_HEAD = 24;
const NODE_HEAD = 8;
const BRANCH = 1;
const LEAF = 2;
const ELSEWHERE = 1; // a node whose data is on pages of its own
const TREE = 2; // a node whose data describes a table
const ROOT_IN_TREE = 40;
const NO_PAGE = 2n ** 64n - 1n;
const MOST_LOOKS = 5;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  /** Of the tree of free pages and of the tree of tables. */
  readonly roots: readonly bigint[];
}

/** What is wrong with the data file of a folder; `undefined` if nothing is, as far as its length goes. */
export function whatIsWrong(folder: string): 'empty' | 'truncated' | 'foreign' | undefined {
  const file = openSync(join(folder, DATA_FILE), 'r');
  try {
    for (let look = 0; look < MOST_LOOKS; look += 1) {
      const { size } = fstatSync(file);
      if (size < SMALLEST) return size === 0 ? 'empty' : 'truncated';
      const meta = latestMeta(file, size);
      if (typeof meta === 'string') return meta;
      const pages = Math.floor(fstatSync(file).size / meta.pageSize); // now: a file grows before a meta page says so
      if (meta.lastPage < pages || reachesOnly(file, pages, meta)) return undefined;
      const after = latestMeta(file, size);
      if (typeof after === 'string' || after.transaction === meta.transaction) return 'truncated';
    }
    return undefined; // a process writes to it all the time, so it can read what it needs
  } finally {
    closeSync(file);
  }
}

function latestMeta(file: number, size: number): Meta | 'truncated' | 'foreign' {
  const first = readMeta(file, 0);
  if (first === undefined) return 'foreign';
  if (size < 2 * first.pageSize) return 'truncated';
  const second = readMeta(file, first.pageSize);
  if (second === undefined) return 'foreign';
  return first.transaction > second.transaction ? first : second; // A1
}

function readMeta(file: number, at: number): Meta | undefined {
  const page = Buffer.alloc(META_HEAD);
  if (readSync(file, page, 0, META_HEAD, at) < META_HEAD || page.readUInt32LE(24) !== MAGIC) return undefined;
  const pageSize = page.readUInt32LE(48);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  return {
    pageSize,
    lastPage: Number(page.readBigUInt64LE(144)),
    transaction: page.readBigUInt64LE(152),
    roots: [page.readBigUInt64LE(88), page.readBigUInt64LE(136)],
  };
}

/** Whether every page that the trees lead to is there (A2). */
function reachesOnly(file: number, pages: number, meta: Meta): boolean {
  try {
    return walk(file, pages, meta);
  } catch (error) {
    if (error instanceof RangeError) return false; // a page that points out of itself
    throw error;
  }
}

function walk(file: number, pages: number, { pageSize, roots }: Meta): boolean {
  const page = Buffer.alloc(pageSize);
  const toVisit = roots.filter((root) => root !== NO_PAGE);
  for (let at = toVisit.pop(); at !== undefined; at = toVisit.pop()) {
    if (at >= BigInt(pages)) return false;
    readSync(file, page, 0, pageSize, Number(at) * pageSize);
    const isLeaf = (page.readUInt16LE(18) & LEAF) !== 0;
    if (page.readBigUInt64LE(0) !== at || (!isLeaf && (page.readUInt16LE(18) & BRANCH) === 0)) return false;
    const nodes = page.readUInt16LE(20) >> 1; // offsets count from behind the head
    for (let i = 0; i < nodes; i += 1) {
      const node = PAGE_HEAD + page.readUInt16LE(PAGE_HEAD + 2 * i);
      const flags = page.readUInt16LE(node + 4);
      if (!isLeaf) {
        toVisit.push(BigInt(page.readUInt32LE(node)) + (BigInt(flags) << 32n));
        continue;
      }
      const data = node + NODE_HEAD + page.readUInt16LE(node + 6);
      if ((flags & ELSEWHERE) !== 0) {
        if (page.readBigUInt64LE(data) + page.readBigUInt64LE(data + 16) > BigInt(pages)) return false;
      } else if ((flags & TREE) !== 0) {
        const root = page.readBigUInt64LE(data + ROOT_IN_TREE);
        if (root !== NO_PAGE) toVisit.push(root);
      }
    }
  }
  return true;
}
