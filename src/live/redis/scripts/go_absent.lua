-- KEYS: a game in its lobby. ARGV: user, socket, now. That socket of the user has closed.
return leave(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
