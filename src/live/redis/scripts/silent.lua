-- KEYS: pods. ARGV: how long a pod counts as alive (ms). Returns those that do not.
local dead = string.format('(%d', milliseconds() - tonumber(ARGV[1]))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', dead)
