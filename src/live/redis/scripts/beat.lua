-- The heartbeat of a pod.
-- KEYS: pods, players. ARGV: the pod's name, the heartbeat timeout (ms), the pod's number of players. Returns whether the
-- pod is new on the list, the living pods, and how many players the other living pods have.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local added = redis.call('ZADD', KEYS[1], string.format('%d', now), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, 86400000)
end
local alive = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%d', now - tonumber(ARGV[2])), '+inf')
local elsewhere = 0
for _, pod in ipairs(alive) do
    if pod ~= ARGV[1] then
        elsewhere = elsewhere + tonumber(redis.call('HGET', KEYS[2], pod) or 0)
    end
end
return {added, alive, elsewhere}
