-- KEYS: what keys in the slot of the lobbies begin with. ARGV: game, now. Returns how early it is (0: not), and
-- {'closed', facts}, {'gone', {}} if everybody was absent, or {'', {}} if it was not there, not due, or closed already.
local base, id = KEYS[1], ARGV[1]
local key = base .. ':game:' .. id
local fields = read(key)
if fields.stage ~= LOBBY or tonumber(ARGV[2]) < tonumber(fields.closes_at) then
    return {0, {'', {}}}
end
if early(fields.closes_at) > 0 then
    return {early(fields.closes_at), {'', {}}}
end
local somebody = false
for order in orders(fields) do
    somebody = somebody or not fields['absent:' .. order] and not fields['bot:' .. order]
end
if not somebody then
    for _, user in pairs(users(fields)) do
        free(base, fields.door, user, id)
    end
    remove(base, id)
    return {0, {'gone', {}}}
end
redis.call('HSET', key, 'stage', CLOSED)
redis.call('ZREM', base .. ':open', id)
redis.call('ZREM', base .. ':lobbies', id)
return {0, {'closed', version_up(key)}}
