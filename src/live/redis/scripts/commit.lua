-- Puts a value in the place of another, with its entries in indexes, unless somebody was faster or it is too early.
-- KEYS: the value; then the indexes.
-- ARGV: the version that is expected there ('' if none), the new version, the new value ('' takes it away), how long it is
-- kept (ms), since when it may be put there (µs, by this clock), what it is called in the indexes; then for each index
-- its score there, or '' to take it out. Returns what became of it, and how many µs it came too early.
local time = redis.call('TIME')
local early = tonumber(ARGV[5]) - (tonumber(time[1]) * 1000000 + tonumber(time[2]))
if early > 0 then
    return {'early', early}
end
if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then
    return {'stale', 0}
end
if ARGV[3] == '' then
    redis.call('DEL', KEYS[1])
else
    redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
for at = 2, #KEYS do
    local index, score = KEYS[at], ARGV[at + 5]
    if score == '' then
        redis.call('ZREM', index, ARGV[6])
    else
        redis.call('ZADD', index, score, ARGV[6])
        if redis.call('PTTL', index) < tonumber(ARGV[4]) then
            redis.call('PEXPIRE', index, ARGV[4])
        end
    end
end
return {'done', 0}
