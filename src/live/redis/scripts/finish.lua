-- KEYS: a game in its own slot. ARGV: user, the claim, and 1 if it is to be ranked. Returns {what became of it, rank, facts}.
local key = KEYS[1]
local stage, order = unpack(redis.call('HMGET', key, 'stage', 'seat:' .. ARGV[1]))
if not stage then
    return {'no game', 0, {}}
end
if not order then
    return {'no seat', 0, {}}
end
local before = redis.call('HGET', key, 'result:' .. order)
if before then
    return {'before', tonumber(string.match(before, '^%d+')), redis.call('HGETALL', key)}
end
if stage ~= RUNNING then
    return {'not started', 0, {}}
end
-- Ranks are those of people.
local rank = 0
if ARGV[3] == '1' and redis.call('HEXISTS', key, 'bot:' .. order) == 0 then
    rank = redis.call('HINCRBY', key, 'finishers', 1)
end
redis.call('HSET', key, 'result:' .. order, integer(rank) .. ' ' .. ARGV[2])
return {'taken', rank, version_up(key)}
