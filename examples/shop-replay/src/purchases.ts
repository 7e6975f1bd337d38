// Purchases: reads a shop's history from CSV.
//
// P1  A file that is not what it should be is refused as a whole, with the line that is wrong.

import { readFile } from 'node:fs/promises';

/** One row of the history. */
export interface Purchase {
  /** The row's number, from 1: what a purchase is known by, since a row may repeat an earlier one word for word. */
  readonly row: number;
  /** Days since the morning of the first date; the purchases of a date are spread evenly over it, in their order. */
  readonly day: number;
  /** The date as it stands in the file, `YYYY-MM-DD`. */
  readonly date: string;
  readonly customer: string;
}

const COLUMNS = ['date', 'customer', 'quantity', 'amount'] as const;
const DAY_MS = 86_400_000;

/** Says what is wrong with a file of purchases, and where. */
export class PurchasesError extends Error {
  override readonly name = 'PurchasesError';
}

/** Reads a file of purchases; throws `PurchasesError` if it can't be read or is not what it should be. */
export async function readPurchases(path: string): Promise<readonly Purchase[]> {
  try {
    return parsePurchases(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new PurchasesError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Reads `date,customer,quantity,amount` rows, sorted by date; throws `PurchasesError` for anything else (P1). */
export function parsePurchases(csv: string): readonly Purchase[] {
  const [header = '', ...lines] = csv.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = header.split(',').map((name) => name.trim());
  const missing = COLUMNS.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw new PurchasesError(
      `Line 1: missing column ${missing.join(', ')}. The first line must name the columns ${COLUMNS.join(',')}.`,
    );
  }
  while (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new PurchasesError('The file has no purchases.');

  let first: number | undefined;
  let latest = -Infinity;
  const rows = lines.map((line, index) => {
    const wrong = (what: string): PurchasesError => new PurchasesError(`Line ${String(index + 2)}: ${what}.`);
    const cells = line.split(',').map((cell) => cell.trim());
    if (cells.length !== columns.length) {
      throw wrong(`${String(cells.length)} cells where ${String(columns.length)} columns are named`);
    }
    const cell = (name: (typeof COLUMNS)[number]): string => cells[columns.indexOf(name)] as string;

    const date = cell('date');
    const at = instantOf(date);
    if (at === undefined) throw wrong(`${JSON.stringify(date)} is not a date such as 1997-01-31`);
    if (at < latest) throw wrong(`${date} comes after a later date; sort the file by date`);
    const customer = cell('customer');
    if (!/^\w{1,40}$/.test(customer)) throw wrong(`${JSON.stringify(customer)} is not a customer's number`);
    for (const name of ['quantity', 'amount'] as const) {
      if (!/^\d+(\.\d+)?$/.test(cell(name))) throw wrong(`${name} ${JSON.stringify(cell(name))} is not a number`);
    }
    first ??= at;
    latest = at;
    return { row: index + 1, day: (at - first) / DAY_MS, date, customer };
  });
  return spread(rows);
}

function spread(rows: readonly Purchase[]): readonly Purchase[] {
  const firstOf = new Map<number, number>();
  const countOf = new Map<number, number>();
  for (const { row, day } of rows) {
    firstOf.set(day, firstOf.get(day) ?? row);
    countOf.set(day, (countOf.get(day) ?? 0) + 1);
  }
  return rows.map((purchase) => {
    const { row, day } = purchase;
    return { ...purchase, day: day + (row - (firstOf.get(day) as number)) / (countOf.get(day) as number) };
  });
}

function instantOf(date: string): number | undefined {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN;
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== date ? undefined : at;
}
