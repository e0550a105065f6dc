-- KEYS: what keys in the slot of the lobbies begin with. ARGV: game, and since when somebody must have been
-- absent to lose the seat. Returns those who do, and the facts; none if nobody is left, or nothing changed.
local base, id, before = KEYS[1], ARGV[1], tonumber(ARGV[2])
local key = base .. ':game:' .. id
local fields, departed, left = read(key), {}, 0
if fields.stage ~= LOBBY then
    return {departed, {}}
end
local users = users(fields)
for order in orders(fields) do
    local since, user = fields['absent:' .. order], users[order]
    if since and tonumber(since) <= before then
        redis.call('HDEL', key, 'seat:' .. user, 'user:' .. order, 'name:' .. order, 'absent:' .. order)
        free(base, fields.door, user, id)
        redis.call('SREM', base .. ':played:' .. user, id)
        tell(key, 'L' .. user)
        departed[#departed + 1] = user
    elseif not fields['bot:' .. order] then
        left = left + 1
    end
end
if #departed == 0 then
    return {departed, {}}
end
if left == 0 then
    remove(base, id)
    return {departed, {}}
end
return {departed, version_up(key)}
