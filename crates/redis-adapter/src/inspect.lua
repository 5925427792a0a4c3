-- Reads the members and the use of each quota, by the clock of Redis. It changes nothing.
--
-- KEYS: state, permits, members of each bucket. ARGV: the time in microseconds after which a silent
-- process is no longer a member. Returns the server's name and version, and for each bucket the
-- number of processes, the number of permits in the window, and the limit (-2: unknown, -1: none).
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
-- Valkey also sets REDIS_VERSION, to the version it is compatible with.
local valkey = redis.VALKEY_VERSION
local name, version = valkey and 'Valkey' or 'Redis', valkey or redis.REDIS_VERSION
local found = {}
for n = 1, #KEYS, 3 do
  found[#found + 1] = redis.call('ZCOUNT', KEYS[n + 2], now - ARGV[1], '+inf')
  found[#found + 1] = redis.call('ZCOUNT', KEYS[n + 1], now, '+inf')
  found[#found + 1] = tonumber(redis.call('HGET', KEYS[n], 'limit') or -2)
end
return { name, version or '', found }
