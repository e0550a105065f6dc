-- KEYS: what is good once. Returns it, and takes it away.
local kept = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return kept
