-- KEYS: the agenda. ARGV: an instant, how many at most, how long those are taken for (microseconds). Returns what was due
-- before the instant, by the clock of Redis if that is behind: a pod whose clock is ahead would hide from the others what
-- it cannot do.
local time = redis.call('TIME')
local before = math.min(tonumber(ARGV[1]), tonumber(time[1]) * 1000000 + tonumber(time[2]))
local overdue =
    redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('(%d', before), 'LIMIT', 0, ARGV[2])
for _, member in ipairs(overdue) do
    redis.call('ZADD', KEYS[1], string.format('%d', before + tonumber(ARGV[3])), member)
end
return overdue
