-- A work list with leases: each item is done by one owner.
--
-- KEYS: done, owners, leases, epoch. ARGV: the operation, the owner, the lease in microseconds, the
-- epoch known to the caller or an empty string, an epoch for a new list, the items.
-- `owners` maps a claimed item to its owner, `done` a committed one. `leases` has the time at which
-- a claim ends, or until which a commit may be unconfirmed; items confirmed as written have none.
-- Returns the epoch of the list, and for each item 0: claimed by this owner, 1: claimed by another,
-- 2: done by another, 3: done by this owner, 4: committed by another, which may have died writing.
local done, owners, leases, epoch = unpack(KEYS)
local operation, me, lease, known = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local WEEK = 604800000
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]

local current = redis.call('GET', epoch)
if not current and known == '' then
  current = ARGV[5]
  redis.call('SET', epoch, current)
end
if not current or (known ~= '' and known ~= current) then return { current or '', {} } end

local function lease_until(item, time)
  if time then redis.call('ZADD', leases, time, item) else redis.call('ZREM', leases, item) end
end

local states = {}
for n = 6, #ARGV do
  local item = ARGV[n]
  local by, owner = redis.call('HGET', done, item), redis.call('HGET', owners, item)
  local leased = tonumber(redis.call('ZSCORE', leases, item) or nil)
  local state
  if by == me then
    state = 3
  elseif by then
    state = leased and (leased > now and 1 or 4) or 2
  elseif owner == me or operation == 'written' then
    state = 0
  elseif operation == 'claim' then
    state = (leased or 0) > now and 1 or 0
  else
    state = 1
  end
  if operation == 'written' and (state == 0 or state == 3) then
    redis.call('HSET', done, item, me)
    redis.call('HDEL', owners, item)
    lease_until(item, nil)
    state = 3
  elseif operation == 'claim' and state == 0 then
    redis.call('HSET', owners, item, me)
    lease_until(item, now + lease)
  elseif operation == 'claim' and state == 3 and leased then
    lease_until(item, now + lease)
  elseif operation == 'commit' and state == 0 then
    redis.call('HSET', done, item, me)
    redis.call('HDEL', owners, item)
    lease_until(item, now + lease)
  elseif operation == 'release' and (state == 0 or (state == 3 and leased)) then
    redis.call('HDEL', done, item)
    redis.call('HDEL', owners, item)
    lease_until(item, nil)
  end
  states[#states + 1] = state
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, WEEK) end
return { current, states }
