-- KEYS: what keys in the slot of the lobbies begin with. ARGV: guest, account, game, how long the seat is
-- kept (ms), door. The account comes back to where the guest sat, unless it sits somewhere already.
local base, guest, account, id, kept = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local from, to = seat_key(base, ARGV[5], guest), seat_key(base, ARGV[5], account)
if redis.call('GET', from) == id then
    redis.call('DEL', from)
    redis.call('SET', to, id, 'PX', kept, 'NX')
end
redis.call('SREM', base .. ':played:' .. guest, id)
redis.call('SADD', base .. ':played:' .. account, id)
redis.call('PEXPIRE', base .. ':played:' .. account, kept)
return 0
