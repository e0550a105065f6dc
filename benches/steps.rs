//! What the steps of a keystroke cost by themselves, without sockets: the bytes of a frame and the fields of its message,
//! the bus, the frame for the receivers; and the signature of a guest's token. Nanoseconds of one thread:
//! `cargo bench --bench steps`.

mod figures;

use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use figures::Compared;
use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};
use typephoon_api::Error;
use typephoon_api::auth::TokenKeys;
use typephoon_api::bus::{BusBuilder, Event, Latest, Owner, Pending, Reach};
use typephoon_api::game::{GameId, PlayerMoved, Timestamp, User, UserId, UserType};
use typephoon_api::settings::Settings;
use typephoon_api::socket::bench::Reader;
use typephoon_api::socket::{Frame, Message};

/// How long a step is repeated, and how often; the median counts.
const SPAN: Duration = Duration::from_millis(300);
const ROUNDS: usize = 7;

/// A module that is always on.
#[derive(Clone)]
struct Module;

impl Owner for Module {
    fn module(&self) -> &'static str {
        "bench"
    }
    fn is_on(&self) -> bool {
        true
    }
    fn takes(&self, _: &'static str) -> bool {
        true
    }
    fn note_panic(&self) {}
}

/// The message that the players of a race receive.
#[derive(Serialize, ToSchema)]
struct Moved {
    game_id: GameId,
    user_id: UserId,
    word_index: u32,
    char_index: i32,
}

impl Message for Moved {
    const EVENT: &'static str = "KEY_STOKE";
}

/// An event that no module hears or shows.
#[derive(Serialize, Deserialize, ToSchema)]
struct Unheard(GameId);

impl Event for Unheard {
    const NAME: &'static str = "bench.unheard";
    const REACH: Reach = Reach::Game;
    type Loss = Latest;
    fn game(&self) -> Option<GameId> {
        Some(self.0)
    }
}

/// A handler that does nothing.
fn none() -> Pin<Box<dyn Future<Output = Result<Pending, Error>> + Send>> {
    Box::pin(async { Ok(Pending::DONE) })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let user = UserId::new_guest();
    let key = br#"{"game_id":35,"event":"KEY_STOKE","word_index":12,"char_index":3}"#;
    let mut reader = Reader::default();
    let received = [&[0x81, 0x80 | key.len() as u8, 0, 0, 0, 0][..], key].concat();
    assert!(reader.reads(&received), "a frame");
    step("frame of a client: bytes, and the head of its message", || reader.reads(&received));
    let edits = br#"{"game_id":35,"event":"EDITS","seq":212,"edits":[{"at":41532,"ins":"t"}]}"#;
    let received = [&[0x81, 0x80 | edits.len() as u8, 0, 0, 0, 0][..], edits].concat();
    assert!(reader.reads(&received), "a frame");
    step("the same for a frame with an edit", || reader.reads(&received));
    let message =
        || Moved { game_id: GameId(35), user_id: user.clone(), word_index: 12, char_index: 3 };
    step("frame for the receivers", || Frame::of(&message()));
    let mut builder = BusBuilder::<Module>::default();
    builder.listen::<PlayerMoved>("bench", Arc::new(|_, _| none()), Arc::new(|_| none()));
    let (bus, _listeners) = builder.build();
    let moved =
        || PlayerMoved { game: GameId(35), user: user.clone(), word_index: 12, char_index: 3 };
    step("bus, an event into the ring of a module", || bus.relay(moved()));
    step("bus, an event without receivers", || bus.relay(Unheard(GameId(35))));
    let data = tempfile::tempdir()?;
    let keys = TokenKeys::load(&Settings { data_dir: data.path().into(), ..Settings::default() })?;
    let guest = User { id: user.clone(), name: "Anna".into(), user_type: UserType::Guest };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let issue = || runtime.block_on(keys.issue(&guest, None, Timestamp::now()));
    step("token of a guest: RS256, 2048 bits", || issue().is_ok());
    let token = issue()?;
    step("token of a caller, verified", || keys.access(Some(&token), Timestamp::now()).is_ok());
    Ok(())
}

/// Measures a step, and notes it.
fn step<T>(name: &str, mut work: impl FnMut() -> T) {
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let (begun, mut times) = (Instant::now(), 0_u32);
            while begun.elapsed() < SPAN {
                (0..16).for_each(|_| drop(black_box(work())));
                times += 16;
            }
            begun.elapsed().as_secs_f64() * 1e9 / f64::from(times)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let nanos = rounds[ROUNDS / 2];
    println!("{name:60} {nanos:>10.0} ns");
    figures::note(&format!("step, {name}"), "ns", nanos, Compared::Frame);
}
