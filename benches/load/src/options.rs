//! The command line.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::Parser;

use crate::format::Format;
use crate::rhythm::{Rhythms, Typing};

const AFTER: &str = "\
Limits: players of one machine share one address, so the limits per address (docs/settings.md) end a large run with
429. For a server under load, set
  TP_LIMITS__GUESTS_PER_MINUTE, TP_LIMITS__SEATS_PER_MINUTE   above the arrivals per minute
  TP_LIMITS__SOCKETS_PER_ADDRESS, TP_LIMITS__SOCKETS          above the players
  TP_LIMITS__REQUESTS_PER_SECOND                              above four per player and round
  TP_LIMITS__FRAMES_PER_SECOND                                above --keys-per-second, if that is over 60
or leave them as they are and set TP_LIMITS__TRUSTED_PROXIES='[\"127.0.0.1\"]' on the server and --addresses N here: then
the generator counts as N client addresses, by X-Forwarded-For. A known player takes at most
TP_LIMITS__SEATS_PER_PLAYER seats a minute. TP_HANDLERS__BOTS__ENABLED=false keeps bots out of lobbies that do not fill.";

/// Plays typephoon races against a server, and reports joins, latencies, losses, errors, CPU and memory.
#[derive(Parser, Debug)]
#[command(after_help = AFTER)]
pub struct Options {
    /// Address of a server, `http://host:port`; several (pods) get connections in turns
    #[arg(long = "url", default_value = "http://127.0.0.1:8080", value_parser = Target::parse)]
    pub urls: Vec<Target>,
    /// Players
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub players: u32,
    /// Players that arrive per second
    #[arg(long, default_value_t = 50.0, value_parser = positive)]
    pub arrival: f64,
    /// Speed in words per minute, or a range from which each player gets one [default: 40-90, or that of --rhythms]
    #[arg(long, value_parser = Typing::parse)]
    pub typing: Option<Typing>,
    /// File with recorded rhythms, one per line: a name, a colon, and the milliseconds between keys, separated by blanks.
    /// Players type at the recorded speeds, unless --typing is given
    #[arg(long, value_name = "FILE", value_parser = Rhythms::read, conflicts_with = "keys_per_second")]
    pub rhythms: Option<Rhythms>,
    /// Type evenly at this rate instead
    #[arg(long, value_parser = positive)]
    pub keys_per_second: Option<f64>,
    /// Races of each player, one after the other; 1 without --seconds, else as many as fit
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// Players that stop reading in the middle of each race
    #[arg(long, default_value_t = 0)]
    pub slow_readers: u32,
    /// For how long slow readers do not read
    #[arg(long, default_value_t = 5.0, value_parser = positive)]
    pub slow_seconds: f64,
    /// Players that lose their socket in the middle of each race and reopen it
    #[arg(long, default_value_t = 0)]
    pub reconnects: u32,
    /// End after so many seconds
    #[arg(long, value_parser = positive)]
    pub seconds: Option<f64>,
    /// Type the text again and again until --seconds are over, so that the load is even
    #[arg(long, requires = "seconds")]
    pub endless: bool,
    /// Leave the first seconds, until everybody races, out of latencies and CPU per frame
    #[arg(long, default_value_t = 0.0)]
    pub warm_up: f64,
    /// Client addresses to play, told by X-Forwarded-For; 0 sends none
    #[arg(long, default_value_t = 0)]
    pub addresses: u32,
    /// Processes whose CPU and memory are measured; those of several are added up
    #[arg(long = "pid", num_args = 1..)]
    pub pids: Vec<u32>,
    /// Write the report as JSON
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Write the report as one HTML page with plots
    #[arg(long)]
    pub html: Option<PathBuf>,
    /// Frame format of the game socket
    #[arg(long, value_enum, default_value_t = Format::V1)]
    pub format: Format,
}

impl Options {
    /// How players type.
    pub fn typing(&self) -> Typing {
        match (self.keys_per_second, &self.typing, &self.rhythms) {
            (Some(rate), ..) => Typing::Fixed(rate),
            (_, Some(typing), _) => typing.clone(),
            (_, _, Some(_)) => Typing::Recorded,
            _ => Typing::Rhythms { slowest: 40.0, fastest: 90.0 },
        }
    }

    /// The rhythms of the players.
    pub fn rhythms(&self) -> &Rhythms {
        self.rhythms.as_ref().unwrap_or_else(|| Rhythms::built_in())
    }

    /// Number of races of each player.
    pub fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.seconds.is_some() { u32::MAX } else { 1 })
    }

    /// The client address of a player for `X-Forwarded-For`, from 10.0.0.0/8.
    pub fn address_of(&self, player: u32) -> Option<Ipv4Addr> {
        let number = player.checked_rem(self.addresses)?;
        Some(Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 1)).wrapping_add(number)))
    }

    /// Whether a player stops reading: the first players do.
    pub fn is_slow(&self, player: u32) -> bool {
        player < self.slow_readers
    }

    /// Whether a player reconnects: the players after the slow readers do.
    pub fn reconnects(&self, player: u32) -> bool {
        player.checked_sub(self.slow_readers).is_some_and(|it| it < self.reconnects)
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The value of the `Host` header.
    pub host: String,
    /// Its address.
    pub address: SocketAddr,
}

impl Target {
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") {
            return Err(
                "TLS is not spoken here: name the server behind the proxy, by http://".into()
            );
        }
        let host = text.trim_start_matches("http://").trim_end_matches('/');
        if host.contains('/') {
            return Err("an address without a path".into());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = if has_port { host.to_owned() } else { format!("{host}:80") };
        let address = with_port.to_socket_addrs().map_err(|error| error.to_string())?.next();
        Ok(Self { host: host.into(), address: address.ok_or("a name without an address")? })
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("a number above 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Options {
        Options::try_parse_from([&["typephoon-load"], arguments].concat()).expect("valid options")
    }

    #[test]
    fn an_address_is_a_host_with_or_without_a_port() {
        let target = Target::parse("http://127.0.0.1:8081/").expect("an address");
        assert_eq!(target.address, ([127, 0, 0, 1], 8081).into());
        assert_eq!(Target::parse("127.0.0.1").expect("an address").address.port(), 80);
        for wrong in ["https://127.0.0.1", "http://127.0.0.1/path"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn several_processes_are_named_by_one_option_or_by_several() {
        let some = options(&["--pid", "12", "34", "--players", "2", "--pid", "56"]);
        assert_eq!((some.pids, some.players), (vec![12, 34, 56], 2));
        assert!(Options::try_parse_from(["typephoon-load", "--pid"]).is_err());
    }

    #[test]
    fn recorded_rhythms_keep_their_speed_unless_one_is_given() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/rhythms.txt");
        let typing = |arguments: &[&str]| options(arguments).typing();
        assert!(matches!(typing(&["--rhythms", file]), Typing::Recorded));
        let scaled = typing(&["--rhythms", file, "--typing", "60"]);
        assert!(matches!(scaled, Typing::Rhythms { slowest: 60.0, .. }));
        assert!(matches!(typing(&[]), Typing::Rhythms { slowest: 40.0, fastest: 90.0 }));
        let missing = ["typephoon-load", "--rhythms", "/no/such/file"];
        let refused = Options::try_parse_from(missing).expect_err("there is no such file");
        assert!(refused.to_string().contains("No such file"), "{refused}");
    }

    #[test]
    fn players_share_the_addresses_in_turns() {
        let some = options(&["--addresses", "300"]);
        assert_eq!(some.address_of(0), Some([10, 0, 0, 1].into()));
        assert_eq!(some.address_of(299), Some([10, 0, 1, 44].into()));
        assert_eq!(some.address_of(300), some.address_of(0));
        assert_eq!(options(&[]).address_of(7), None);
    }

    #[test]
    fn slow_readers_and_reconnecting_players_are_different_ones() {
        let some = options(&["--slow-readers", "2", "--reconnects", "1"]);
        let players = |is: &dyn Fn(u32) -> bool| (0..5).filter(|it| is(*it)).collect::<Vec<_>>();
        assert_eq!(players(&|it| some.is_slow(it)), [0, 1]);
        assert_eq!(players(&|it| some.reconnects(it)), [2]);
    }

    #[test]
    fn one_race_is_played_unless_a_time_is_given() {
        assert_eq!(options(&[]).rounds(), 1);
        assert_eq!(options(&["--seconds", "5"]).rounds(), u32::MAX);
        assert_eq!(options(&["--seconds", "5", "--rounds", "2"]).rounds(), 2);
    }
}
