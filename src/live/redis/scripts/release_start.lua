-- KEYS: a game in its own slot. ARGV: user. START did not reach the user.
local order = redis.call('HGET', KEYS[1], 'seat:' .. ARGV[1])
if order then
    redis.call('HINCRBY', KEYS[1], 'version', redis.call('HDEL', KEYS[1], 'started:' .. order))
end
return 0
