-- KEYS: a game in its own slot. ARGV: user, now. Returns 1 if START is given, and this user had not had it.
local stage, order = unpack(redis.call('HMGET', KEYS[1], 'stage', 'seat:' .. ARGV[1]))
if stage ~= RUNNING or not order then
    return 0
end
local claimed = redis.call('HSETNX', KEYS[1], 'started:' .. order, ARGV[2])
if claimed == 1 then
    redis.call('HSETNX', KEYS[1], 'first:' .. order, ARGV[2])
end
redis.call('HINCRBY', KEYS[1], 'version', claimed)
return claimed
