// Record: what every script knows of records: how they are packed, where they are filed, and what time it is.
//
// P1  A packed record is `layout` and then the body. Its first byte is the format; a value that begins with 0 is a
//     removed record's stone, which says which change removed it (L4 of ports/ledger.ts), and is no record.
// P2  A time that is not set is infinite: `wakeAt` of a settled record, `expiresAt` of one that is kept.
// P3  A record stands in at most three indexes of its bucket: `:d` by attention time, `:l` by kind and state, `:x` by
//     expiry. They change in the script that changes it.
// P4  A value is written before anything else of its change: out of memory, Redis refuses the first write of a script, and
//     then nothing of the change has happened (L1 of ports/ledger.ts).
// P5  What is written in a bucket pays for what has expired there: now and then it removes a few records and their entries.

import { MARK } from './mark.js';

/** Where the two times stand that a renewal overwrites in place. */
const UNTIL_AT = 54;

/** The first byte of a packed record. */
export const FORMAT = 1;
/** The first byte of a stone. */
export const STONE = 0;

/** How a script learns the time, in µs. */
export const SERVER_TIME = `local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]`;

/** The head of every script. */
export const RECORD = `
${SERVER_TIME}
local now = math.floor(us / 1000)
local layout = '<BBI4dddddddHc0Hc0Hc0Hc0Hc0Hc0Hc0Hc0I4c0I4c0'
local never = math.huge

${MARK}
local function decode(value)
  local format, flags, version, generation, fence, dueAt, wakeAt, expiresAt, since, ends, kind, name, queue, task, state,
    nonce, holder, claim, past, outbox, at = struct.unpack(layout, value)
  if format ~= ${FORMAT} then error({ err = 'CARILLON_FORMAT ' .. format }) end
  return { value = value, flags = flags, version = version, generation = generation, fence = fence, dueAt = dueAt,
    wakeAt = wakeAt, expiresAt = expiresAt, since = since, ends = ends, kind = kind, name = name, queue = queue,
    task = task, state = state, nonce = nonce, holder = holder, claim = claim, past = past, outbox = outbox,
    body = string.sub(value, at) }
end

local function encode(r)
  r.value = struct.pack(layout, ${FORMAT}, r.flags, r.version, r.generation, r.fence, r.dueAt, r.wakeAt, r.expiresAt,
    r.since, r.ends, #r.kind, r.kind, #r.name, r.name, #r.queue, r.queue, #r.task, r.task, #r.state, r.state,
    #r.nonce, r.nonce, #r.holder, r.holder, #r.claim, r.claim, #r.past, r.past, #r.outbox, r.outbox) .. r.body
  return r.value
end

local function attention(r)
  if r and r.wakeAt ~= never then return math.max(r.wakeAt, r.ends) end
end

local function expiry(r)
  if r and r.wakeAt == never and r.expiresAt ~= never then return r.expiresAt end
end

local function file(key, before, after)
  if before and before.mark then before = nil end
  local base, id = string.sub(key, 1, -17), string.sub(key, -16)
  local was, is = attention(before), attention(after)
  local moved = was and is and before.queue ~= after.queue
  if is and (is ~= was or moved) then redis.call('ZADD', base .. ':d' .. after.queue, is, id) end
  if was and (not is or moved) then redis.call('ZREM', base .. ':d' .. before.queue, id) end
  if after and not (before and before.state == after.state) then
    redis.call('SADD', base .. ':s' .. after.kind, after.state)
    redis.call('ZADD', base .. ':l' .. after.kind .. '\\0' .. after.state, 0, after.name)
  end
  if before and not (after and before.state == after.state) then
    redis.call('ZREM', base .. ':l' .. before.kind .. '\\0' .. before.state, before.name)
  end
  was, is = expiry(before), expiry(after)
  if is and is ~= was then redis.call('ZADD', base .. ':x', is, id) end
  if was and not is then redis.call('ZREM', base .. ':x', id) end
end

local function load(key)
  local value = redis.call('GET', key)
  if not value then return findPacked(string.sub(key, 1, -17), string.sub(key, -16)) end
  if isMark(value) then return readMark(value) end
  if string.byte(value) == ${STONE} then return nil, string.sub(value, 2) end
  local r = decode(value)
  if r.wakeAt ~= never or r.expiresAt > now then return r end
  redis.call('DEL', key)
  file(key, r, nil)
end

local function write(key, before, after)
  local isNew = not before and after.version == 1 -- and so as it came
  redis.call('SET', key, isNew and after.value or encode(after))
  file(key, before, after)
end
`;

/** Removes a few records of a bucket whose retention has ended (P5). */
export const EXPIRE = `
local function expire(base, most)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. ':x', '-inf', now, 'LIMIT', 0, most)) do
    load(base .. id)
    redis.call('ZREM', base .. ':x', id)
  end
end
`;

/** Overwrites the end of a lease in a packed record. */
export const PROLONG = `redis.call('SETRANGE', key, ${UNTIL_AT}, struct.pack('<d', r.ends))`;
