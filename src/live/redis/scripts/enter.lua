-- Seats a player: where the player sits already, or in the lobby that is asked for, or in one that the door
-- lets the player into, or in a new one.
-- KEYS: what keys in the slot of the lobbies begin with.
-- ARGV: see entering.rs. Returns {'seated', id, facts}, {'elsewhere', id, {}} if the seat is in a game that
-- has left this slot, or {'ids', 0, {}} if it takes a new game and there is no id.
local base = KEYS[1]
local user, json, name, is_guest, previous, stale = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local now, pod, limit = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local opened_at, closes_at, full_closes_at, ends_at = ARGV[7], ARGV[10], ARGV[11], ARGV[12]
local kept, indexes_kept, door, socket, text = ARGV[13], ARGV[14], ARGV[15], ARGV[16], ARGV[17]
local invite = string.match(door, '^invited:(.*)$')

local function facts_of(id)
    return read(base .. ':game:' .. id)
end

local function waits(fields)
    return fields.stage == LOBBY and now < tonumber(fields.closes_at) and not fields.full
end

local function next_id()
    local id = redis.call('LPOP', base .. ':ids')
    -- A database that was set up anew begins again with ids that may be live here.
    while id and redis.call('ZSCORE', base .. ':games', id) do
        id = redis.call('LPOP', base .. ':ids')
    end
    if not id and redis.call('EXISTS', base .. ':last-id') == 1 then
        id = integer(redis.call('INCR', base .. ':last-id'))
    end
    return id
end

local function open(id)
    local key = base .. ':game:' .. id
    redis.call('HSET', key, 'stage', LOBBY, 'version', '0', 'door', door, 'opened_at', opened_at, 'closes_at', closes_at,
        'ends_at', ends_at, 'finishers', '0', 'arrivals', '0', 'log', '0')
    if text ~= '' then
        redis.call('HSET', key, 'text', text)
    end
    redis.call('PEXPIRE', key, kept)
    if door == 'open' then
        redis.call('ZADD', base .. ':open', opened_at, id)
    elseif invite then
        redis.call('SET', base .. ':invite:' .. invite, id, 'PX', kept)
    end
    redis.call('ZADD', base .. ':lobbies', opened_at, id)
    redis.call('ZADD', base .. ':games', ends_at, id)
    -- The names of games whose facts have expired.
    redis.call('ZREMRANGEBYSCORE', base .. ':games', '-inf', integer(now - tonumber(indexes_kept) * 1000))
    for _, index in ipairs({':open', ':lobbies', ':games', ':ids', ':last-id'}) do
        redis.call('PEXPIRE', base .. index, indexes_kept)
    end
    return read(key)
end

-- The lobby with room that is asked for, or the oldest.
local function find_open()
    if previous ~= '' and redis.call('ZSCORE', base .. ':open', previous) then
        local fields = facts_of(previous)
        if waits(fields) then
            return previous, fields
        end
    end
    local oldest = redis.call('ZRANGE', base .. ':open', 0, 0)[1]
    while oldest do
        local fields = facts_of(oldest)
        if waits(fields) then
            return oldest, fields
        end
        -- Its time is over, although nobody has closed it yet.
        redis.call('ZREM', base .. ':open', oldest)
        oldest = redis.call('ZRANGE', base .. ':open', 0, 0)[1]
    end
end

-- The latest lobby of the invitation, if it has room.
local function find_invited()
    local lobby = redis.call('GET', base .. ':invite:' .. invite)
    local fields = lobby and facts_of(lobby)
    if fields and waits(fields) then
        return lobby, fields
    end
end

-- Returns an id and facts; or nothing, and what to answer.
local function place()
    local seat = redis.call('GET', seat_key(base, door, user))
    if seat and seat ~= stale then
        local fields = facts_of(seat)
        if not fields.stage then
            return nil, {'elsewhere', seat, {}}
        end
        if fields['seat:' .. user] then
            return seat, fields
        end
    end
    local lobby, fields
    if door == 'open' then
        lobby, fields = find_open()
    elseif invite then
        lobby, fields = find_invited()
    end
    if lobby then
        return lobby, fields
    end
    local id = next_id()
    if not id then
        return nil, {'ids', '0', {}}
    end
    return id, open(id)
end

local id, fields = place()
if not id then
    return fields
end
local key = base .. ':game:' .. id
-- The latest entry of the log is this arrival: a lobby socket counts on it.
local function seated()
    if fields.stage == LOBBY then
        tell(key, 'C')
    end
    return {'seated', id, version_up(key)}
end
local order = fields['seat:' .. user]
if order then
    redis.call('HSET', key, 'socket:' .. order .. ':' .. socket, pod)
    redis.call('HDEL', key, 'absent:' .. order)
    return seated()
end
local players, people, last_bot = 0, 0, nil
for other in orders(fields) do
    players = players + 1
    if fields['bot:' .. other] then
        last_bot = other
    else
        people = people + 1
    end
end
local own_name = unique(fields, name, is_guest ~= '1')
order = integer(redis.call('HINCRBY', key, 'arrivals', 1))
redis.call('HSET', key, 'seat:' .. user, order, 'user:' .. order, json, 'name:' .. order, own_name,
    'socket:' .. order .. ':' .. socket, pod)
redis.call('SET', seat_key(base, door, user), id, 'PX', kept)
redis.call('SADD', base .. ':played:' .. user, id)
redis.call('PEXPIRE', base .. ':played:' .. user, kept)
-- Bots make room for people.
if players + 1 > limit and last_bot then
    local bot = users(fields)[last_bot]
    redis.call('HDEL', key, 'seat:' .. bot, 'user:' .. last_bot, 'name:' .. last_bot, 'bot:' .. last_bot)
    tell(key, 'L' .. bot)
end
if people + 1 >= limit then
    redis.call('HSET', key, 'full', '1', 'closes_at', full_closes_at)
    redis.call('ZREM', base .. ':open', id)
end
return seated()
