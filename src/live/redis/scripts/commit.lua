-- Replaces a value and its index entries, unless its version has changed or it is too early.
-- KEYS: the value; the commit's receipt; then the indexes.
-- ARGV: the expected version ('' if the value does not exist), the new version, the new value ('' removes it), its time to
-- live (ms), the time before which it is refused (µs, by the clock of Redis), its member in the indexes, the receipt's time
-- to live (ms; 0: none is kept); then for each index its score, or '' to remove the entry. Returns the outcome, and by how
-- many µs it was too early. Repeated within the receipt's time, it changes nothing and is done.
if ARGV[7] ~= '0' and redis.call('EXISTS', KEYS[2]) == 1 then
    return {'done', 0}
end
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
if ARGV[7] ~= '0' then
    redis.call('SET', KEYS[2], '', 'PX', ARGV[7])
end
for at = 3, #KEYS do
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
