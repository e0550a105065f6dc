//! How bots type, for all texts, speeds and ids; and when they join.

use std::time::Duration;

use proptest::prelude::*;

use super::plan::{Plan, SPEEDS, id};
use super::settings::BotSettings;
use super::{HANDING_IN, arrive_at, finishes_at};
use crate::game::{
    Door, Game, GameId, Parts, Player, SocketId, Stage, Timestamp, User, UserId, UserType,
};
use crate::handlers::shared::{Stroke, Text, Words, invited};
use crate::module::Setup;
use crate::settings::{Settings, Sources, load};

fn texts() -> impl Strategy<Value = String> {
    let word = prop::collection::vec(prop::sample::select(vec!['a', 'é', '的', '-']), 1..12);
    prop::collection::vec(word.prop_map(String::from_iter), 1..40).prop_map(|words| words.join(" "))
}

fn player(id: UserId, user_type: UserType) -> Player {
    let user = User { id, name: "Anna".into(), user_type };
    Player::new(user, Some((SocketId(1), "pod".into())))
}

fn game(stage: Stage, door: Door, players: Vec<Player>) -> Game {
    Game {
        stage,
        door,
        closes_at: Timestamp(5_000_000),
        starts_at: Some(Timestamp(10_000_000)),
        ends_at: Timestamp(i64::MAX),
        players,
        ..Game::opened(GameId(1), Timestamp(0), Parts::default().with(Words("some words".into())))
    }
}

fn settings(variables: &[(&str, &str)]) -> Settings {
    let variable = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
    let environment = variables.iter().map(variable).collect();
    load(&Sources { environment, ..Sources::default() }).expect("good settings").settings
}

proptest! {
    #[test]
    fn a_bot_types_at_its_speed_to_the_end_of_the_text(
        text in texts(),
        wpm in SPEEDS,
        chance: u64,
    ) {
        let plan = Plan::of(&id(wpm, chance), &text);
        prop_assert_eq!(&plan, &Plan::of(&id(wpm, chance), &text));
        let characters = f64::from(Text::of(&text).characters());
        let seconds = characters / 5.0 / f64::from(wpm) * 60.0;
        prop_assert!((plan.duration().as_secs_f64() - seconds).abs() < 0.001 + seconds * 1e-6);
        let last = plan.strokes().last().unwrap();
        let words: Vec<_> = text.split(' ').collect();
        prop_assert_eq!(last.word_index as usize, words.len() - 1);
        prop_assert_eq!(last.char_index as usize, words.last().unwrap().chars().count() - 1);
        let figures = plan.figures();
        prop_assert!((figures.wpm - f64::from(wpm)).abs() < 1e-6 && figures.wpm_raw >= figures.wpm);
        prop_assert!(figures.acc > 0.0 && figures.acc <= 100.0);
    }

    #[test]
    fn strokes_come_in_time_and_stay_within_the_text(text in texts(), chance: u64) {
        let plan = Plan::of(&id(60, chance), &text);
        let lengths: Vec<_> = text.split(' ').map(|word| word.chars().count() as i32).collect();
        let mut before = (Duration::ZERO, 0);
        for stroke in plan.strokes() {
            prop_assert!(stroke.after >= before.0 && stroke.word_index >= before.1);
            let length = lengths[stroke.word_index as usize];
            prop_assert!((-1..length).contains(&stroke.char_index));
            before = (stroke.after, stroke.word_index);
        }
    }

    #[test]
    fn no_id_is_too_strange_to_type(text in texts(), strange in ".*") {
        prop_assert!(Plan::of(&UserId::from(strange.as_str()), &text).duration() > Duration::ZERO);
    }
}

#[test]
fn the_rhythm_is_no_machines() {
    let text = ["typing"; 40].join(" ");
    let plan = Plan::of(&id(60, 7), &text);
    let pauses: Vec<_> = plan
        .strokes()
        .windows(2)
        .map(|two| (two[1].after - two[0].after).as_secs_f64() * 1000.0)
        .collect();
    let mean = pauses.iter().sum::<f64>() / pauses.len() as f64;
    let deviation =
        (pauses.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / pauses.len() as f64).sqrt();
    assert!((100.0..240.0).contains(&mean), "{mean} ms");
    assert!((0.25..0.8).contains(&(deviation / mean)), "{deviation} of {mean} ms");
    assert_ne!(plan, Plan::of(&id(60, 8), &text));
}

#[test]
fn bots_come_shortly_before_an_open_lobby_closes_once() {
    let anna = || player("guest-1".into(), UserType::Guest);
    let bot = || player(id(40, 1), UserType::Guest);
    let invited = invited("abcdefgh");
    let at = Some(Timestamp(3_500_000));
    assert_eq!(arrive_at(&game(Stage::Lobby, Door::OPEN, vec![anna()])), at);
    assert_eq!(arrive_at(&game(Stage::Lobby, Door::OPEN, vec![anna(), bot()])), None);
    assert_eq!(arrive_at(&game(Stage::Lobby, Door::ALONE, vec![anna()])), None);
    assert_eq!(arrive_at(&game(Stage::Lobby, invited, vec![anna()])), None);
    assert_eq!(arrive_at(&game(Stage::Closed, Door::OPEN, vec![anna()])), None);
}

#[test]
fn the_fastest_bot_that_still_types_is_the_next_to_finish() {
    let (slow, fast) = (id(30, 1), id(60, 2));
    let bots = vec![player(slow.clone(), UserType::Guest), player(fast.clone(), UserType::Guest)];
    let mut game = game(Stage::Running, Door::OPEN, bots);
    let at = |bot: &UserId, start| {
        Timestamp(start) + Plan::of(bot, "some words").duration() + HANDING_IN
    };
    assert_eq!(finishes_at(&game), Some(at(&fast, 10_000_000)));
    // Late START, late end.
    game.players[1].start(Timestamp(60_000_000));
    assert_eq!(finishes_at(&game), Some(at(&slow, 10_000_000)));
    game.stage = Stage::Countdown;
    assert_eq!(finishes_at(&game), None);
}

#[test]
fn bots_are_on_where_a_server_is_alone_unless_the_settings_say_otherwise() {
    let on = |variables: &[(&str, &str)]| {
        let settings = settings(variables);
        BotSettings::are_on(&Setup::of(&settings, "bots"))
    };
    let redis = ("TP_REDIS__HOST", "localhost");
    assert!(on(&[]));
    assert!(!on(&[redis]));
    assert!(on(&[redis, ("TP_HANDLERS__BOTS__ENABLED", "true")]));
    assert!(!on(&[("TP_HANDLERS__BOTS__ENABLED", "false")]));
}

#[test]
fn settings_that_cannot_be_are_named() {
    let refused = |variables: &[(&str, &str)]| {
        let settings = settings(variables);
        BotSettings::load(&Setup::of(&settings, "bots")).map(drop).unwrap_err()
    };
    assert_eq!(
        refused(&[("TP_HANDLERS__BOTS__SLOWEST", "80")]),
        "handlers.bots.slowest must not be more than handlers.bots.fastest"
    );
    assert_eq!(
        refused(&[("TP_HANDLERS__BOTS__FASTEST", "900")]),
        "handlers.bots.slowest and fastest must be 5 to 250"
    );
    assert_eq!(
        refused(&[("TP_HANDLERS__BOTS__PLAYERS", "21")]),
        "handlers.bots.players must be at most 20"
    );
}

#[test]
fn drawn_bots_are_labelled_and_differ() {
    let settings = settings(&[("TP_HANDLERS__BOTS__PLAYERS", "5")]);
    let section = BotSettings::load(&Setup::of(&settings, "bots")).unwrap();
    let bots = section.draw(&[], &mut rand::rng());
    assert_eq!(bots.len(), 4);
    for (n, bot) in bots.iter().enumerate() {
        assert!(
            bot.is_bot() && bot.id.as_str().starts_with("bot-") && bot.name.ends_with(" (bot)")
        );
        assert!(bots[..n].iter().all(|other| other.name != bot.name && other.id != bot.id));
    }
}

#[test]
fn bots_are_about_as_fast_as_the_people_they_race() {
    let settings = settings(&[("TP_HANDLERS__BOTS__PLAYERS", "20")]);
    let section = BotSettings::load(&Setup::of(&settings, "bots")).unwrap();
    let speed = |bot: &User| bot.id.as_str().split('-').nth(1).unwrap().parse::<f64>().unwrap();
    // One fewer than fit in a lobby by default.
    for (paces, ranges) in [
        (vec![100.0], [(85.0, 115.0); 4]),
        (vec![20.0, 120.0], [(17.0, 23.0), (102.0, 138.0), (17.0, 23.0), (102.0, 138.0)]),
        (vec![], [(25.0, 70.0); 4]),
        (vec![900.0], [(250.0, 250.0); 4]),
    ] {
        let bots = section.draw(&paces, &mut rand::rng());
        assert_eq!(bots.len(), 4);
        for (bot, (from, to)) in bots.iter().zip(ranges) {
            assert!((from..=to).contains(&speed(bot)), "{paces:?}: {}", bot.id);
        }
    }
}

#[test]
fn a_cursor_goes_on_where_it_is_by_now() {
    let plan = Plan::of(&id(60, 7), "some words");
    let all = plan.strokes();
    assert_eq!(Stroke::from(all, Duration::ZERO), all);
    assert_eq!(Stroke::from(all, all[4].after), &all[4..]);
    assert_eq!(Stroke::from(all, plan.duration() * 2), &all[all.len() - 1..]);
}
