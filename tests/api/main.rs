//! Black-box tests: the true binary as a process of its own, over real sockets and HTTP.
//!
//! `server` starts, kills and restarts it, as `setup` says (`process` listens to what it prints, `cluster` has what
//! several share), `site` speaks HTTP, `socket` and `persona` play the players, `device` is where they stay logged in,
//! `browser` logs them in at the provider of `openid`, `signing` makes tokens as the server would. `postgres`, `redis`
//! and `rabbitmq` are servers that may be killed (`service`), `fleet` is several pods on them, `page` plays on such
//! whatever happens, `collector` takes traces, `proxy` is a cable that can be cut, `nginx` the proxy of compose, `prometheus`
//! what scrapes the pods, `wall_clock` a clock that is set, `raw` a connection without a client, `secrets` what no server may
//! print. Every other module holds the tests of one subject, named as sentences.
//!
//! Nothing sleeps to let the server catch up: a test awaits a frame, or asks again until the answer fits, and gives up
//! after [`server::PATIENCE`] with a sentence that says who waited for what. Where time itself is the subject, see
//! [`server::time_passes`].

mod browser;
mod cluster;
mod collector;
mod database;
mod device;
mod fleet;
mod nginx;
mod openid;
mod page;
mod persona;
mod postgres;
mod process;
mod prometheus;
mod proxy;
mod rabbitmq;
mod raw;
mod redis;
mod secrets;
mod server;
mod service;
mod setup;
mod signing;
mod site;
mod socket;
mod wall_clock;

mod accounts;
mod attacks;
mod boards;
mod bots;
mod builds;
mod cheats;
mod conformance;
mod cors;
mod crowd;
mod daily;
mod devices;
mod doors;
mod drain;
mod emotes;
mod faults;
mod game_socket;
mod ghosts;
mod guests;
mod http;
mod http_malformed;
mod hurry;
mod latency;
mod limits;
mod lobby;
mod lobby_socket;
mod login;
mod login_failed;
mod login_forged;
mod login_guest;
mod login_log;
mod login_outage;
mod logs;
mod matchmaking;
mod metrics;
mod names;
mod observability;
mod online;
mod operations;
mod outages;
mod passwords;
mod placement;
mod plausible;
mod pods;
mod pods_broker;
mod profile;
mod protocol;
mod race;
mod rating;
mod recorder;
mod records;
mod restarts;
mod results;
mod review;
mod settings;
mod signed;
mod start;
mod switches;
mod texts;
mod timed;
mod tokens;
mod traces;
mod transport;
mod watch;
mod web;
