-- KEYS: pods. ARGV: own name, how long a pod counts as alive (ms). Returns those that are.
local now = milliseconds()
redis.call('ZADD', KEYS[1], string.format('%d', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], 86400000)
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%d', now - tonumber(ARGV[2])), '+inf')
