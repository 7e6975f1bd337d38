import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parsePurchases, readPurchases } from './purchases.js';

const HEADER = 'date,customer,quantity,amount';

it('reads rows with their number and the days since the first', () => {
  expect(parsePurchases(`${HEADER}\n1997-01-31,00004,2,29.33\n1997-02-01,00021,1,14.96\n`)).toEqual([
    { row: 1, day: 0, date: '1997-01-31', customer: '00004' },
    { row: 2, day: 1, date: '1997-02-01', customer: '00021' },
  ]);
});

it('takes columns in any order, Windows line ends and a byte order mark', () => {
  expect(parsePurchases('\uFEFFcustomer,amount,quantity,date\r\n00004,29.33,2,1997-01-31\r\n')).toEqual([
    { row: 1, day: 0, date: '1997-01-31', customer: '00004' },
  ]);
});

it('spreads the purchases of a date over it, in their order', () => {
  const days = ['01', '01', '01', '01', '03', '03'].map((day) => `1997-01-${day},00004,2,29.33`);
  expect(parsePurchases([HEADER, ...days].join('\n')).map(({ day }) => day)).toEqual([0, 0.25, 0.5, 0.75, 2, 2.5]);
});

it('reads the whole history of the shop', async () => {
  const purchases = await readPurchases(fileURLToPath(new URL('../data/purchases.csv', import.meta.url)));
  expect(purchases).toHaveLength(6_919);
  expect(purchases.at(-1)).toMatchObject({ row: 6_919, date: '1998-06-30', customer: '08022' });
  expect(Math.floor(purchases.at(-1)?.day ?? 0)).toBe(545);
  expect(new Set(purchases.map(({ customer }) => customer)).size).toBe(2_357);
});

it('says which file can not be read', async () => {
  await expect(readPurchases('nowhere.csv')).rejects.toThrow('nowhere.csv: ENOENT');
});

it.each([
  ['', 'Line 1: missing column date, customer, quantity, amount.'],
  ['date,customer,amount\n1997-01-01,1,2', 'Line 1: missing column quantity.'],
  [HEADER, 'no purchases'],
  [`${HEADER}\n1997-01-01,00004,2`, 'Line 2: 3 cells where 4 columns are named.'],
  [`${HEADER}\n1997-01-01,00004,2,29.33\n\n1997-01-01,00004,2,29.33`, 'Line 3: 1 cells'],
  [`${HEADER}\n01/02/1997,00004,2,29.33`, 'Line 2: "01/02/1997" is not a date such as 1997-01-31.'],
  [`${HEADER}\n1997-02-30,00004,2,29.33`, 'Line 2: "1997-02-30" is not a date'],
  [`${HEADER}\n1997-02-02,1,2,3\n1997-02-01,1,2,3`, 'Line 3: 1997-02-01 comes after a later date'],
  [`${HEADER}\n1997-02-02,,2,3`, 'Line 2: "" is not a customer\'s number.'],
  [`${HEADER}\n1997-02-02,1,two,3`, 'Line 2: quantity "two" is not a number.'],
  [`${HEADER}\n1997-02-02,1,2,`, 'Line 2: amount "" is not a number.'],
])('refuses %j and says where it is wrong (P1)', (csv, message) => {
  expect(() => parsePurchases(csv)).toThrow(message);
});
