//! Group 6 of the suite: texts that are UTF-8, and texts that are not, most of them from Markus Kuhn's UTF-8 decoder
//! stress test. Each stands in a field of a stroke, so that it is seen whether the message was taken.

use super::Case;
use super::wire::{Back, frame, stroke};

/// "κόσμε".
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

/// The sequences of a group, by whether they are valid.
type Group = (&'static str, Vec<(bool, Vec<u8>)>);

pub(super) fn cases(game: i64) -> Vec<Case> {
    let mut cases = in_fragments(game);
    for (group, sequences) in groups() {
        for (is_valid, bytes) in sequences {
            let name = format!("{group}: {}", bytes.escape_ascii());
            cases.push(of(name, vec![frame(0x81, &noted(game, &bytes))], is_valid, &bytes));
        }
    }
    cases
}

fn noted(game: i64, bytes: &[u8]) -> Vec<u8> {
    stroke(game, &[b",\"note\":\"", bytes, b"\""].concat())
}

fn of(name: String, pieces: Vec<Vec<u8>>, is_valid: bool, bytes: &[u8]) -> Case {
    // A control character is good UTF-8, and no good JSON: the message is dropped.
    let strokes = usize::from(is_valid && bytes.iter().all(|byte| *byte >= 0x20));
    let case = Case { name, pieces, strokes, back: Vec::new() };
    if is_valid { case.survives() } else { Case { back: vec![Back::Close(Some(1007))], ..case } }
}

/// Cases 6.1 to 6.4: valid and invalid texts in fragments and pieces.
fn in_fragments(game: i64) -> Vec<Case> {
    let valid = "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!".as_bytes();
    let surrogate = [KOSME, b"\xed\xa0\x80", b"edited"].concat();
    let beyond = [KOSME, b"\xf4\x90\x80\x80", b"edited"].concat();
    let bytes = |message: &[u8]| message.iter().map(|byte| vec![*byte]).collect::<Vec<_>>();
    // A fragment per byte, so that characters are cut.
    let fragments = |message: &[u8]| {
        let last = message.len() - 1;
        let fragment = |(number, byte): (usize, &u8)| {
            let first = u8::from(number == 0) | if number == last { 0x80 } else { 0 };
            frame(first, &[*byte])
        };
        message.iter().enumerate().map(fragment).collect::<Vec<_>>()
    };
    let (good, bad) = (noted(game, valid), noted(game, &surrogate));
    let (head, tail) = good.split_at(good.len() / 2);
    // What comes behind the fault does not have to: the fragment with it is enough.
    let cut = bad.iter().position(|byte| *byte == 0xed).expect("a surrogate") + 2;
    let fault = |bytes: &[u8]| vec![frame(0x01, b"{"), frame(0x00, bytes)];
    vec![
        Case { name: "6.1.1".into(), pieces: vec![frame(0x81, b"")], strokes: 0, back: vec![] }
            .survives(),
        of(
            "6.1.2".into(),
            vec![frame(0x01, b""), frame(0x00, b""), frame(0x80, &good)],
            true,
            valid,
        ),
        of(
            "6.1.3".into(),
            vec![frame(0x01, b""), frame(0x00, &good), frame(0x80, b"")],
            true,
            valid,
        ),
        of("6.2.1".into(), vec![frame(0x81, &good)], true, valid),
        of("6.2.2".into(), vec![frame(0x01, head), frame(0x80, tail)], true, valid),
        of("6.2.3".into(), fragments(&good), true, valid),
        of("6.2.4".into(), fragments(&noted(game, KOSME)), true, KOSME),
        of("6.3.1".into(), vec![frame(0x81, &bad)], false, &surrogate),
        of("6.3.2".into(), fragments(&bad[..cut]), false, &surrogate),
        of("6.4.1".into(), fault(&beyond), false, &beyond),
        of("6.4.2".into(), fault(&beyond[..KOSME.len() + 4]), false, &beyond),
        of("6.4.3".into(), bytes(&frame(0x81, &noted(game, &beyond))), false, &beyond),
        of("6.4.4".into(), bytes(&frame(0x81, &bad)), false, &surrogate),
    ]
}

fn groups() -> Vec<Group> {
    [sequences(), malformed(), surrogates(), characters()].into_iter().flatten().collect()
}

fn all(is_valid: bool, sequences: &[&[u8]]) -> Vec<(bool, Vec<u8>)> {
    sequences.iter().map(|bytes| (is_valid, bytes.to_vec())).collect()
}

fn sequences() -> Vec<Group> {
    let text: [&[u8]; 5] = [
        b"hello$world",
        b"hello\xc2\xa2world",
        b"hello\xe2\x82\xacworld",
        b"hello\xf0\xa4\xad\xa2world",
        KOSME,
    ];
    let prefixes = (1..=KOSME.len()).map(|end| &KOSME[..end]);
    let prefixes = prefixes.map(|it| (std::str::from_utf8(it).is_ok(), it.to_vec())).collect();
    let first: [&[u8]; 4] = [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"];
    let too_long: [&[u8]; 2] = [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"];
    let last: [&[u8]; 4] = [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"];
    let beyond: [&[u8]; 3] =
        [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"];
    let others: [&[u8]; 4] =
        [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"];
    vec![
        ("6.5", all(true, &text)),
        ("6.6", prefixes),
        ("6.7", all(true, &first)),
        ("6.8", all(false, &too_long)),
        ("6.9", all(true, &last)),
        ("6.10", all(false, &beyond)),
        ("6.11", [all(true, &others), all(false, &[b"\xf4\x90\x80\x80"])].concat()),
    ]
}

fn malformed() -> Vec<Group> {
    let continuation: Vec<u8> = (0x80..0xbf).collect();
    let unexpected: [&[u8]; 7] = [
        b"\x80",
        b"\xbf",
        b"\x80\xbf",
        b"\x80\xbf\x80",
        b"\x80\xbf\x80\xbf",
        b"\x80\xbf\x80\xbf\x80",
        &continuation,
    ];
    let lonely = [(0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd)];
    let lonely =
        lonely.map(|(from, to)| (from..to).flat_map(|byte| [byte, b' ']).collect::<Vec<u8>>());
    let cut: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    let joined = cut.concat();
    let overlong: [&[u8]; 15] = [
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xfc\x80\x80\x80\x80\xaf",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf8\x87\xbf\xbf\xbf",
        b"\xfc\x83\xbf\xbf\xbf\xbf",
        b"\xc0\x80",
        b"\xe0\x80\x80",
        b"\xf0\x80\x80\x80",
        b"\xf8\x80\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80\x80",
    ];
    vec![
        ("6.12", all(false, &unexpected)),
        ("6.13", lonely.map(|bytes| (false, bytes)).to_vec()),
        ("6.14", all(false, &cut)),
        ("6.15", all(false, &[&joined])),
        ("6.16", all(false, &[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"])),
        ("6.17 to 6.19", all(false, &overlong)),
    ]
}

fn surrogates() -> Vec<Group> {
    let single: [&[u8]; 7] = [
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xae\x80",
        b"\xed\xaf\xbf",
        b"\xed\xb0\x80",
        b"\xed\xbe\x80",
        b"\xed\xbf\xbf",
    ];
    let (high, low) = ([single[0], single[1], single[2], single[3]], [single[4], single[6]]);
    let pairs = high.iter().flat_map(|high| low.map(|low| (false, [*high, low].concat())));
    vec![("6.20", all(false, &single)), ("6.21", pairs.collect())]
}

/// Characters that are none, and special ones: all of them valid.
fn characters() -> Vec<Group> {
    let planes = (0..=16).flat_map(|plane| [0xfffe, 0xffff].map(|it| plane << 16 | it));
    let text = |code: u32| char::from_u32(code).expect("no surrogate").to_string().into_bytes();
    let specials = (0xfff9..=0xffff).map(|code| (true, text(code)));
    vec![("6.22", planes.map(|code| (true, text(code))).collect()), ("6.23", specials.collect())]
}
