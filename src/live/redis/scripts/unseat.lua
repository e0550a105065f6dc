-- KEYS: what keys in the slot of the lobbies begin with. ARGV: game, whether it is over, its door, and its users.
-- The seats keep nobody from another lobby any more. Returns how many facts were removed.
local base, id, is_over, door = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
for i = 4, #ARGV do
    free(base, door, ARGV[i], id)
    if is_over == '1' then
        redis.call('SREM', base .. ':played:' .. ARGV[i], id)
    end
end
if is_over == '1' then
    return remove(base, id)
end
-- What the preparation may have left behind.
return redis.call('DEL', base .. ':game:' .. id)
