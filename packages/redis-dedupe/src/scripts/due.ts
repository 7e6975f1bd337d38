// Due: the earliest entries of some attention indexes, each by time.
//
// Asks `before`, a limit for each index, the number of the first index, and where to go on: a time, the number of an index,
// and how many of its entries at that time have been given. Answers for each index its members and times.

/** The script of `Ledger.due`. */
export const DUE = `
local before, limit, first, from, place, given = unpack(ARGV)
first, place = tonumber(first), tonumber(place)
local answers = {}
for i, key in ipairs(KEYS) do
  local number = first + i - 1
  local low, skip = from, 0
  if number < place then low = '(' .. from elseif number == place then skip = given end
  answers[i] = redis.call('ZRANGEBYSCORE', key, low, before, 'WITHSCORES', 'LIMIT', skip, limit)
end
return answers
`;
