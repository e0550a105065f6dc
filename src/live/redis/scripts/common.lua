-- What every script knows: the facts of a game are one hash (see facts.rs for its fields).
-- Instants are microseconds. They are passed on as the texts that they came as, and made numbers only to
-- be compared: Lua would write a large number with an exponent.

local LOBBY, CLOSED, COUNTDOWN, RUNNING = '0', '1', '2', '3'

-- Entries of the log that are kept, as in src/game/log.rs.
local LOG_KEPT = 64

local function integer(number)
    return string.format('%d', number)
end

-- The fields of a hash by name; none if it is not there.
local function read(key)
    local pairs_of, fields = redis.call('HGETALL', key), {}
    for i = 1, #pairs_of, 2 do
        fields[pairs_of[i]] = pairs_of[i + 1]
    end
    return fields
end

-- The facts have changed: returns them.
local function version_up(key)
    redis.call('HINCRBY', key, 'version', 1)
    return redis.call('HGETALL', key)
end

-- Goes through the seats, in order of arrival.
local function orders(fields)
    local taken, at = {}, 0
    for field in pairs(fields) do
        if string.sub(field, 1, 5) == 'user:' then
            taken[#taken + 1] = tonumber(string.sub(field, 6))
        end
    end
    table.sort(taken)
    return function()
        at = at + 1
        return taken[at] and integer(taken[at])
    end
end

-- Which fields are the open lobby sockets of a seat. Each holds its pod.
local function sockets(fields, order)
    local prefix, of_seat = 'socket:' .. order .. ':', {}
    for field in pairs(fields) do
        if string.sub(field, 1, #prefix) == prefix then
            of_seat[#of_seat + 1] = field
        end
    end
    return of_seat
end

-- A lobby socket of a user has closed. Returns the facts, if the lobby still waits.
local function leave(key, user, socket, now)
    local fields = read(key)
    local order = fields['seat:' .. user]
    if fields.stage ~= LOBBY or not order then
        return false
    end
    local own = 'socket:' .. order .. ':' .. socket
    redis.call('HDEL', key, own)
    fields[own] = nil
    if #sockets(fields, order) == 0 then
        redis.call('HSETNX', key, 'absent:' .. order, now)
    end
    return version_up(key)
end

-- One more entry of the log of a lobby.
local function tell(key, entry)
    local number = redis.call('HINCRBY', key, 'log', 1)
    redis.call('HSET', key, 'log:' .. number, entry)
    redis.call('HDEL', key, 'log:' .. (number - LOG_KEPT))
end

local function milliseconds()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- How many microseconds it is until an instant, by the clock of Redis; 0 once it has passed. Pods ask for what is due by
-- their own clocks, and one of them may be wrong.
local function early(instant)
    local time = redis.call('TIME')
    return math.max(0, tonumber(instant) - (tonumber(time[1]) * 1000000 + tonumber(time[2])))
end

-- The users of the seats, by the number of the seat.
local function users(fields)
    local by_order = {}
    for field, value in pairs(fields) do
        if string.sub(field, 1, 5) == 'seat:' then
            by_order[value] = string.sub(field, 6)
        end
    end
    return by_order
end

-- Where it is kept in which game a user sits behind a door. `base` is what the names of keys in the slot of the
-- lobbies begin with. Ids of users have no colon before the first hyphen.
local function seat_key(base, door, user)
    if (door or 'open') == 'open' then
        return base .. ':seat:' .. user
    end
    return base .. ':seat:' .. door .. ':' .. user
end

-- A user does not sit in this game any more; a seat in another one is left alone.
local function free(base, door, user, id)
    local seat = seat_key(base, door, user)
    if redis.call('GET', seat) == id then
        redis.call('DEL', seat)
    end
end

-- The name under which somebody sits: a guest or a bot whose name is taken gets the next free number behind
-- it, as in names.rs. Also returns how many sit here.
local function unique(fields, name, is_registered)
    local taken, players = {}, 0
    for order in orders(fields) do
        taken[fields['name:' .. order]] = true
        players = players + 1
    end
    local free_name, number = name, 2
    while not is_registered and taken[free_name] do
        free_name = name .. ' ' .. number
        number = number + 1
    end
    return free_name, players
end

-- Takes a game out of the slot of the lobbies. Returns 1 if its facts were there.
local function remove(base, id)
    for _, index in ipairs({':open', ':lobbies', ':games'}) do
        redis.call('ZREM', base .. index, id)
    end
    local invite = string.match(redis.call('HGET', base .. ':game:' .. id, 'door') or '', '^invited:(.*)$')
    if invite and redis.call('GET', base .. ':invite:' .. invite) == id then
        redis.call('DEL', base .. ':invite:' .. invite)
    end
    return redis.call('DEL', base .. ':game:' .. id)
end
