-- Refused like any other write: without memory, as a replica, or without the rights.
redis.call('set', KEYS[1], '', 'px', 60000)
