// Commit: performs changes, one after another, each wholly or not at all.
//
// For each change its nonce, the number of its writes and its effect (commands, or nothing), then for each write a key,
// what it asks (what to do, what to expect, version, fence, whether to keep the lease, the mark to leave or 0, over how many
// hashes to spread packed marks or 0), and its data: for a put the record as if it were new, for sent messages their ids.
// Answers for each change: O ok, L lost, or C, the number of the write that met a conflict, and the record that stands
// there, or F or P and why: its effect failed, wholly or in part.

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
  local sent, at = {}, 1
  while at <= #data do
    local id
    id, at = struct.unpack('<Hc0', data, at)
    sent[id] = true
  end
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

local function put(before, data, resolves)
  local after = decode(data)
  if not before then return after end
  after.version, after.fence = before.version + 1, before.fence
  if not resolves then
    after.since, after.ends, after.holder, after.claim, after.past =
      before.since, before.ends, before.holder, before.claim, before.past
  end
  return after
end

local function wrote(r, nonce, mark)
  if r.mark then return r.mark == math.floor(mark / ${MARK_UNITS.identity}) end
  return r.nonce == nonce
end

local function store(w, before, after)
  local settled = after.wakeAt == never and after.expiresAt ~= never
  if w.mark > 0 and settled and after.outbox == '' then
    brand(w.key, before, after, w.mark, w.spread)
  else
    write(w.key, before, after)
    unpackMark(w.key, before)
  end
  if settled and us % 8 == 0 then expire(string.sub(w.key, 1, -17), 32) end
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

local function apply(nonce, count, effect, key1, arg1)
  local found, writes = {}, {}
  for i = 1, count do
    local key = KEYS[key1 + i]
    local w = { key = key, data = ARGV[arg1 + 2 * i] }
    w.what, w.expect, w.version, w.fence, w.keep, w.mark, w.spread = struct.unpack('<BBddBdH', ARGV[arg1 + 2 * i - 1])
    writes[i] = w
    if not found[key] then
      local r, stone = load(key)
      found[key] = { before = r, after = r, stone = stone }
    end
    local f = found[key]
    if w.what == ${DO.put} and f.before and wrote(f.before, nonce, w.mark) then return 'O' end
    if w.what == ${DO.remove} and f.stone == nonce then return 'O' end
  end
  for i, w in ipairs(writes) do
    local f = found[w.key]
    local r = f.after
    if w.what ~= ${DO.sent} then
      if w.expect == ${EXPECT.holder} and (not r or r.fence ~= w.fence) then return 'L' end
      if w.expect == ${EXPECT.absent} and r or w.expect >= ${EXPECT.version} and (not r or r.version ~= w.version) then
        return 'C' .. struct.pack('<H', i) .. (f.before and f.before.value or '')
      end
    end
    if w.what == ${DO.put} then f.after = put(r, w.data, w.expect == ${EXPECT.holder} and w.keep == 0)
    elseif w.what == ${DO.remove} then f.after = nil
    elseif w.what == ${DO.sent} and r then f.after = strike(r, w.data)
    end
  end
  local failure = perform(effect)
  if failure then return failure end
  for _, w in ipairs(writes) do
    local f = found[w.key]
    if f.after and f.after ~= f.before then
      store(w, f.before, f.after)
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

local answers, key, arg = {}, 0, 0
while arg < #ARGV do
  local nonce, count = ARGV[arg + 1], tonumber(ARGV[arg + 2])
  answers[#answers + 1] = apply(nonce, count, ARGV[arg + 3], key, arg + 3)
  key, arg = key + count, arg + 3 + 2 * count
end
return answers
`;
