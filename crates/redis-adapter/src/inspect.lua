-- Who shares the quotas, by Redis' own clock. It changes nothing.
--
-- KEYS: state, permits, members of each bucket. ARGV: how long a silent process is a member, in
-- microseconds. Returns the server's name and version, and for each bucket the processes, the
-- permits in the window, and the limit (-2 is an unknown one, -1 none).
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
-- Valkey names the Redis that it is compatible with as well.
local valkey = redis.VALKEY_VERSION
local name, version = valkey and 'Valkey' or 'Redis', valkey or redis.REDIS_VERSION
local found = {}
for n = 1, #KEYS, 3 do
  found[#found + 1] = redis.call('ZCOUNT', KEYS[n + 2], now - ARGV[1], '+inf')
  found[#found + 1] = redis.call('ZCOUNT', KEYS[n + 1], now, '+inf')
  found[#found + 1] = tonumber(redis.call('HGET', KEYS[n], 'limit') or -2)
end
return { name, version or '', found }
