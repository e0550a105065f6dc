//! Groups 1 to 5, 7, 9 and 10 of the suite.

use super::Case;
use super::wire::{Back, close, frame, stroke, stroke_of};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// A text whose rest follows; the rest, and its end.
const BEGIN: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;

/// The largest message that the server takes.
const LIMIT: usize = 4096;

impl Case {
    fn new(name: impl ToString, frames: &[Vec<u8>]) -> Self {
        let pieces = vec![frames.concat()];
        Self { name: name.to_string(), pieces, strokes: 0, back: Vec::new() }
    }

    /// The same, written frame by frame.
    fn frame_wise(name: impl ToString, frames: &[Vec<u8>]) -> Self {
        Self { pieces: frames.to_vec(), ..Self::new(name, frames) }
    }

    /// The same, written byte by byte.
    fn byte_wise(name: impl ToString, frames: &[Vec<u8>]) -> Self {
        Self::in_pieces(name, frames, 1)
    }

    fn in_pieces(name: impl ToString, frames: &[Vec<u8>], size: usize) -> Self {
        let whole = Self::new(name, frames);
        let pieces = whole.pieces[0].chunks(size).map(<[u8]>::to_vec).collect();
        Self { pieces, ..whole }
    }

    fn strokes(self, strokes: usize) -> Self {
        Self { strokes, ..self }
    }

    fn pong(mut self, payload: &[u8]) -> Self {
        self.back.push(Back::Pong(payload.to_vec()));
        self
    }

    /// The server closes with this code.
    fn closed(mut self, code: u16) -> Self {
        self.back.push(Back::Close(Some(code)));
        self
    }

    /// Nothing has happened to the socket: the client closes it, and the server confirms that.
    pub(super) fn survives(mut self) -> Self {
        self.pieces.push(close(1000, b""));
        self.closed(1000)
    }
}

pub(super) fn framing(game: i64) -> Vec<Case> {
    let mut cases = Vec::new();
    // An empty text is no message of the contract, and dropped.
    cases.push(Case::new("1.1.1", &[frame(TEXT, b"")]).survives());
    for (name, length) in [("1.1.2", 125), ("1.1.3", 126), ("1.1.4", 127), ("1.1.5", 128)] {
        let message = frame(TEXT, &stroke_of(game, length));
        cases.push(Case::new(name, &[message]).strokes(1).survives());
    }
    let limit = frame(TEXT, &stroke_of(game, LIMIT));
    cases.push(Case::new("the limit", std::slice::from_ref(&limit)).strokes(1).survives());
    cases.push(Case::in_pieces("the limit, in pieces", &[limit], 997).strokes(1).survives());
    for (name, length) in [("above the limit", LIMIT + 1), ("1.1.6", 65_535), ("1.1.7", 65_536)] {
        cases.push(Case::new(name, &[frame(TEXT, &stroke_of(game, length))]).closed(1009));
    }
    let large = frame(TEXT, &stroke_of(game, 65_536));
    cases.push(Case::in_pieces("1.1.8", &[large], 997).closed(1009));
    // Binary messages are none of the contract, and dropped.
    for (number, length) in (1..).zip([0, 125, 126, 127, 128]) {
        let message = frame(BINARY, &vec![0xfe; length]);
        cases.push(Case::new(format!("1.2.{number}"), &[message]).survives());
    }
    for (name, length) in [("1.2.6", 65_535), ("1.2.7", 65_536)] {
        cases.push(Case::new(name, &[frame(BINARY, &vec![0xfe; length])]).closed(1009));
    }
    let large = frame(BINARY, &[0xfe; 65_536]);
    cases.push(Case::in_pieces("1.2.8", &[large], 997).closed(1009));
    cases
}

pub(super) fn pings() -> Vec<Case> {
    let (binary, large) = (&[0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff], [0xfe; 125]);
    let ping = |payload: &[u8]| frame(PING, payload);
    let ten = || (0..10).map(|number| format!("payload-{number}").into_bytes());
    let all = |case: Case| ten().fold(case, |case, payload| case.pong(&payload)).survives();
    let pings: Vec<_> = ten().map(|payload| ping(&payload)).collect();
    vec![
        Case::new("2.1", &[ping(b"")]).pong(b"").survives(),
        Case::new("2.2", &[ping(b"Hello, world!")]).pong(b"Hello, world!").survives(),
        Case::new("2.3", &[ping(binary)]).pong(binary).survives(),
        Case::new("2.4", &[ping(&large)]).pong(&large).survives(),
        Case::new("2.5", &[ping(&[0xfe; 126])]).closed(1002),
        Case::byte_wise("2.6", &[ping(&large)]).pong(&large).survives(),
        Case::new("2.7", &[frame(PONG, b"")]).survives(),
        Case::new("2.8", &[frame(PONG, b"unsolicited")]).survives(),
        Case::new("2.9", &[frame(PONG, b"unsolicited"), ping(b"asked")]).pong(b"asked").survives(),
        all(Case::frame_wise("2.10", &pings)),
        all(Case::byte_wise("2.11", &pings)),
    ]
}

/// Reserved bits and opcodes: nothing behind them is taken.
pub(super) fn reserved(game: i64) -> Vec<Case> {
    let text = || frame(TEXT, &stroke(game, b""));
    let payload = || b"reserved opcode payload".to_vec();
    let wrong = |first: u8| frame(first, b"");
    let ping = || frame(PING, b"");
    vec![
        Case::new("3.1", &[frame(TEXT | 0x10, &stroke(game, b""))]).closed(1002),
        Case::new("3.2", &[text(), frame(TEXT | 0x20, b"x"), ping()]).strokes(1).closed(1002),
        Case::frame_wise("3.3", &[text(), frame(TEXT | 0x30, b"x"), ping()])
            .strokes(1)
            .closed(1002),
        Case::byte_wise("3.4", &[text(), frame(TEXT | 0x40, b"x"), ping()]).strokes(1).closed(1002),
        Case::new("3.5", &[frame(BINARY | 0x50, b"x")]).closed(1002),
        Case::new("3.6", &[frame(PING | 0x60, b"x")]).closed(1002),
        Case::new("3.7", &[frame(0x88 | 0x70, b"\x03\xe8")]).closed(1002),
        Case::new("4.1.1", &[wrong(0x83)]).closed(1002),
        Case::new("4.1.2", &[frame(0x84, &payload())]).closed(1002),
        Case::new("4.1.3", &[text(), wrong(0x85), ping()]).strokes(1).closed(1002),
        Case::new("4.1.4", &[text(), frame(0x86, &payload()), ping()]).strokes(1).closed(1002),
        Case::byte_wise("4.1.5", &[text(), frame(0x87, &payload()), ping()])
            .strokes(1)
            .closed(1002),
        Case::new("4.2.1", &[wrong(0x8b)]).closed(1002),
        Case::new("4.2.2", &[frame(0x8c, &payload())]).closed(1002),
        Case::new("4.2.3", &[text(), wrong(0x8d), ping()]).strokes(1).closed(1002),
        Case::new("4.2.4", &[text(), frame(0x8e, &payload()), ping()]).strokes(1).closed(1002),
        Case::byte_wise("4.2.5", &[text(), frame(0x8f, &payload()), ping()])
            .strokes(1)
            .closed(1002),
    ]
}

pub(super) fn fragments(game: i64) -> Vec<Case> {
    let message = stroke(game, b"");
    let (head, tail) = message.split_at(20);
    let (begin, last) = (|| frame(BEGIN, head), || frame(LAST, tail));
    let ping = |payload: &[u8]| frame(PING, payload);
    let text = || frame(TEXT, &message);
    let two = [begin(), last()];
    let around = [begin(), ping(b"ping payload"), last()];
    let stray = |first: u8| [frame(first, b"non-continuation payload"), text()];
    let (third, fourth) = tail.split_at(10);
    let many = [
        begin(),
        frame(MORE, third),
        ping(b"1"),
        frame(MORE, b" "),
        ping(b"2"),
        frame(LAST, fourth),
    ];
    let twice = |first: u8| [frame(first, b"fragment1"), begin(), last()].concat();
    vec![
        Case::new("5.1", &[frame(0x09, b"fragment1"), frame(LAST, b"fragment2")]).closed(1002),
        Case::new("5.2", &[frame(0x0a, b"fragment1"), frame(LAST, b"fragment2")]).closed(1002),
        Case::new("5.3", &two).strokes(1).survives(),
        Case::frame_wise("5.4", &two).strokes(1).survives(),
        Case::byte_wise("5.5", &two).strokes(1).survives(),
        Case::new("5.6", &around).strokes(1).pong(b"ping payload").survives(),
        Case::frame_wise("5.7", &around).strokes(1).pong(b"ping payload").survives(),
        Case::byte_wise("5.8", &around).strokes(1).pong(b"ping payload").survives(),
        Case::new("5.9", &stray(LAST)).closed(1002),
        Case::frame_wise("5.10", &stray(LAST)).closed(1002),
        Case::byte_wise("5.11", &stray(LAST)).closed(1002),
        Case::new("5.12", &stray(MORE)).closed(1002),
        Case::frame_wise("5.13", &stray(MORE)).closed(1002),
        Case::byte_wise("5.14", &stray(MORE)).closed(1002),
        Case::new("5.15", &[begin(), last(), frame(MORE, b"x"), text()]).strokes(1).closed(1002),
        Case::new("5.16", &[twice(MORE), twice(MORE)]).closed(1002),
        Case::new("5.17", &[twice(LAST), twice(LAST)]).closed(1002),
        Case::new("5.18", &[begin(), frame(TEXT, tail)]).closed(1002),
        Case::new("5.19", &many).strokes(1).pong(b"1").pong(b"2").survives(),
        Case::byte_wise("5.20", &many).strokes(1).pong(b"1").pong(b"2").survives(),
    ]
}

/// Groups 9 and 10 send messages up to 16 MiB, in one frame and in many. The limit counts the whole message.
pub(super) fn limits(game: i64) -> Vec<Case> {
    let pieces = |length: usize, size: usize| {
        let message = stroke_of(game, length);
        let count = message.len().div_ceil(size);
        let frames = message.chunks(size).enumerate().map(move |(number, piece)| {
            let opcode = if number == 0 { BEGIN } else { MORE };
            let end = if number + 1 == count { 0x80 } else { 0 };
            frame(opcode | end, piece)
        });
        frames.collect::<Vec<_>>()
    };
    // Only a promise of its length: the rest of the message does not have to come.
    let promise = [&[TEXT, 0xff][..], &(16_u64 << 20).to_be_bytes(), &[0; 4]].concat();
    vec![
        Case::new("9.1, a length of 16 MiB", &[promise]).closed(1009),
        Case::new("9.3, the limit in many fragments", &pieces(LIMIT, 64)).strokes(1).survives(),
        Case::new("9.3, above the limit in many fragments", &pieces(LIMIT + 1, 64)).closed(1009),
        Case::frame_wise("9.3, frame by frame", &pieces(2 * LIMIT, 256)).closed(1009),
        Case::new("10.1.1", &pieces(65_536, 1300)).closed(1009),
    ]
}

pub(super) fn closing(game: i64) -> Vec<Case> {
    let text = || frame(TEXT, &stroke(game, b""));
    let done = || close(1000, b"");
    let message = stroke(game, b"");
    let (head, tail) = message.split_at(20);
    let large = frame(TEXT, &stroke_of(game, 256 * 1024));
    vec![
        Case::new("7.1.1", &[text(), done()]).strokes(1).closed(1000),
        Case::new("7.1.2", &[done(), done()]).closed(1000),
        Case::new("7.1.3", &[done(), frame(PING, b"")]).closed(1000),
        Case::new("7.1.4", &[done(), text()]).closed(1000),
        Case::new("7.1.5", &[frame(BEGIN, head), done(), frame(LAST, tail)]).closed(1000),
        Case::new("7.1.6", &[large, done(), frame(PING, b"")]).closed(1009),
        Case { back: vec![Back::Close(None)], ..Case::new("7.3.1", &[frame(0x88, b"")]) },
        Case::new("7.3.2", &[frame(0x88, b"a")]).closed(1002),
        Case::new("7.3.3", &[done()]).closed(1000),
        Case::new("7.3.4", &[close(1000, b"Hello World!")]).closed(1000),
        Case::new("7.3.5", &[close(1000, &[b'*'; 123])]).closed(1000),
        Case::new("7.3.6", &[close(1000, &[b'*'; 124])]).closed(1002),
        Case::new("7.5.1", &[close(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited")]).closed(1007),
    ]
}

pub(super) fn close_codes() -> Vec<Case> {
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    let undefined = [5000, 65_535];
    let cases = |group: &'static str, codes: &[u16], answer: fn(u16) -> u16| {
        let case = |(number, code): (usize, &u16)| {
            Case::new(format!("{group}.{} ({code})", number + 1), &[close(*code, b"")])
                .closed(answer(*code))
        };
        codes.iter().enumerate().map(case).collect::<Vec<_>>()
    };
    [
        cases("7.7", &valid, |code| code),
        cases("7.9", &invalid, |_| 1002),
        cases("7.13", &undefined, |_| 1002),
    ]
    .into_iter()
    .flatten()
    .collect()
}
