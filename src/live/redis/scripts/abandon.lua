-- KEYS: what keys in the slot of the lobbies begin with. ARGV: user, door, socket, now. That socket has closed,
-- wherever the user sits behind the door. Returns the game and its facts; none if nothing changed.
local id = redis.call('GET', seat_key(KEYS[1], ARGV[2], ARGV[1]))
local facts = id and leave(KEYS[1] .. ':game:' .. id, ARGV[1], ARGV[3], ARGV[4])
return {id or '0', facts or {}}
