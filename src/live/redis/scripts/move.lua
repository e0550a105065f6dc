-- KEYS: a game in its own slot. ARGV: the version of the facts in the slot of the lobbies, words, START, how
-- long it is kept (ms), and those facts as field, value, field, value, …
-- Returns {1, facts} if the game was not here yet, else {0, {}}.
local key, version = KEYS[1], ARGV[1]
local stage, moved = unpack(redis.call('HMGET', key, 'stage', 'moved'))
if not stage then
    for i = 5, #ARGV, 2 do
        redis.call('HSET', key, ARGV[i], ARGV[i + 1])
    end
    redis.call('HSET', key, 'words', ARGV[2], 'starts_at', ARGV[3], 'stage', COUNTDOWN, 'moved', version)
    redis.call('PEXPIRE', key, ARGV[4])
    return {1, version_up(key)}
end
-- Somebody else was faster. But seats may have been handed over there since.
if stage == COUNTDOWN and tonumber(moved) < tonumber(version) then
    for field in pairs(read(key)) do
        if string.sub(field, 1, 5) == 'seat:' then
            redis.call('HDEL', key, field)
        end
    end
    for i = 5, #ARGV, 2 do
        local kind = string.sub(ARGV[i], 1, 5)
        if kind == 'seat:' or kind == 'user:' or kind == 'name:' then
            redis.call('HSET', key, ARGV[i], ARGV[i + 1])
        end
    end
    redis.call('HSET', key, 'moved', version)
    version_up(key)
end
return {0, {}}
