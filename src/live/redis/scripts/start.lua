-- KEYS: a game in its own slot. ARGV: now. Gives START, if it is due and not given.
local stage, starts_at = unpack(redis.call('HMGET', KEYS[1], 'stage', 'starts_at'))
if stage ~= COUNTDOWN or tonumber(ARGV[1]) < tonumber(starts_at) then
    return false
end
redis.call('HSET', KEYS[1], 'stage', RUNNING, 'starts_at', ARGV[1])
return version_up(KEYS[1])
