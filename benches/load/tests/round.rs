//! Rounds against a server that has just enough of the contract for them.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

/// Players of each race.
const PLAYERS: u32 = 3;
/// The text: keystrokes to its end are its characters.
const WORDS: &str = "race me";
const KEYSTROKES: u64 = 7;
/// A position that the server sends twice, of the first player, and one that it does not send.
const DOUBLED: &str = r#""word_index":0,"char_index":1}"#;
const LOST: &str = r#""word_index":0,"char_index":2}"#;
/// The first race; the next ones follow.
const FIRST: u32 = 7;

/// Frames to all sockets of a race, except those of one player.
type Frames = broadcast::Sender<(String, String)>;

/// The server: a race is full with its last player, and the next arrival opens another.
#[derive(Default)]
struct Fake {
    arrivals: AtomicU32,
    races: Mutex<HashMap<u32, FakeRace>>,
}

/// Its side of a race.
#[derive(Clone)]
struct FakeRace {
    lobby: Frames,
    race: Frames,
    /// The players who have opened a socket so far.
    racers: Arc<Mutex<HashSet<String>>>,
}

impl Fake {
    fn race(&self, number: u32) -> FakeRace {
        let mut races = self.races.lock().expect("no panic");
        let frames = || broadcast::Sender::new(1000);
        let new = || FakeRace { lobby: frames(), race: frames(), racers: Arc::default() };
        races.entry(number).or_insert_with(new).clone()
    }
}

/// Starts a server.
fn start() -> (Runtime, SocketAddr) {
    let runtime = Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(serve(listener));
    (runtime, address)
}

/// Runs the generator. Returns its table, its report, and its page.
fn run(address: SocketAddr, name: &str, arguments: &str) -> (String, Value, String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let [json, html] = ["json", "html"].map(|end| folder.join(format!("{name}.{end}")));
    let output = Command::new(env!("CARGO_BIN_EXE_typephoon-load"))
        .args(["--url", &format!("http://{address}"), "--players", &PLAYERS.to_string()])
        .args(["--arrival", "1000", "--keys-per-second", "20", "--addresses", "2"])
        .args(arguments.split_whitespace())
        .args(["--json".as_ref(), json.as_os_str(), "--html".as_ref(), html.as_os_str()])
        .output()
        .expect("the generator runs");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{table}{}", String::from_utf8_lossy(&output.stderr));
    let read = |path| std::fs::read_to_string(path).expect("a report");
    (table, serde_json::from_str(&read(json)).expect("JSON"), read(html))
}

#[test]
fn a_round_is_played_and_its_figures_are_reported() {
    let (_server, address) = start();
    let (table, report, page) = run(address, "round", &format!("--pid {}", std::process::id()));
    let players = u64::from(PLAYERS);
    let frames = players * (players - 1) * KEYSTROKES;
    for (name, count) in [
        ("joins", players),
        ("starts", players),
        ("finishes", players),
        ("results", players),
        ("sent", players * KEYSTROKES),
        ("delivered", frames - 2),
        ("lost", 2),
        ("doubled", 2),
        ("of_strangers", players),
        ("errors", 0),
    ] {
        assert_eq!(report["counts"][name], count, "{name} in {report:#}\n{table}");
    }
    assert_eq!(report["relay"]["count"], frames - 2);
    assert_eq!(report["to_token"]["count"], players);
    assert!(report["memory_before"].as_f64().is_some_and(|it| it > 0.0));
    assert!(table.contains("relay latency") && table.contains("lost"), "{table}");
    assert!(page.matches("<svg").count() >= 6 && !page.contains("NaN"));
}

#[test]
fn edits_are_typed_for_two_rounds_by_a_slow_reader_and_a_player_who_reconnects_too() {
    let (_server, address) = start();
    let others = "--slow-readers 1 --slow-seconds 0.2 --reconnects 1";
    let (table, report, _) = run(address, "rounds", &format!("--format v2 --rounds 2 {others}"));
    let (players, rounds) = (u64::from(PLAYERS), 2);
    for (name, count) in [
        ("joins", rounds * players),
        ("starts", rounds * players),
        ("finishes", rounds * players),
        ("results", rounds * players),
        ("sent", rounds * players * KEYSTROKES),
        ("reopened", rounds),
        ("lost", 0),
        ("lost_to_slow_readers", 0),
        ("doubled", 0),
        ("errors", 0),
    ] {
        assert_eq!(report["counts"][name], count, "{name} in {report:#}\n{table}");
    }
    assert_eq!(report["reopening"]["count"], rounds);
    // Frames on their way to a lost socket are not due; the latency to a slow reader does not count.
    let to_one = rounds * (players - 1) * KEYSTROKES;
    let delivered = report["counts"]["delivered"].as_u64().expect("a number");
    assert!((players - 1) * to_one < delivered && delivered <= players * to_one, "{table}");
    assert_eq!(report["relay"]["count"], delivered - to_one, "{table}");
}

async fn serve(listener: TcpListener) {
    let fake = Arc::new(Fake::default());
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, fake.clone()));
    }
}

/// Requests of a connection, until one of them opens a socket.
async fn answer(mut stream: TcpStream, fake: Arc<Fake>) -> Option<()> {
    loop {
        let (line, headers, body) = request(&mut stream).await?;
        let user = headers.get("cookie").map(|it| it.replace("TP_AT=", "")).unwrap_or_default();
        assert!(headers["x-forwarded-for"].starts_with("10.0.0."), "{headers:?}");
        let path = line.split(' ').nth(1)?;
        if headers.contains_key("upgrade") {
            return match path {
                "/api/v1/lobby/queue-in/ws" => queue_in(stream, &fake, !user.is_empty()).await,
                _ => {
                    let number = path.split_once("game_id=")?.1.parse().ok()?;
                    let is_v2 = headers
                        .get("sec-websocket-protocol")
                        .is_some_and(|it| it == "typephoon.v2");
                    race(stream, fake.race(number), &user, is_v2).await
                }
            };
        }
        let (body, cookie) = match path.split('?').next()? {
            "/api/v1/auth/guest-token" => (
                r#"{"ok":true}"#.into(),
                format!("set-cookie: TP_AT={}; Path=/\r\n", &path[path.find("guest-1")?..]),
            ),
            "/api/v1/game/players" => {
                (format!(r#"{{"ok":true,"me":{{"id":"{user}"}}}}"#), String::new())
            }
            "/api/v1/game/words" => (format!(r#"{{"ok":true,"words":"{WORDS}"}}"#), String::new()),
            "/api/v1/game/statistics" => {
                assert!(body.contains(r#""game_id":"#), "{body}");
                (r#"{"ok":true}"#.into(), String::new())
            }
            _ => {
                let place = |it| {
                    format!(
                        r#"{{"id":"guest-1{it}","finished":"2026-11-22T17:23:31.642285+00:00"}}"#
                    )
                };
                let places: Vec<String> = (0..PLAYERS).map(place).collect();
                (format!(r#"{{"ok":true,"ranking":[{}]}}"#, places.join(",")), String::new())
            }
        };
        let head =
            format!("HTTP/1.1 200 OK\r\n{cookie}content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).await.ok()?;
    }
}

async fn upgrade(stream: &mut TcpStream) -> Option<()> {
    let head =
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n";
    stream.write_all(head.as_bytes()).await.ok()
}

async fn queue_in(mut stream: TcpStream, fake: &Fake, is_known: bool) -> Option<()> {
    upgrade(&mut stream).await?;
    let number = fake.arrivals.fetch_add(1, Ordering::SeqCst);
    let game = FIRST + number / PLAYERS;
    let lobby = fake.race(game).lobby;
    let mut frames = lobby.subscribe();
    tell(&mut stream, &format!(r#"{{"event":"INIT","game_id":{game}}}"#)).await?;
    if !is_known {
        let key = format!(r#""guest_token_key":"guest-1{number}""#);
        tell(&mut stream, &format!(r#"{{"event":"GET_TOKEN","game_id":{game},{key}}}"#)).await?;
    }
    if number % PLAYERS == PLAYERS - 1 {
        let start = format!(r#"{{"event":"GAME_START","game_id":{game}}}"#);
        lobby.send((String::new(), start)).ok()?;
    }
    tell(&mut stream, &frames.recv().await.ok()?.1).await?;
    // Open until the client closes it.
    while frame(&mut stream).await.is_some() {}
    Some(())
}

async fn race(mut stream: TcpStream, fake: FakeRace, user: &str, is_v2: bool) -> Option<()> {
    // Before the client knows that the socket is open, and expects frames.
    let mut frames = fake.race.subscribe();
    upgrade(&mut stream).await?;
    let is_full = {
        let mut racers = fake.racers.lock().expect("no panic");
        racers.insert(user.into()) && racers.len() == PLAYERS as usize
    };
    if is_full {
        fake.race.send((String::new(), r#"{"event":"START"}"#.into())).ok()?;
        let bot = r#"{"event":"KEY_STOKE","user_id":"bot","word_index":0,"char_index":0}"#;
        fake.race.send((String::new(), bot.into())).ok()?;
    }
    let (mut read, mut write) = stream.into_split();
    let told = async {
        while let Ok((from, text)) = frames.recv().await {
            if from != user {
                tell(&mut write, &text).await?;
            }
        }
        Some(())
    };
    let heard = async {
        while let Some((0x81, text)) = frame(&mut read).await {
            for text in if is_v2 { vec![moved(&text, user)] } else { relayed(&text, user) } {
                let _ = fake.race.send((user.into(), text));
            }
        }
    };
    tokio::select! {
        told = told => told,
        () = heard => Some(()),
    }
}

/// What the others get for a position: one of the first player's twice, and another one not at all.
fn relayed(text: &str, user: &str) -> Vec<String> {
    let text = text.replace(r#""KEY_STOKE""#, &format!(r#""KEY_STOKE","user_id":"{user}""#));
    let is_first = user == "guest-10";
    let count = match () {
        () if is_first && text.ends_with(LOST) => 0,
        () if is_first && text.ends_with(DOUBLED) => 2,
        () => 1,
    };
    vec![text; count]
}

/// What the others get for an edit of `typephoon.v2`: an array of positions.
fn moved(text: &str, user: &str) -> String {
    let edits: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(edits["event"], "EDITS", "{text}");
    let typed = edits["seq"].as_u64().expect("a number") as usize;
    let [edit] = edits["edits"].as_array().expect("edits").as_slice() else { panic!("{text}") };
    let letter = WORDS.chars().nth(typed).map(String::from);
    assert_eq!(edit["ins"].as_str(), letter.as_deref(), "{text}");
    let before = &WORDS[..=typed];
    let (word, last) = (before.matches(' ').count(), before.rsplit(' ').next());
    let char = last.map_or(0, str::len) as i64 - 1;
    let position = format!(r#""user_id":"{user}","word_index":{word},"char_index":{char}"#);
    format!(r#"[{{"event":"KEY_STOKE",{position}}}]"#)
}

/// First line, headers and body of a request.
async fn request(stream: &mut TcpStream) -> Option<(String, HashMap<String, String>, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let (line, headers) = head.split_once("\r\n")?;
    let headers: HashMap<_, _> = headers
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((line.into(), headers, String::from_utf8(body).ok()?))
}

/// The next frame of a client: its first byte and its text. They are short, and masked.
async fn frame(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<(u8, String)> {
    let mut header = [0; 6];
    stream.read_exact(&mut header).await.ok()?;
    assert!((0x80..0x80 + 126).contains(&header[1]), "masked, and short");
    let mut payload = vec![0; usize::from(header[1] & 0x7F)];
    stream.read_exact(&mut payload).await.ok()?;
    let mask = header[2..6].iter().cycle();
    let text = payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    Some((header[0], String::from_utf8(text).unwrap_or_default()))
}

async fn tell(stream: &mut (impl AsyncWriteExt + Unpin), text: &str) -> Option<()> {
    let length = u8::try_from(text.len()).expect("a short text");
    let mut bytes = if length < 126 { vec![0x81, length] } else { vec![0x81, 126, 0, length] };
    bytes.extend_from_slice(text.as_bytes());
    stream.write_all(&bytes).await.ok()
}
