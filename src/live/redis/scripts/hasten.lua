-- KEYS: a game in its lobby. ARGV: host, and when it is to close. Returns {what became of it, facts}.
local key = KEYS[1]
local fields = read(key)
local order = fields['seat:' .. ARGV[1]]
if not string.find(fields.door or '', '^invited:') then
    return {'no game', {}}
end
if not order then
    return {'no seat', {}}
end
if fields.stage ~= LOBBY or tonumber(fields.closes_at) <= tonumber(ARGV[2]) then
    return {'done', redis.call('HGETALL', key)}
end
if orders(fields)() ~= order then
    return {'no host', {}}
end
redis.call('HSET', key, 'closes_at', ARGV[2], 'ready:' .. order, '1')
return {'done', version_up(key)}
