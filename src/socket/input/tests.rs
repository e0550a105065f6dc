//! Frames as tungstenite writes them, in pieces of any size.

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::*;

/// The bytes of a frame, as a client sends them.
fn bytes(mut frame: Frame) -> Vec<u8> {
    frame.header_mut().mask = Some([1, 2, 3, 254]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).expect("a frame");
    bytes
}

fn data(payload: &[u8], opcode: Data, is_final: bool) -> Vec<u8> {
    bytes(Frame::message(payload.to_vec(), OpCode::Data(opcode), is_final))
}

/// A message and its frames; texts in fragments of this size, with a ping behind each.
fn any_message() -> impl Strategy<Value = (Vec<ClientMessage>, Vec<u8>)> {
    let text = ("[aé€𝄞]{0,140}", 1..200_usize).prop_map(|(text, size)| {
        let mut pieces: Vec<_> = text.as_bytes().chunks(size).collect();
        if pieces.is_empty() {
            pieces.push(b"");
        }
        let (mut messages, mut frames) = (Vec::new(), Vec::new());
        for (number, piece) in pieces.iter().enumerate() {
            let opcode = if number == 0 { Data::Text } else { Data::Continue };
            let is_last = number + 1 == pieces.len();
            frames.extend(data(piece, opcode, is_last));
            if !is_last {
                frames.extend(bytes(Frame::ping(vec![7; number % 126])));
                messages.push(ClientMessage::Ping(vec![7; number % 126]));
            }
        }
        messages.push(ClientMessage::Text(text.clone()));
        (messages, frames)
    });
    let binary = (0..400_usize).prop_map(|size| {
        (vec![ClientMessage::Binary], data(&vec![0xff; size], Data::Binary, true))
    });
    let pong = (0..126_usize).prop_map(|size| {
        (vec![ClientMessage::Pong(vec![9; size])], bytes(Frame::pong(vec![9; size])))
    });
    prop_oneof![4 => text, 1 => binary, 1 => pong]
}

/// All messages of some bytes that arrive in pieces, up to the first that is broken.
fn read(input: &mut Input, bytes: &[u8], piece: usize) -> Result<Vec<ClientMessage>, Broken> {
    let mut messages = Vec::new();
    for mut piece in bytes.chunks(piece) {
        while let Some(message) = input.parse(&mut piece) {
            messages.push(message?);
        }
        assert!(piece.is_empty(), "all of it is taken");
    }
    Ok(messages)
}

proptest! {
    #[test]
    fn every_message_is_read_however_it_arrives(
        sent in prop::collection::vec(any_message(), 0..8),
        piece in 1..700_usize,
    ) {
        let (messages, frames): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
        let mut input = Input::new(4096);
        let got = read(&mut input, &frames.concat(), piece);
        prop_assert_eq!(got, Ok(messages.into_iter().flatten().collect()));
    }

    #[test]
    fn no_bytes_of_a_stranger_break_more_than_the_socket(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        piece in 1..50_usize,
    ) {
        let whole = read(&mut Input::new(200), &bytes, bytes.len().max(1));
        prop_assert_eq!(read(&mut Input::new(200), &bytes, piece), whole);
    }
}

#[test]
fn frames_are_counted_as_they_begin() {
    let mut input = Input::new(10);
    let fragments = [data(b"", Data::Text, false), data(b"", Data::Continue, false)].concat();
    assert_eq!(read(&mut input, &fragments, 1), Ok(Vec::new()));
    assert_eq!((input.take_frames(), input.take_frames()), (2, 0));
}

#[test]
fn the_limit_counts_the_whole_message_and_no_bytes_are_awaited_beyond_it() {
    let limit = |frames: &[u8]| read(&mut Input::new(10), frames, 1);
    assert_eq!(limit(&data(&[b'a'; 10], Data::Text, true)).map(|it| it.len()), Ok(1));
    assert_eq!(limit(&data(&[b'a'; 11], Data::Text, true)), Err(Broken::TooLarge));
    let begin = data(&[b'a'; 6], Data::Text, false);
    let promise = [&begin[..], &[0x80, 0xff], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(limit(&promise), Err(Broken::TooLarge));
    let ping = bytes(Frame::ping(vec![7; 125]));
    assert_eq!(limit(&ping).map(|it| it.len()), Ok(1), "a control frame is no message");
}

#[test]
fn a_buffer_is_kept_for_the_next_text_but_none_that_is_large() {
    let mut input = Input::new(4096);
    for (length, is_kept) in [(90, true), (4_000, false)] {
        let frame = data(&vec![b'a'; length], Data::Text, true);
        let mut bytes = &frame[..];
        let Some(Ok(ClientMessage::Text(text))) = input.parse(&mut bytes) else { panic!("a text") };
        input.recycle(text);
        assert_eq!(input.message.capacity() > 0, is_kept, "{length}");
    }
}
