//! A race in the terminal, over the public contract alone: `cargo run --example race`.
//!
//! Type the words, Enter whenever you like. `-- --bot 60` types by itself at 60 words per minute, to have
//! opponents; `-- --server http://host:8080` races elsewhere.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where we race, and as whom.
struct Racer {
    server: String,
    cookie: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let server = argument("--server").unwrap_or_else(|| "http://localhost:8080".into());
    let bot = argument("--bot").map(|wpm| wpm.parse::<f64>()).transpose()?;
    let mut racer = Racer { server, cookie: String::new() };

    let game = racer.wait_in_the_lobby().await?;
    let words = racer.get(&format!("/api/v1/game/words?game_id={game}")).await?;
    let words: Vec<String> = text(&words["words"]).split(' ').map(Into::into).collect();
    println!("\n{}\n", words.join(" "));

    let mut socket = racer.socket(&format!("/api/v1/game/ws?game_id={game}")).await?;
    while next(&mut socket).await?["event"] != "START" {}
    println!("go!");
    let begun = Instant::now();
    let typed = match bot {
        Some(wpm) => type_by_itself(&mut socket, game, &words, wpm).await?,
        None => type_by_hand(&mut socket, game, &words).await?,
    };
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let all: usize = typed.iter().map(|word| word.chars().count() + 1).sum();
    let right = typed.iter().zip(&words).filter(|(typed, word)| typed == word);
    let right: usize = right.map(|(word, _)| word.chars().count() + 1).sum();
    // A word is five characters, wherever words per minute are computed.
    let wpm = |characters: usize| characters as f64 / 5.0 / minutes;
    let acc = 100.0 * right as f64 / all.max(1) as f64;
    let result = json!({"game_id": game, "wpm": wpm(right), "wpm_raw": wpm(all), "acc": acc});
    racer.post("/api/v1/game/statistics", &result).await?;
    racer.show_result(game).await
}

impl Racer {
    /// Queues in, fetches the guest's token, and waits for the race. Returns its number.
    async fn wait_in_the_lobby(&mut self) -> Result<i64> {
        let mut socket = self.socket("/api/v1/lobby/queue-in/ws").await?;
        loop {
            let message = next(&mut socket).await?;
            let game = message["game_id"].as_i64().ok_or("a message without a game")?;
            match text(&message["event"]) {
                "INIT" => println!("in the lobby of game {game}"),
                "GET_TOKEN" => {
                    let key = text(&message["guest_token_key"]);
                    self.fetch_token(&format!("/api/v1/auth/guest-token?key={key}")).await?;
                }
                "USER_JOINED" => println!("a player has joined"),
                "USER_LEFT" => println!("a player has left"),
                "GAME_START" => return Ok(game),
                _ => {}
            }
        }
    }

    async fn fetch_token(&mut self, path: &str) -> Result<()> {
        let answer = reqwest::get(format!("{}{path}", self.server)).await?;
        let cookie = answer.headers().get("set-cookie").ok_or("no token")?.to_str()?;
        self.cookie = cookie.split(';').next().unwrap_or_default().into();
        Ok(())
    }

    async fn socket(&self, path: &str) -> Result<Socket> {
        let address = self.server.replacen("http", "ws", 1);
        let mut request = format!("{address}{path}").into_client_request()?;
        if !self.cookie.is_empty() {
            request.headers_mut().insert("cookie", self.cookie.parse()?);
        }
        Ok(connect_async(request).await?.0)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let request = reqwest::Client::new().get(format!("{}{path}", self.server));
        Ok(request.header("cookie", &self.cookie).send().await?.json().await?)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let request = reqwest::Client::new().post(format!("{}{path}", self.server)).json(body);
        let answer: Value = request.header("cookie", &self.cookie).send().await?.json().await?;
        if answer["ok"] == true { Ok(()) } else { Err(format!("not taken: {answer}").into()) }
    }

    async fn show_result(&self, game: i64) -> Result<()> {
        let result = self.get(&format!("/api/v1/game/result?game_id={game}")).await?;
        for place in result["ranking"].as_array().into_iter().flatten() {
            let (name, wpm) = (text(&place["name"]), &place["wpm"]);
            match wpm.as_f64() {
                Some(wpm) => println!("{:>3}. {name:20} {wpm:6.1} wpm", place["rank"]),
                None => println!("  -  {name:20} still typing"),
            }
        }
        Ok(())
    }
}

async fn type_by_itself(
    socket: &mut Socket,
    game: i64,
    words: &[String],
    wpm: f64,
) -> Result<Vec<String>> {
    for (index, word) in words.iter().enumerate() {
        for character in 0..word.len() {
            tell(socket, game, index, character as i64).await?;
            sleep(Duration::from_secs_f64(60.0 / (wpm * 5.0))).await;
        }
        sleep(Duration::from_secs_f64(60.0 / (wpm * 5.0))).await;
    }
    Ok(words.to_vec())
}

async fn type_by_hand(socket: &mut Socket, game: i64, words: &[String]) -> Result<Vec<String>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut typed: Vec<String> = Vec::new();
    while typed.len() < words.len() || typed.last() != words.last() {
        tokio::select! {
            line = lines.next_line() => {
                typed.extend(line?.ok_or("gave up")?.split_whitespace().map(Into::into));
                typed.truncate(words.len());
                tell(socket, game, typed.len().min(words.len() - 1), -1).await?;
            }
            message = next(socket) => {
                let message = message?;
                if message["event"] == "KEY_STOKE" {
                    println!("  {} is at word {}", text(&message["user_id"]), message["word_index"]);
                }
            }
        }
    }
    Ok(typed)
}

async fn tell(socket: &mut Socket, game: i64, word: usize, character: i64) -> Result<()> {
    let event = "KEY_STOKE";
    let position =
        json!({"event": event, "game_id": game, "word_index": word, "char_index": character});
    Ok(socket.send(Message::text(position.to_string())).await?)
}

async fn next(socket: &mut Socket) -> Result<Value> {
    loop {
        match socket.next().await.ok_or("the server closed the socket")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(frame) => return Err(format!("closed: {frame:?}").into()),
            _ => {}
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}
