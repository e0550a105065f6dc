-- KEYS: a game. ARGV: guest, and the account: id, JSON, name. The seat of the one becomes that of the other,
-- once the lobby has closed, unless the account has one already.
local key = KEYS[1]
local stage, order, own = unpack(redis.call('HMGET', key, 'stage', 'seat:' .. ARGV[1], 'seat:' .. ARGV[2]))
if not stage or stage == LOBBY or not order or own then
    return false
end
redis.call('HDEL', key, 'seat:' .. ARGV[1])
redis.call('HSET', key, 'seat:' .. ARGV[2], order, 'user:' .. order, ARGV[3], 'name:' .. order, ARGV[4])
return version_up(key)
