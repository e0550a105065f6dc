-- KEYS: a game in its own slot. ARGV: user, socket, pod. Takes the seat of the user again, if START is not given.
local stage, order = unpack(redis.call('HMGET', KEYS[1], 'stage', 'seat:' .. ARGV[1]))
if stage ~= COUNTDOWN or not order then
    return false
end
redis.call('HSET', KEYS[1], 'socket:' .. order .. ':' .. ARGV[2], ARGV[3])
redis.call('HDEL', KEYS[1], 'absent:' .. order)
return version_up(KEYS[1])
