-- KEYS: a game in its lobby. ARGV: user, pod, now. A socket of the user on that pod has closed.
local fields = read(KEYS[1])
local order = fields['seat:' .. ARGV[1]]
if fields.stage ~= LOBBY or not order then
    return false
end
local own = 'sockets:' .. order .. ':' .. ARGV[2]
if tonumber(fields[own] or '0') > 1 then
    redis.call('HINCRBY', KEYS[1], own, -1)
else
    redis.call('HDEL', KEYS[1], own)
    fields[own] = nil
end
if sockets(fields, order) == 0 then
    redis.call('HSET', KEYS[1], 'absent:' .. order, ARGV[3])
end
return version_up(KEYS[1])
