-- Replaces a value and its index entries, unless its version has changed or it is too early.
-- KEYS: the value; then the indexes.
-- ARGV: the expected version ('' if the value does not exist), the new version, the new value ('' removes it), its time to
-- live (ms), the time before which it is refused (µs, by the clock of Redis), its member in the indexes; then for each
-- index its score, or '' to remove the entry. Returns the outcome, and by how many µs it was too early.
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
