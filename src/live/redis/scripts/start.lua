-- KEYS: a game in its own slot. ARGV: now. Gives START, if it is due and not given. Returns how early it is (0: not), and
-- the facts if they have changed.
local stage, starts_at = unpack(redis.call('HMGET', KEYS[1], 'stage', 'starts_at'))
if stage ~= COUNTDOWN or tonumber(ARGV[1]) < tonumber(starts_at) then
    return {0, false}
end
if early(starts_at) > 0 then
    return {early(starts_at), false}
end
redis.call('HSET', KEYS[1], 'stage', RUNNING, 'starts_at', ARGV[1])
return {0, version_up(KEYS[1])}
