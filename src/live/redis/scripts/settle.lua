-- KEYS: a game in the slot of the lobbies. ARGV: the version that has been moved. Removes it, unless it has
-- changed since: returns 0 then.
local version = redis.call('HGET', KEYS[1], 'version')
if version and version ~= ARGV[1] then
    return 0
end
redis.call('DEL', KEYS[1])
return 1
