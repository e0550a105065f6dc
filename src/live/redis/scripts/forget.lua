-- KEYS: the games. ARGV: the dead pod, now, and the ids of the games. Returns {id, facts, id, facts, …} of
-- those that have changed.
local changed = {}
for i, key in ipairs(KEYS) do
    local fields = read(key)
    if fields.stage == LOBBY then
        local before = #changed
        for order in orders(fields) do
            local own = 'sockets:' .. order .. ':' .. ARGV[1]
            if fields[own] then
                redis.call('HDEL', key, own)
                fields[own] = nil
                if sockets(fields, order) == 0 then
                    redis.call('HSET', key, 'absent:' .. order, ARGV[2])
                end
                changed[before + 1] = ARGV[2 + i]
            end
        end
        if #changed > before then
            changed[before + 2] = version_up(key)
        end
    end
end
return changed
