-- KEYS: what keys in the slot of the lobbies begin with. ARGV: game, now, how many may sit there in all, and of
-- each bot: id, JSON, name. Returns the facts, if somebody was seated.
local base, id, now, limit = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local key = base .. ':game:' .. id
local fields = read(key)
if fields.stage ~= LOBBY or (fields.door or 'open') ~= 'open' or fields.full or now >= tonumber(fields.closes_at) then
    return false
end
local seated = false
for order in orders(fields) do
    if fields['bot:' .. order] then
        return false
    end
end
for i = 4, #ARGV, 3 do
    local name, players = unique(fields, ARGV[i + 2], false)
    if players >= limit then
        break
    end
    local order = integer(redis.call('HINCRBY', key, 'arrivals', 1))
    redis.call('HSET', key, 'seat:' .. ARGV[i], order, 'user:' .. order, ARGV[i + 1], 'name:' .. order, name,
        'bot:' .. order, '1')
    tell(key, 'C')
    fields = read(key)
    seated = true
end
return seated and version_up(key)
