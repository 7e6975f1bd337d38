// Mark: what is left of a settled record of which only that need be kept: one whole number.
//
// K1  A mark is digest (24 bits), nonce (18), version (8, at most 255) and state (3), so it tells a repeat of the change that
//     made it, and another payload. Redis keeps a number in the space of a pointer; plain, it is the value under the record's
//     own key and ends with it.
// K2  Packed, many marks share a hash, which ends as a whole with its period: a mark lives up to one period longer than asked.
//     How many hashes a period has is fixed in each bucket by its first packed mark, and every engine looks it up there, so no
//     two can differ about where a mark is.

/** The states that a mark can tell, by number. */
export const MARKED_STATES: readonly string[] = ['done', 'skipped', 'cancelled'];
/** What stands below digest and nonce in a mark, and below the version. */
export const MARK_UNITS = { identity: 2048, version: 8 } as const;
/** How long one hash of packed marks is filled, and the longest retention that is packed, in milliseconds. */
const PACKING = { periodMs: 2 * 86_400_000, longestMs: 4 * 86_400_000 } as const;

const FIELD_BYTES = 12;
/** What the first byte of a mark is at least; no format has so high a number. */
export const FIRST_DIGIT = 48;

/** Reads marks; stands in the head of every script. */
export const MARK = `
local function readMark(value, home)
  local n = tonumber(value)
  return { value = value, home = home, mark = math.floor(n / ${MARK_UNITS.identity}),
    version = math.floor(n / ${MARK_UNITS.version}) % 256, generation = 0, fence = 0, wakeAt = never, expiresAt = never,
    since = 0, ends = 0, holder = '', claim = '', past = '', outbox = '' }
end

local function homeOf(base, id, spread, period)
  local a, b = string.byte(id, ${FIELD_BYTES + 1}, ${FIELD_BYTES + 2})
  return base .. ':m' .. period .. '/' .. (a * 256 + b) % spread
end

local function findPacked(base, id)
  local spread = redis.call('GET', base .. ':y')
  if not spread then return nil end
  for period = math.floor(now / ${PACKING.periodMs}), math.floor((now + ${PACKING.longestMs}) / ${PACKING.periodMs}) do
    local home = homeOf(base, id, spread, period)
    local value = redis.call('HGET', home, string.sub(id, 1, ${FIELD_BYTES}))
    if value then return readMark(value, home) end
  end
end
`;

/** Writes marks. */
export const BRAND = `
local function brand(key, before, after)
  local base, id, value, spread = string.sub(key, 1, -17), string.sub(key, -16), after.value, after.spread
  local leftMs = math.max(1, math.ceil(after.expiresAt - now))
  if spread == 0 or leftMs > ${PACKING.longestMs} then
    redis.call('SET', key, value, 'PX', leftMs)
  else
    local fixed = redis.call('GET', base .. ':y')
    if not fixed then redis.call('SET', base .. ':y', spread) end
    local period = math.floor(after.expiresAt / ${PACKING.periodMs})
    local home = homeOf(base, id, fixed or spread, period)
    redis.call('HSET', home, string.sub(id, 1, ${FIELD_BYTES}), value)
    if redis.call('HLEN', home) == 1 then
      redis.call('PEXPIRE', home, math.ceil((period + 1) * ${PACKING.periodMs} - now))
    end
    redis.call('DEL', key)
  end
  file(key, before, nil)
end

local function unpackMark(key, before)
  if before and before.home then redis.call('HDEL', before.home, string.sub(key, -16, -${16 - FIELD_BYTES + 1})) end
end
`;
