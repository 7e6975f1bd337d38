// The oracle: slots found by looking at the clock on the wall, minute after minute. It shares no code with the rules,
// knows no offsets, and does no arithmetic on dates but Intl's and Date's.

export const MINUTE_MS = 60_000;

/** What the wall clock of a zone shows in each minute of a span. */
export interface WallClock {
  readonly fromMs: number;
  /** Minutes since 1970 as the wall clock has them, one for each minute that passes. */
  readonly shown: Float64Array;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Looks at the clock of a zone in every minute from one instant to another. */
export function wallClock(timezone: string, fromMs: number, toMs: number): WallClock {
  let clock = clocks.get(timezone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
    clocks.set(timezone, clock);
  }
  const shown = new Float64Array((toMs - fromMs) / MINUTE_MS);
  for (let minute = 0; minute < shown.length; minute += 1) {
    shown[minute] = Date.parse(`${clock.format(fromMs + minute * MINUTE_MS).replace(' ', 'T')}Z`) / MINUTE_MS;
  }
  return { fromMs, shown };
}

/** The slots of a five-field cron in the span, but for its first day, which is there to know what went before. */
export function slotsByLooking(cron: string, { fromMs, shown }: WallClock, dst: 'once' | 'literal'): number[] {
  const matches = matcher(cron);
  const hourly = cron.split(' ')[1] === '*';
  const slots: number[] = [];
  let reached = shown[0]! - 1; // the furthest that the clock has shown
  for (let minute = 0; minute < shown.length; minute += 1) {
    const wall = shown[minute]!;
    let slot = matches(wall);
    if (dst === 'once') {
      if (!hourly) slot = wall > reached && slot;
      for (let skipped = reached + 1; skipped < wall && !slot; skipped += 1) {
        if (!hourly || Math.floor(skipped / 60) === Math.floor(wall / 60)) slot = matches(skipped);
      }
    }
    if (slot && minute >= 1440) slots.push(fromMs + minute * MINUTE_MS);
    reached = Math.max(reached, wall);
  }
  return slots;
}

/** Tells for a wall minute whether the cron names it, day by day from scratch. */
function matcher(cron: string): (wallMinute: number) => boolean {
  const [minutes, hours, dates, months, weekdays] = cron.split(' ') as [string, string, string, string, string];
  const inMinutes = lookUp(minutes, 0, 59);
  const inHours = lookUp(hours, 0, 23);
  let knownDay = NaN;
  let known = false;
  return (wallMinute) => {
    const day = Math.floor(wallMinute / 1440);
    if (day !== knownDay) [knownDay, known] = [day, dayMatches(new Date(day * 86_400_000), dates, months, weekdays)];
    return known && inMinutes.has(wallMinute % 60) && inHours.has(Math.floor(wallMinute / 60) % 24);
  };
}

const lookUp = (field: string, first: number, last: number): ReadonlySet<number> =>
  new Set(
    Array.from({ length: last - first + 1 }, (_, at) => first + at).filter((value) =>
      inField(field, value, first, last),
    ),
  );

function dayMatches(day: Date, dates: string, months: string, weekdays: string): boolean {
  if (!inField(months, day.getUTCMonth() + 1, 1, 12)) return false;
  const byDate = dates.split(',').some((item) => dateMatches(item, day));
  const byWeekday = weekdays.split(',').some((item) => weekdayMatches(item, day));
  if (dates === '*' || dates === '?') return byWeekday;
  return weekdays === '*' || weekdays === '?' ? byDate : byDate || byWeekday;
}

function dateMatches(item: string, day: Date): boolean {
  const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
  const date = day.getUTCDate();
  if (item === 'L') return date === last;
  if (item.startsWith('L-')) return date === last - Number(item.slice(2));
  if (!item.endsWith('W')) return inField(item, date, 1, 31);
  const wanted = item === 'LW' ? last : Number(item.slice(0, -1));
  if (wanted > last) return false;
  const distance = (other: number): number => (item === 'LW' && other > wanted ? Infinity : Math.abs(other - wanted));
  const workdays = Array.from({ length: last }, (_, at) => at + 1).filter((other) => {
    const weekday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), other)).getUTCDay();
    return weekday !== 0 && weekday !== 6;
  });
  return workdays.toSorted((a, b) => distance(a) - distance(b))[0] === date;
}

function weekdayMatches(item: string, day: Date): boolean {
  const [weekday = '', nth] = item.endsWith('L') ? [item.slice(0, -1), 'L'] : item.split('#');
  const isDay = inField(weekday, day.getUTCDay(), 0, 7) || (day.getUTCDay() === 0 && inField(weekday, 7, 0, 7));
  if (nth === undefined || !isDay) return isDay;
  if (nth !== 'L') return Math.floor((day.getUTCDate() - 1) / 7) === Number(nth) - 1;
  return new Date(day.getTime() + 7 * 86_400_000).getUTCMonth() !== day.getUTCMonth();
}

function inField(field: string, value: number, first: number, last: number): boolean {
  return field.split(',').some((item) => {
    const [range = '', step] = item.split('/');
    const [from, to] = range === '*' || range === '?' ? [first, last] : range.split('-').map(Number);
    const end = to ?? (step === undefined ? from! : last);
    return value >= from! && value <= end && (value - from!) % Number(step ?? 1) === 0;
  });
}
