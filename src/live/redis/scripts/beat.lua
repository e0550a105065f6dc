-- KEYS: pods. ARGV: own name, how long a pod counts as alive (ms). Returns whether the own name is new, and
-- those that are alive.
local now = milliseconds()
local added = redis.call('ZADD', KEYS[1], string.format('%d', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], 86400000)
return {added, redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%d', now - tonumber(ARGV[2])), '+inf')}
