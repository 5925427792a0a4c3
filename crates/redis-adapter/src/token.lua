-- Single flight: one process holds the lease to fetch the token that all of them share.
--
-- KEYS: token, lease. ARGV: the process, the operation, and its arguments. Times are in
-- microseconds. `lease` contains its holder, and since when it holds the lease. Returns the kind of
-- answer (0: none, 1: a token, 2: the lease, 3: a wait), the sealed token, and two times: of a token
-- its lifetime and when to renew it, of a wait its length.
local token, lease = unpack(KEYS)
local me, operation = ARGV[1], ARGV[2]
local SOON, LATEST = 20000, 1e6
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
local holder, since = string.match(redis.call('GET', lease) or '', '^(%S+) (%d+)$')
local mine = not holder or holder == me

local function take(from, microseconds)
  local value = string.format('%s %.0f', me, from)
  redis.call('SET', lease, value, 'PX', math.max(math.ceil(microseconds / 1e3), 1))
end

-- A waiting process asks often at first, since most fetches are short, and at the end of the lease.
local function wait()
  local pause = math.min(math.max((now - since) / 8, SOON), LATEST)
  return math.max(math.min(pause, redis.call('PTTL', lease) * 1e3), 1e3)
end

local function release()
  if mine then redis.call('DEL', lease) end
end

local sealed, mark, shared, expires, renew =
  unpack(redis.call('HMGET', token, 'sealed', 'mark', 'shared', 'expires', 'renew'))
shared, expires, renew = tonumber(shared or 0), tonumber(expires or 0), tonumber(renew or 0)
local answer = { 1, sealed or '', math.floor(expires - now), math.max(math.floor(renew - now), 0) }

if operation == 'get' then
  if expires > now and renew > now then return answer end
  if mine then
    take(now, ARGV[3])
    return { 2, '', 0, 0 }
  end
  if expires > now and mark ~= ARGV[4] then return answer end
  return { 3, '', wait(), 0 }
elseif operation == 'hold' then
  if expires > now and shared > now - ARGV[4] then return answer end
  if mine then take(since or now, ARGV[3]) end
elseif operation == 'put' then
  -- The process may have fetched it long ago, if it had lost its connection.
  if renew <= now or renew < now + ARGV[6] then
    redis.call('HSET', token, 'sealed', ARGV[3], 'mark', ARGV[4], 'shared', now,
      'expires', now + ARGV[5], 'renew', now + ARGV[6])
    redis.call('PEXPIRE', token, math.max(math.ceil(ARGV[5] / 1e3), 1))
  end
  release()
elseif operation == 'release' then
  release()
elseif operation == 'discard' then
  if mark == ARGV[3] then redis.call('DEL', token) end
end
return { 0, '', 0, 0 }
