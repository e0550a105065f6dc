-- KEYS: a game in its own slot. ARGV: user, and what was seen of the user's typing, as in `typed:`n. Adds it to
-- what is known, by the rules of `Progress::absorb` in src/game/progress.rs. Returns the facts if it counts.
local key = KEYS[1]
local stage, order = unpack(redis.call('HMGET', key, 'stage', 'seat:' .. ARGV[1]))
if stage ~= RUNNING or not order or redis.call('HEXISTS', key, 'result:' .. order) == 1 then
    return false
end

local function numbers(text)
    local all = {}
    for number in string.gmatch(text, '%S+') do
        all[#all + 1] = tonumber(number)
    end
    return all
end

local KEYS_SEEN, GAPS, AT, COMPLETED, FIRST_WORD = 1, 3, 4, 5, 6
local field = 'typed:' .. order
local known, seen = numbers(redis.call('HGET', key, field) or '0 0 0 -1 -1'), numbers(ARGV[2])
if known[COMPLETED] >= 0 and seen[AT] > known[COMPLETED] then
    return false
end
if known[COMPLETED] < 0 and seen[COMPLETED] >= 0 then
    known[COMPLETED] = math.max(seen[COMPLETED], known[AT])
elseif seen[COMPLETED] >= 0 then
    known[COMPLETED] = math.min(seen[COMPLETED], known[COMPLETED])
end
known[AT] = math.max(known[AT], seen[AT])
for count = KEYS_SEEN, GAPS do
    known[count] = known[count] + seen[count]
end
for word = FIRST_WORD, math.max(#known, #seen) do
    known[word] = math.max(known[word] or 0, seen[word] or 0)
end
for i, number in ipairs(known) do
    known[i] = integer(number)
end
redis.call('HSET', key, field, table.concat(known, ' '))
return version_up(key)
