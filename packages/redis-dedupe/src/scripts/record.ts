// Record: what every script knows of records: how they are packed, where they are filed, and what time it is.
//
// P1  A packed record is `head`, `tail` and then the body. Its first byte is the format; a value that begins with 0 is a
//     removed record's stone, which says which change removed it (L4 of ports/ledger.ts), and is no record. Scripts change
//     numbers of the head and all of the tail; they take the tail apart only where they look into it.
// P2  A time that is not set is infinite: `wakeAt` of a settled record, `expiresAt` of one that is kept.
// P3  A record stands in at most three indexes of its bucket: `:d` by attention time, `:l` of its kind by state and name,
//     `:x` by expiry. They change in the script that changes it.
// P4  A value is written before anything else of its change: out of memory, Redis refuses the first write of a script, and
//     then nothing of the change has happened (L1 of ports/ledger.ts).
// P5  A value that can't be read, because a newer version or somebody else wrote it, stays as it is and is said to be so.
// P6  What is written in a bucket pays for what has expired there: now and then it removes a few records and their entries.

import { FIRST_DIGIT, MARK } from './mark.js';

/** Where the end of a lease stands, which a renewal overwrites in place, and the words of a record. */
const UNTIL_AT = 54;
const WORDS_AT = 62;

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
local head, tail = '<BBI4dddddddHc0Hc0Hc0Hc0Hc0Hc0', '<Hc0Hc0I4c0I4c0'
local never = math.huge

${MARK}
local function decode(value)
  local format, flags, version, generation, fence, dueAt, wakeAt, expiresAt, since, ends, kind, name, queue, task, state,
    nonce, at = struct.unpack(head, value)
  if format ~= ${FORMAT} then error('another format') end
  return { value = value, version = version, generation = generation, fence = fence, dueAt = dueAt, wakeAt = wakeAt,
    expiresAt = expiresAt, since = since, ends = ends, kind = kind, name = name, queue = queue, state = state,
    nonce = nonce, at = at }
end

local function open(r)
  if r.claim then return end
  local holder, claim, past, outbox, at = struct.unpack(tail, r.value, r.at)
  r.holder, r.claim, r.past, r.outbox, r.body = holder, claim, past, outbox, string.sub(r.value, at)
end

local function encode(r)
  local value = r.value
  local rest = r.claim and struct.pack(tail, #r.holder, r.holder, #r.claim, r.claim, #r.past, r.past, #r.outbox, r.outbox)
    .. r.body or string.sub(value, r.at)
  r.value = string.sub(value, 1, 2)
    .. struct.pack('<I4ddddddd', r.version, r.generation, r.fence, r.dueAt, r.wakeAt, r.expiresAt, r.since, r.ends)
    .. string.sub(value, ${WORDS_AT + 1}, r.at - 1) .. rest
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
  if not (before and after and before.state == after.state) then
    if after then redis.call('ZADD', base .. ':l' .. after.kind, 0, after.state .. '\\255' .. after.name) end
    if before then redis.call('ZREM', base .. ':l' .. before.kind, before.state .. '\\255' .. before.name) end
  end
  was, is = expiry(before), expiry(after)
  if is and is ~= was then redis.call('ZADD', base .. ':x', is, id) end
  if was and not is then redis.call('ZREM', base .. ':x', id) end
end

local function load(key)
  local value = redis.call('GET', key)
  if not value then return findPacked(string.sub(key, 1, -17), string.sub(key, -16)) end
  local first = string.byte(value) or 255
  if first == ${STONE} then return nil, string.sub(value, 2) end
  local readable, r = pcall(first >= ${FIRST_DIGIT} and readMark or decode, value)
  if not readable then return { value = value, unreadable = true } end
  if r.wakeAt ~= never or r.expiresAt > now then return r end
  redis.call('DEL', key)
  file(key, r, nil)
end

local function write(key, before, after)
  redis.call('SET', key, after.value)
  file(key, before, after)
end
`;

/** Removes a few records of a bucket whose retention has ended (P6). */
export const EXPIRE = `
local function expire(base, most)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. ':x', '-inf', now, 'LIMIT', 0, most)) do
    local r = load(base .. id)
    if not (r and r.unreadable) then redis.call('ZREM', base .. ':x', id) end
  end
end
`;

/** Overwrites the end of a lease in a packed record. */
export const PROLONG = `redis.call('SETRANGE', key, ${UNTIL_AT}, struct.pack('<d', r.ends))`;
