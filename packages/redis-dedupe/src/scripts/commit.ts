// Commit: performs changes, one after another, each wholly or not at all.
//
// For each change, in the one argument, its nonce, the number of its writes and its effect (commands, or nothing), then for
// each write a key, what it asks (what to do, what to expect, version, fence, whether to keep the lease, the mark to leave or
// 0 and until when, over how many hashes to spread packed marks or 0), and its data: for a put the record as if it were new,
// or nothing if a mark is left of it; for sent messages their ids.
// Answers for each change: O ok, L lost, or C, the number of the write that met a conflict, and the record that stands
// there, or F or P and why: its effect failed, wholly or in part, or a record can't be read (which a holder has lost).

import { BRAND, MARK_UNITS } from './mark.js';
import { EXPIRE, RECORD, STONE } from './record.js';

/** What a write does, as the script is told. */
export const DO = { put: 1, remove: 2, check: 3, sent: 4 } as const;
/** What a write expects, as the script is told. */
export const EXPECT = { any: 0, absent: 1, version: 2, holder: 3 } as const;

/** How long a removal is remembered, in milliseconds. */
const STONE_MS = 600_000;

/** The script of `Ledger.commit`. */
export const COMMIT = `${RECORD}${EXPIRE}${BRAND}
local function strike(r, data)
  if r.mark then return r end
  local sent, at = {}, 1
  while at <= #data do
    local id
    id, at = struct.unpack('<Hc0', data, at)
    sent[id] = true
  end
  open(r)
  local left, last = {}, nil
  at = 1
  while at <= #r.outbox do
    local from = at
    local id, queue, deliverAt, wakeAt, body
    id, queue, deliverAt, wakeAt, body, at = struct.unpack('<Hc0Hc0ddI4c0', r.outbox, at)
    if sent[id] then last = wakeAt else left[#left + 1] = string.sub(r.outbox, from, at - 1) end
  end
  if not last then return r end
  local after = {}
  for name, value in pairs(r) do after[name] = value end
  after.outbox = table.concat(left)
  if #left == 0 and r.wakeAt ~= never then after.wakeAt = last end
  encode(after)
  return after
end

local function put(before, w)
  if w.data == '' then
    local r = readMark(string.format('%.0f', w.mark + math.min(before and before.version + 1 or 1, 255) * ${MARK_UNITS.version}))
    r.spread, r.expiresAt, r.fence = w.spread, w.expiresAt, before and before.fence or 0
    return r
  end
  local after = decode(w.data)
  if not before then return after end
  after.version, after.fence = before.version + 1, before.fence
  if not before.mark and not (w.expect == ${EXPECT.holder} and w.keep == 0) then
    open(before)
    open(after)
    after.since, after.ends, after.holder, after.claim, after.past =
      before.since, before.ends, before.holder, before.claim, before.past
  end
  encode(after)
  return after
end

local function wrote(r, nonce, mark)
  if r.mark then return r.mark == math.floor(mark / ${MARK_UNITS.identity}) end
  return r.nonce == nonce
end

local function store(key, before, after)
  if after.mark then
    brand(key, before, after)
  else
    write(key, before, after)
    unpackMark(key, before)
  end
  local settled = after.wakeAt == never and after.expiresAt ~= never
  if settled and us % 8 == 0 then expire(string.sub(key, 1, -17), 32) end
end

local function perform(effect)
  local at, failed = 1, 'F'
  while at <= #effect do
    local words, count = {}, nil
    count, at = struct.unpack('<H', effect, at)
    for i = 1, count do words[i], at = struct.unpack('<I4c0', effect, at) end
    local reply = redis.pcall(unpack(words))
    if type(reply) == 'table' and reply.err then return failed .. reply.err end
    failed = 'P'
  end
end

local asks, place, used = ARGV[1], 1, 0

local function nextWrite()
  local w = {}
  w.what, w.expect, w.version, w.fence, w.keep, w.mark, w.expiresAt, w.spread, w.data, place =
    struct.unpack('<BBddBddHI4c0', asks, place)
  used = used + 1
  w.key = KEYS[used]
  return w
end

local function apply()
  local nonce, count, effect
  nonce, count, effect, place = struct.unpack('<Hc0HI4c0', asks, place)
  local found, writes, done, unreadable, held = {}, {}, false, false, false
  for i = 1, count do
    local w = nextWrite()
    writes[i] = w
    held = held or w.expect == ${EXPECT.holder}
    local f = found[w.key]
    if not f then
      local r, stone = load(w.key)
      f = { before = r, after = r, stone = stone }
      found[w.key] = f
    end
    if f.before and f.before.unreadable then unreadable = true
    elseif w.what == ${DO.put} and f.before and wrote(f.before, nonce, w.mark) then done = true
    elseif w.what == ${DO.remove} and f.stone == nonce then done = true
    end
  end
  if unreadable then return held and 'L' or 'Fa record can not be read: another version, or another program, wrote it' end
  if done then return 'O' end
  for i, w in ipairs(writes) do
    local f = found[w.key]
    local r = f.after
    if w.what ~= ${DO.sent} then
      if w.expect == ${EXPECT.holder} and (not r or r.fence ~= w.fence) then return 'L' end
      if w.expect == ${EXPECT.absent} and r or w.expect >= ${EXPECT.version} and (not r or r.version ~= w.version) then
        return 'C' .. struct.pack('<H', i) .. (f.before and f.before.value or '')
      end
    end
    if w.what == ${DO.put} then f.after = put(r, w)
    elseif w.what == ${DO.remove} then f.after = nil
    elseif w.what == ${DO.sent} and r then f.after = strike(r, w.data)
    end
  end
  local failure = perform(effect)
  if failure then return failure end
  for _, w in ipairs(writes) do
    local f = found[w.key]
    if f.after and f.after ~= f.before then
      store(w.key, f.before, f.after)
      f.before = f.after
    end
  end
  for _, w in ipairs(writes) do
    local f = found[w.key]
    if f.before and not f.after then
      redis.call('SET', w.key, string.char(${STONE}) .. nonce, 'PX', ${STONE_MS})
      file(w.key, f.before, nil)
      unpackMark(w.key, f.before)
      f.before = nil
    end
  end
  return 'O'
end

local answers = {}
while place <= #asks do answers[#answers + 1] = apply() end
return answers
`;
