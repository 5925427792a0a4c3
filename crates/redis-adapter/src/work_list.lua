-- A work list with leases: each item is done by one owner.
--
-- KEYS: done, owners, leases. ARGV: what is asked, the owner, the lease in microseconds, the items.
-- `done` says who has each item for good; `owners` and `leases` say who works on it, and until when.
-- Returns for each item 0: it is the owner's, 1: another works on it, 2: another has done it,
-- 3: the owner has done it.
local done, owners, leases = unpack(KEYS)
local asks, me, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local WEEK = 604800000
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
local states = {}

for n = 4, #ARGV do
  local item = ARGV[n]
  local by, owner = redis.call('HGET', done, item), redis.call('HGET', owners, item)
  local state
  if by then
    state = by == me and 3 or 2
  elseif owner == me then
    state = 0
  elseif asks == 'claim' then
    local leased = owner and tonumber(redis.call('ZSCORE', leases, item) or 0) > now
    state = leased and 1 or 0
  else
    state = 1
  end
  if state == 0 then
    if asks == 'commit' then
      redis.call('HSET', done, item, me)
    elseif asks == 'claim' then
      redis.call('HSET', owners, item, me)
      redis.call('ZADD', leases, now + lease, item)
    end
    if asks ~= 'claim' then
      redis.call('HDEL', owners, item)
      redis.call('ZREM', leases, item)
    end
  end
  states[#states + 1] = state
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, WEEK) end
return states
