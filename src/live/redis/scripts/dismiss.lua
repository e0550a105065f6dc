-- KEYS: what keys in the slot of the lobbies begin with. ARGV: game, since when a player must have been absent to lose
-- the seat, and how long that is (microseconds). Returns how early it is for one of them (0: for none), those who lose
-- it, and the facts; none if no seat is left, or nothing changed.
local base, id, before, grace = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local key = base .. ':game:' .. id
local fields, departed, left, wait = read(key), {}, 0, 0
if fields.stage ~= LOBBY then
    return {wait, {departed, {}}}
end
local users = users(fields)
for order in orders(fields) do
    local since, user = fields['absent:' .. order], users[order]
    local is_due = since and tonumber(since) <= before
    local left_of_grace = is_due and early(since + grace) or 0
    if left_of_grace > 0 then
        wait, is_due = left_of_grace, false
    end
    if is_due then
        redis.call('HDEL', key, 'seat:' .. user, 'user:' .. order, 'name:' .. order, 'absent:' .. order, 'ready:' .. order)
        free(base, fields.door, user, id)
        redis.call('SREM', base .. ':played:' .. user, id)
        tell(key, 'L' .. user)
        departed[#departed + 1] = user
    elseif not fields['bot:' .. order] then
        left = left + 1
    end
end
if #departed == 0 then
    return {wait, {departed, {}}}
end
if left == 0 then
    remove(base, id)
    return {0, {departed, {}}}
end
return {0, {departed, version_up(key)}}
