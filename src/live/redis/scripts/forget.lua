-- KEYS: the games. ARGV: the dead pod, now, and the ids of the games. Returns {id, facts, id, facts, …} of
-- those that have changed.
local changed = {}
for i, key in ipairs(KEYS) do
    local fields = read(key)
    if fields.stage == LOBBY then
        local before = #changed
        for order in orders(fields) do
            local open, dead = sockets(fields, order), 0
            for _, socket in ipairs(open) do
                if fields[socket] == ARGV[1] then
                    redis.call('HDEL', key, socket)
                    dead = dead + 1
                end
            end
            if dead > 0 then
                changed[before + 1] = ARGV[2 + i]
            end
            if dead > 0 and dead == #open then
                redis.call('HSET', key, 'absent:' .. order, ARGV[2])
            end
        end
        if #changed > before then
            changed[before + 2] = version_up(key)
        end
    end
end
return changed
