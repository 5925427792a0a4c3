-- A sliding-window log by the clock of Redis, in which waiting processes have equal shares.
--
-- KEYS: state, permits, held, members, waiting. ARGV: the process, its request as JSON.
-- Times are in microseconds. `permits` contains a permit until it leaves the window: with a limit about
-- as many as that, without one each request of the window. The other keys have one entry per process.
local state, permits, held, members, waiting = unpack(KEYS)
local me, request = ARGV[1], cjson.decode(ARGV[2])
local REASSEMBLY, GRACE, SOON, REPORTED = 1e6, 1e5, 2e4, 1e6
local PROBE, PROBE_PAUSE = 900e6, 5e6
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]

local function drop(permit)
  local process = string.match(permit, '^[^/]*')
  if redis.call('ZREM', permits, permit) == 1
    and redis.call('HINCRBY', held, process, -1) <= 0 then
    redis.call('HDEL', held, process)
  end
end

local function put(number, leaves)
  local permit = string.format('%s/%.0f', me, number)
  if redis.call('ZADD', permits, leaves, permit) == 1 then
    redis.call('HINCRBY', held, me, 1)
  end
end

-- Returns a time of the state. One that is too far ahead was set before the clock went back; it is over.
local function field(name, longest)
  local value = tonumber(redis.call('HGET', state, name) or 0)
  return value - now <= (longest or math.huge) and value or 0
end

local function holds(process)
  return tonumber(redis.call('HGET', held, process) or 0)
end

for _, permit in ipairs(redis.call('ZRANGEBYSCORE', permits, '-inf', now)) do
  drop(permit)
end
-- No permit leaves later than the longest new one of any process, even if the clock has gone back.
local longest = request.lease + request.window
local leaves, known = now + longest, tonumber(redis.call('HGET', state, 'longest') or 0)
if longest > known then redis.call('HSET', state, 'longest', longest) end
local latest = now + math.max(longest, known)
for _, permit in ipairs(redis.call('ZRANGEBYSCORE', permits, latest, '+inf')) do
  redis.call('ZADD', permits, latest, permit)
end
redis.call('ZREMRANGEBYSCORE', members, '-inf', now - request.member_timeout)

-- Membership: a process that is not a member has to join first.
if request.join then
  if request.again and redis.call('ZCARD', members) == 0 then
    redis.call('HSET', state, 'from', now + REASSEMBLY)
  end
  for _, permit in ipairs(redis.call('ZRANGE', permits, 0, -1)) do
    if string.match(permit, '^[^/]*') == me then drop(permit) end
  end
  for _, number in ipairs(request.in_flight) do
    put(number, leaves)
  end
elseif not redis.call('ZSCORE', members, me) then
  return { 0, 0, 0, 0, -2, 0 }
end
redis.call('ZADD', members, now, me)

-- Reports of the process. A probe is inconclusive, unless the process also reports the gate.
local prober = redis.call('HGET', state, 'prober')
local function ended(number)
  if string.format('%s/%.0f', me, number) == prober then
    redis.call('HSET', state, 'probe', now + PROBE_PAUSE)
    redis.call('HDEL', state, 'prober')
  end
end
for _, done in ipairs(request.completed) do
  put(done[1], now + request.window - done[2])
  ended(done[1])
end
for _, number in ipairs(request.unused) do
  drop(string.format('%s/%.0f', me, number))
  ended(number)
end
if request.learned then redis.call('HSET', state, 'limit', request.learned) end
if request.closed_for then
  -- Only a request sent after the last refusal shows that the time it set is no longer valid.
  local is_newer = field('refused', 0) + REPORTED <= now - request.age
  if request.closed_for > 0 then
    local closed, known = now + request.closed_for, field('closed')
    if not request.named then closed = math.max(closed, known) end
    if is_newer then
      redis.call('HSET', state, 'closed', closed, 'probe', now + PROBE, 'refused', now)
    elseif known > 0 and request.age <= PROBE then
      redis.call('HSET', state, 'closed', math.max(closed, known))
      redis.call('HSETNX', state, 'probe', now + PROBE)
    end
  elseif is_newer then
    redis.call('HDEL', state, 'closed', 'probe')
  end
end

-- Permits. Limits: -2 is unknown, -1 is none.
local learned = tonumber(redis.call('HGET', state, 'limit') or -2)
local closed, probe, from = field('closed'), field('probe', PROBE), field('from', REASSEMBLY)
local granted, wait = 0, 0
local refused = closed > now and probe > now
if refused then
  wait = math.min(closed, probe) - now
elseif from > now then
  wait = from - now
else
  local limit = learned
  if learned == -1 then
    limit = math.huge
  elseif learned == -2 then
    -- Slow start: doubles with each second without a response.
    local first = field('first')
    limit = first > 0 and 2 ^ math.min(math.floor((now - first) / 1e6), 30) or 1
  end
  limit = math.max(math.min(limit, request.budget or math.huge), 1)
  local free = math.max(limit - redis.call('ZCARD', permits), 0)
  local others = {}
  local entries = redis.call('HGETALL', waiting)
  for n = 1, #entries, 2 do
    local want, wanted_until = string.match(entries[n + 1], '^(%d+):(%d+)$')
    if tonumber(wanted_until) <= now then
      redis.call('HDEL', waiting, entries[n])
    elseif entries[n] ~= me then
      others[entries[n]] = tonumber(want)
    end
  end
  local count = 1
  for _ in pairs(others) do count = count + 1 end
  local share = math.max(math.floor(limit / count), 1)
  local reserved = 0
  for process, want in pairs(others) do
    reserved = reserved + math.min(math.max(share - holds(process), 0), want)
  end
  local due = math.max(share - holds(me), 0)
  granted = math.min(request.wanted, math.max(math.min(due, free), free - reserved))
  if granted > 0 and closed > now then
    granted = 1
    -- A process that lives reports the end of the probe before its lease ends.
    redis.call('HSET', state, 'probe', now + math.min(request.lease + PROBE_PAUSE, PROBE),
      'prober', string.format('%s/%.0f', me, request.first))
  end
  if granted > 0 then redis.call('HSETNX', state, 'first', now) end
  if limit < math.huge then
    for number = request.first, request.first + granted - 1 do
      put(number, leaves)
    end
  end
  if granted < request.wanted then
    local next = redis.call('ZRANGE', permits, 0, 0, 'WITHSCORES')[2]
    if next and granted == free then wait = math.min(next - now, request.window / 20) end
    wait = learned == -2 and SOON or math.max(wait, request.window / 500, 1000)
    redis.call('HSET', waiting, me,
      string.format('%.0f:%.0f', request.wanted - granted, now + wait + GRACE))
  elseif request.wanted > 0 then
    redis.call('HDEL', waiting, me)
  end
end

-- Unused keys expire.
local ttl = math.ceil((math.max(longest, known) + request.window) / 1e3) + 60000
for _, key in ipairs({ permits, held, members, waiting }) do redis.call('PEXPIRE', key, ttl) end
redis.call('PEXPIRE', state, math.max(ttl, 86400000))
return { 1, granted, math.ceil(wait), refused and 1 or 0, learned, redis.call('ZCARD', members) }
