-- KEYS: a game in its lobby. ARGV: user, and when it closes once all people are ready, as `Game::is_ready` has it.
-- Returns {what became of it, facts}.
local key = KEYS[1]
local fields = read(key)
local order = fields['seat:' .. ARGV[1]]
if not fields.stage then
    return {'no game', {}}
end
if not order then
    return {'no seat', {}}
end
if fields.stage ~= LOBBY or fields['ready:' .. order] then
    return {'done', redis.call('HGETALL', key)}
end
redis.call('HSET', key, 'ready:' .. order, '1')
fields['ready:' .. order] = '1'
local present, waiting = 0, 0
for other in orders(fields) do
    if not fields['bot:' .. other] and not fields['absent:' .. other] then
        present = present + 1
        waiting = waiting + (fields['ready:' .. other] and 0 or 1)
    end
end
local least = string.find(fields.door or '', '^invited:') and 2 or 1
if present >= least and waiting == 0 and tonumber(fields.closes_at) > tonumber(ARGV[2]) then
    redis.call('HSET', key, 'closes_at', ARGV[2])
end
return {'done', version_up(key)}
