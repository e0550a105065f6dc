//! What an outbox keeps, conflates and gives up.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;

fn position(player: &str, number: usize) -> (Whose, Frame) {
    (Whose { event: "moved", player: Some(player.into()) }, Frame::json(&number))
}

fn push_position(outbox: &Outbox, player: &str, number: usize) {
    let (whose, frame) = position(player, number);
    outbox.push_positions(std::iter::once((&whose, &frame)));
}

#[test]
fn a_prompt_reader_gets_every_position() {
    let outbox = Outbox::default();
    for number in 0..CONFLATE_FROM {
        push_position(&outbox, "anna", number);
    }
    let all: Vec<_> = (0..CONFLATE_FROM).map(|number| number.to_string()).collect();
    assert_eq!(outbox.take_texts(), all);
}

#[test]
fn a_slow_reader_gets_the_newest_of_each_player_in_order() {
    let outbox = Outbox::default();
    for number in 0..10_000 {
        for player in ["anna", "bert"] {
            push_position(&outbox, player, number);
        }
    }
    let got = outbox.take_texts();
    assert!(got.len() <= CONFLATE_FROM + 2, "{}", got.len());
    assert_eq!(got[got.len() - 2..], ["9999", "9999"]);
    assert!(got.is_sorted_by_key(|number| number.parse::<u32>().unwrap()));
}

#[test]
fn lifecycle_frames_are_never_dropped_but_the_client_is() {
    let outbox = Outbox::default();
    for number in 0..LIFECYCLE_LIMIT {
        outbox.push(Frame::json(&number));
    }
    let call = outbox.take_call();
    assert!(!call.wake && call.close.is_none());
    assert_eq!(outbox.take_texts().len(), LIFECYCLE_LIMIT);
    for number in 0..=LIFECYCLE_LIMIT {
        outbox.push(Frame::json(&number));
    }
    assert_eq!(outbox.take_call().close, Some(Kind::SLOW_READER.into()));
    assert!(outbox.is_closing());
}

#[test]
fn fleeting_frames_are_dropped_where_positions_would_be_conflated_and_close_nothing() {
    let outbox = Outbox::default();
    for number in 0..10_000 {
        let (player, frame) = position("anna", number);
        outbox.push_fleeting(&player, frame);
    }
    assert!(!outbox.is_closing() && outbox.take_call().close.is_none());
    outbox.push(Frame::json(&"start"));
    let texts = outbox.take_texts();
    assert_eq!(texts.len(), CONFLATE_FROM + 1);
    assert_eq!(texts.last().map(String::as_str), Some(r#""start""#));
}

/// An outbox over a real connection, and the other end of it.
async fn connected() -> (Outbox, TcpStream) {
    connected_to(false).await
}

/// The same of a client that takes several positions in one frame, or not.
async fn connected_to(joins: bool) -> (Outbox, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (_, connection) = listener.accept().await.unwrap().0.into_split();
    (Outbox::of(connection, joins), client)
}

/// Reads frames until `last` comes.
async fn read_until(client: &mut TcpStream, last: &str) -> Vec<String> {
    let mut ws = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let mut texts = Vec::new();
    while texts.last().is_none_or(|it| it != last) {
        texts.push(ws.next().await.unwrap().unwrap().into_text().unwrap().to_string());
    }
    texts
}

#[tokio::test]
async fn frames_are_written_at_once_but_not_before_what_the_socket_is_about_to_say() {
    let (outbox, mut client) = connected().await;
    outbox.push(Frame::json(&2));
    outbox.say(vec![Frame::json(&0)]);
    outbox.say(vec![Frame::json(&1)]);
    outbox.flush().await.unwrap();
    outbox.push(Frame::json(&3));
    outbox.hold();
    outbox.push(Frame::json(&5));
    outbox.say(vec![Frame::json(&4)]);
    outbox.flush().await.unwrap();
    assert_eq!(read_until(&mut client, "5").await, ["0", "1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn positions_that_were_gathered_are_written_together_and_wait_together() {
    let (outbox, mut client) = connected().await;
    let positions: Vec<_> = (0..AT_ONCE).map(|number| position("anna", number)).collect();
    let push = || outbox.push_positions(positions.iter().map(|(whose, frame)| (whose, frame)));
    // Held: all of them wait.
    push();
    outbox.flush().await.unwrap();
    push();
    outbox.push(Frame::json(&"last"));
    let all: Vec<_> = (0..AT_ONCE).map(|number| number.to_string()).collect();
    let got = read_until(&mut client, "\"last\"").await;
    assert_eq!(got, [&all[..], &all, &["\"last\"".to_owned()]].concat());
}

#[tokio::test]
async fn positions_that_are_written_together_are_one_frame_for_clients_that_take_arrays() {
    let (outbox, mut client) = connected_to(true).await;
    let positions: Vec<_> = (0..5).map(|number| position("anna", number)).collect();
    let push = |some: &[(Whose, Frame)]| {
        outbox.push_positions(some.iter().map(|(whose, frame)| (whose, frame)));
    };
    // Held: they wait.
    push(&positions[..3]);
    outbox.push(Frame::json(&"start"));
    push(&positions[3..4]);
    outbox.flush().await.unwrap();
    push(&positions);
    push(&positions[4..]);
    outbox.push(Frame::json(&"last"));
    let got = read_until(&mut client, "\"last\"").await;
    assert_eq!(got, ["[0,1,2]", "\"start\"", "3", "[0,1,2,3,4]", "4", "\"last\""]);
}

#[tokio::test]
async fn a_client_that_takes_arrays_and_does_not_read_gets_all_in_order_later() {
    let (outbox, mut client) = connected_to(true).await;
    outbox.flush().await.unwrap();
    let long = "x".repeat(60_000);
    for number in 0..200 {
        outbox.push(Frame::json(&format!("{number} {long}")));
    }
    let positions: Vec<_> =
        (0..40).map(|number| position(&format!("player {number}"), number)).collect();
    for few in positions.chunks(AT_ONCE) {
        outbox.push_positions(few.iter().map(|(whose, frame)| (whose, frame)));
    }
    outbox.push(Frame::json(&"last"));
    let (_, got) = tokio::join!(
        async {
            loop {
                outbox.flush().await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                if outbox.waiting.lock().frames.is_empty() {
                    break;
                }
            }
        },
        read_until(&mut client, "\"last\"")
    );
    let numbers: Vec<usize> = got[200..got.len() - 1]
        .iter()
        .flat_map(|text| match serde_json::from_str(text).unwrap() {
            serde_json::Value::Array(several) => several,
            one => vec![one],
        })
        .map(|it| usize::try_from(it.as_u64().unwrap()).unwrap())
        .collect();
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
    assert!(got.len() < 206, "{} frames", got.len());
}

#[tokio::test]
async fn what_the_kernel_does_not_take_waits_and_comes_in_order() {
    let (outbox, mut client) = connected().await;
    outbox.flush().await.unwrap();
    // Several megabytes: more than the kernel keeps for both ends.
    let long = "x".repeat(60_000);
    let frame = |number: usize| Frame::json(&format!("{number} {long}"));
    for number in 0..200 {
        outbox.push(frame(number));
    }
    std::future::poll_fn(|context| outbox.poll_filled(context)).await;
    let last = frame(199);
    let reading = read_until(&mut client, last.text());
    let (flushed, got) = tokio::join!(outbox.flush(), reading);
    flushed.unwrap();
    let all: Vec<_> = (0..200).map(|number| frame(number).text().to_owned()).collect();
    assert_eq!(got, all);
}
