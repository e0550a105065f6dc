-- Returns overdue deadlines, and postpones them by a lease, during which no other pod is given them.
-- KEYS: the agenda. ARGV: a time, the most members, the lease (µs). Overdue is what is before the time and before now by the
-- clock of Redis: a pod whose clock is ahead would otherwise lease timers that it cannot run yet.
local time = redis.call('TIME')
local before = math.min(tonumber(ARGV[1]), tonumber(time[1]) * 1000000 + tonumber(time[2]))
local overdue =
    redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('(%d', before), 'LIMIT', 0, ARGV[2])
for _, member in ipairs(overdue) do
    redis.call('ZADD', KEYS[1], string.format('%d', before + tonumber(ARGV[3])), member)
end
return overdue
