-- KEYS: a game in its own slot. ARGV: user, and when it was claimed. That START did not reach the user.
local order = redis.call('HGET', KEYS[1], 'seat:' .. ARGV[1])
if order and redis.call('HGET', KEYS[1], 'started:' .. order) == ARGV[2] then
    redis.call('HDEL', KEYS[1], 'started:' .. order)
    redis.call('HINCRBY', KEYS[1], 'version', 1)
end
return 0
