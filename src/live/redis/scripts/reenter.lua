-- KEYS: a game in its own slot. ARGV: user, pod. Takes the seat of the user again, if START is not given.
local stage, order = unpack(redis.call('HMGET', KEYS[1], 'stage', 'seat:' .. ARGV[1]))
if stage ~= COUNTDOWN or not order then
    return false
end
redis.call('HINCRBY', KEYS[1], 'sockets:' .. order .. ':' .. ARGV[2], 1)
redis.call('HDEL', KEYS[1], 'absent:' .. order)
return version_up(KEYS[1])
