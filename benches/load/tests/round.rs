//! A round against a server that has just enough of the contract for it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// Players of the only race.
const PLAYERS: u32 = 3;
/// The text: keystrokes to its end are its characters.
const WORDS: &str = "race me";
const KEYSTROKES: u64 = 7;
/// A position that the server sends twice, of the first player, and one that it does not send.
const DOUBLED: &str = r#""word_index":0,"char_index":1}"#;
const LOST: &str = r#""word_index":0,"char_index":2}"#;

/// Frames to all sockets of the race, except those of one player.
type Frames = broadcast::Sender<(String, String)>;

/// The server: everybody is in race 7, which is full with its last player.
struct Fake {
    arrivals: AtomicU32,
    racers: AtomicU32,
    lobby: Frames,
    race: Frames,
}

#[test]
fn a_round_is_played_and_what_came_of_it_is_told() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(serve(listener));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (json, html) = (folder.join("report.json"), folder.join("report.html"));
    let output = Command::new(env!("CARGO_BIN_EXE_typephoon-load"))
        .args(["--url", &format!("http://{address}"), "--players", &PLAYERS.to_string()])
        .args(["--arrival", "1000", "--keys-per-second", "20", "--addresses", "2"])
        .args(["--pid", &std::process::id().to_string()])
        .args(["--json".as_ref(), json.as_os_str(), "--html".as_ref(), html.as_os_str()])
        .output()
        .expect("the generator runs");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{table}{}", String::from_utf8_lossy(&output.stderr));
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(&json).expect("a report")).expect("JSON");
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
    let page = std::fs::read_to_string(&html).expect("a page");
    assert!(page.matches("<svg").count() >= 6 && !page.contains("NaN"));
}

async fn serve(listener: TcpListener) {
    let fake = Arc::new(Fake {
        arrivals: AtomicU32::new(0),
        racers: AtomicU32::new(0),
        lobby: broadcast::Sender::new(1000),
        race: broadcast::Sender::new(1000),
    });
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
            let head = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            return match path {
                "/api/v1/lobby/queue-in/ws" => queue_in(stream, &fake).await,
                _ => race(stream, &fake, &user).await,
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
                assert!(body.contains(r#""game_id":7"#), "{body}");
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

async fn queue_in(mut stream: TcpStream, fake: &Fake) -> Option<()> {
    let mut frames = fake.lobby.subscribe();
    let number = fake.arrivals.fetch_add(1, Ordering::SeqCst);
    tell(&mut stream, r#"{"event":"INIT","game_id":7}"#).await?;
    let grant =
        format!(r#"{{"event":"GET_TOKEN","game_id":7,"guest_token_key":"guest-1{number}"}}"#);
    tell(&mut stream, &grant).await?;
    if number + 1 == PLAYERS {
        let start = r#"{"event":"GAME_START","game_id":7}"#;
        fake.lobby.send((String::new(), start.into())).ok()?;
    }
    tell(&mut stream, &frames.recv().await.ok()?.1).await?;
    // Open until the client closes it.
    while frame(&mut stream).await.is_some() {}
    Some(())
}

async fn race(stream: TcpStream, fake: &Fake, user: &str) -> Option<()> {
    let mut frames = fake.race.subscribe();
    if fake.racers.fetch_add(1, Ordering::SeqCst) + 1 == PLAYERS {
        fake.race.send((String::new(), r#"{"event":"START","game_id":7}"#.into())).ok()?;
        let bot =
            r#"{"event":"KEY_STOKE","game_id":7,"user_id":"bot","word_index":0,"char_index":0}"#;
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
            let user_id = format!(r#""KEY_STOKE","user_id":"{user}""#);
            let text = text.replace(r#""KEY_STOKE""#, &user_id);
            let is_first = user == "guest-10";
            let times = if is_first && text.ends_with(LOST) {
                0
            } else {
                1 + usize::from(is_first && text.ends_with(DOUBLED))
            };
            for _ in 0..times {
                let _ = fake.race.send((user.into(), text.clone()));
            }
        }
    };
    tokio::select! {
        told = told => told,
        () = heard => Some(()),
    }
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
