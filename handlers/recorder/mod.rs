//! The recorder: keeps what each player typed in a race, grades the result by it, and shows the race again.
//!
//! A pod has the log of a player in the room of the race (`shared/tape`). It is stored in the middle of the text, at its end, when a
//! socket closes, before a claim is accepted, and with the result: each time by one write that takes over what is news
//! (`Recording::with`), so a repeat changes nothing. A timer does it again for results that were missed. Between pods there are copies
//! of positions for the case that a pod dies (`copies`).

mod answers;
mod copies;
mod query;
mod recording;
mod review;
mod rules;
mod settings;
mod signals;
mod signed;
#[cfg(test)]
mod tests;
mod twins;
mod verify;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use salvo::oapi::endpoint;
use salvo::{Request, Writer};

use self::query::{LinkedReplay, Links, OwnQuery, ResultPath};
use self::recording::Recording;
use self::rules::{Reason, RecordedCount, Task};
use self::settings::RecorderSettings;
use self::signed::{Signatures, SignedResult, Unsigned};
use self::wire::{OwnRecording, Pem, Recordings, Replay};
use crate::auth::Cookies;
use crate::bus::Heard;
use crate::game::{Figures, Game, GameId, Player, PlayerFinished, PlayerTyped, UserId};
use crate::handlers::shared::{
    ClaimMade, FiguresWanted, Grade, PublicLink, Tape, TimeLimit, Typing, TypingLeft,
};
use crate::http::{Answer, Caller, Rate};
use crate::live::Step;
use crate::module::{Cx, ItemEdit, Module, Slot, Wiring};
use crate::socket::RACE;
use crate::{Error, Kind};

inventory::submit! { Module { name: "recorder", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(RecorderSettings::load);
    module.state(|_| Ok(Signatures::default()));
    module.state(|_| Ok(review::KnownResults::default()));
    module.state(|_| Ok(copies::Copied::default()));
    module.keeps::<Recording>();
    module.shares::<copies::Copies>();
    module.hears(keep_typed);
    module.hears(keep_left);
    module.hears(keep_finished);
    module.hears(copies::begin);
    module.decides(-1, keep_claimed);
    module.decides(0, figures);
    module.decides(0, review::grade);
    module.decides(0, review::on_record);
    module.decides(0, review::owner);
    module.decides(0, review::suspects);
    module.hears(review::judge);
    module.decides(0, answers::link);
    module.decides(0, answers::recording);
    module.decides(0, answers::best);
    module.timer("recorder.results", rules::due, settle);
    module.get("/api/v1/recordings", own);
    module.get("/api/v1/recordings/{link}", replay).at_most(Rate::per_second(2).burst(30));
    module.get("/api/v1/results/key", public_key);
    module.get("/api/v1/results/{id}", result).at_most(Rate::per_second(2).burst(30));
    module
        .command("verify", VERIFY, verify::command)
        .takes("FILE", "The document that GET /api/v1/results/ID has returned; - is standard input")
        .option("key", "PUBLIC_KEY.pem", KEY);
    module.counter("bytes", "Bytes of logs, as they are when a result is recorded.");
    module.counter("failures", "Logs that could not be stored when that was due.");
    module.client(Slot::Page { path: "replays", title: "Replays" }, "replays.js");
    module.client(Slot::Result, "result.js");
    module.client(Slot::Profile, "latest.js");
}

const VERIFY: &str =
    "Check a signed result without the server: the signature, the log, the figures";
const KEY: &str = "The server's public key [default: token.public_key of the settings, or that of the data directory]";

/// How long a claim waits until the log is stored, since the records may be slow, or until another pod has stored its part.
const PATIENCE: Duration = Duration::from_millis(800);

/// Interval of looks at what another pod stores.
const LOOK: Duration = Duration::from_millis(100);

/// Stores the log in the middle of the text and at its end. A keystroke does not wait for that.
async fn keep_typed(cx: Cx, typed: Heard<PlayerTyped>) -> Result<(), Error> {
    let (its, game, user) = (cx.clone(), typed.game, typed.user.clone());
    cx.spawn_in_turn(async move || keep_here(&its, game, &user).await);
    Ok(())
}

/// Stores the log of a pod that the player has left.
async fn keep_left(cx: Cx, left: Heard<TypingLeft>) -> Result<(), Error> {
    update_recording(&cx, left.game, &left.user, Some(&left.tape)).await
}

/// Stores the log with the result. Each pod that holds sockets of the race does that, since each may have a part of the log.
async fn keep_finished(cx: Cx, finished: Heard<PlayerFinished>) -> Result<(), Error> {
    let Some(game) = cx.live().find(finished.game).await? else { return Ok(()) };
    cx.arm(&game);
    let Some(typing) = typing(&cx, finished.game, &finished.user) else {
        return update_recording(&cx, finished.game, &finished.user, None).await;
    };
    let tape = typing.tape();
    let bytes = tape.edits.size() + tape.spots.size();
    cx.counter("bytes").add(bytes as u64);
    update_recording(&cx, finished.game, &finished.user, Some(&tape)).await?;
    typing.tape_is_kept(tape.count());
    Ok(())
}

/// Stores the log before the claim becomes a result. Accepts nothing.
async fn keep_claimed(cx: Cx, made: Arc<ClaimMade>) -> Result<Option<()>, Error> {
    let kept = keep_here(&cx, made.game.id, &made.user);
    if tokio::time::timeout(PATIENCE, kept).await.is_err() {
        cx.counter("failures").add(1);
    }
    Ok(None)
}

/// The typing of a player whose sockets are on this pod.
fn typing(cx: &Cx, game: GameId, user: &UserId) -> Option<Arc<Typing>> {
    cx.rooms().get(RACE, game)?.own::<Typing>(user)
}

/// Stores the log that this pod has, if something of it is not stored.
async fn keep_here(cx: &Cx, game: GameId, user: &UserId) {
    let Some(typing) = typing(cx, game, user) else { return };
    let Some(tape) = typing.unkept_tape() else { return };
    match update_recording(cx, game, user, Some(&tape)).await {
        Ok(()) => typing.tape_is_kept(tape.count()),
        // It is stored again with the result, or when the socket closes.
        Err(_) => cx.counter("failures").add(1),
    }
}

/// Brings the recording of a player up to date: with what a pod has received, and with the result.
async fn update_recording(
    cx: &Cx,
    game: GameId,
    user: &UserId,
    tape: Option<&Tape>,
) -> Result<(), Error> {
    let Some(game) = cx.live().find(game).await? else { return Ok(()) };
    let is_kept = |player: &&Player| player.user.is_person() && !player.user.is_anonymous();
    let Some(player) = game.player(user).filter(is_kept) else { return Ok(()) };
    let (items, settings) = (cx.items::<Recording>(), cx.state::<RecorderSettings>());
    let key = Recording::key_of(game.id, user);
    let (empty, copied) =
        (Recording::of(&game, player, &settings), copies::of(cx, &game, user).await?);
    let is_repeated = match player.result {
        Some(_) => {
            let known = items.get(&key).await?.map_or_else(|| empty.clone(), |kept| kept.item);
            repeats_another(cx, &known.with(tape, player.result, &settings)).await?
        }
        None => false,
    };
    let bring_up = |known: Option<Recording>| {
        let before = known.clone().unwrap_or_else(|| empty.clone());
        let mut next = before.clone();
        next.is_repeated |= is_repeated;
        next.place = next.place.or(empty.place);
        copied.iter().for_each(|copy| next.absorb_spots(copy));
        let after = next.with(tape, player.result, &settings);
        if after == before { ItemEdit::Keep } else { ItemEdit::Put(after) }
    };
    match items.change(&key, bring_up).await {
        // The account is deleted.
        Err(error) if error.kind() == Kind::USER_NOT_FOUND => Ok(()),
        // The text is longer than any that the server draws by itself.
        Err(error) if error.kind() == Kind::PAYLOAD_TOO_LARGE => {
            cx.counter("failures").add(1);
            Ok(())
        }
        kept => kept.map(drop),
    }
}

/// Recordings of the player that a verified one is compared with.
const COMPARED: u32 = 10;

/// Whether a recording that would be verified repeats an earlier one. Looked up before the grade is stored, since boards count it.
async fn repeats_another(cx: &Cx, recording: &Recording) -> Result<bool, Error> {
    if recording.grade != Some(Grade::Verified) {
        return Ok(false);
    }
    let (items, settings) = (cx.items::<Recording>(), cx.state::<RecorderSettings>());
    let mut earlier = items.page(&Recording::by(&recording.user), None, COMPARED).await?.items;
    if let Some(twins) = recording.twins() {
        earlier.extend(items.page(&twins, None, 1).await?.items);
    }
    Ok(earlier.iter().any(|other| recording.repeats(&other.item, &settings)))
}

/// Completes the recordings of a race, and notes that in its facts.
async fn settle(cx: Cx, id: GameId) -> Result<(), Error> {
    let Some(game) = cx.live().find(id).await? else { return Ok(()) };
    for player in rules::results(&game) {
        update_recording(&cx, id, &player.user.id, None).await?;
    }
    let recorded = RecordedCount(rules::results(&game).count());
    let note = |game: &mut Game| Step::changed_if(rules::put_count(game, recorded));
    cx.live().advance("note_recorded", id, note).await.map(drop)
}

/// The figures of a player's edits, if they are whole: those of this pod, or those that another one has stored.
async fn figures(cx: Cx, wanted: Arc<FiguresWanted>) -> Result<Option<Figures>, Error> {
    let FiguresWanted { game, user } = &*wanted;
    let words = game.words();
    let task = Task { words: &words, limit: game.part::<TimeLimit>().0 };
    let tolerance = cx.state::<RecorderSettings>().tolerance();
    if let Some(tape) = typing(&cx, game.id, user).map(|it| it.tape()) {
        let here = rules::checked(task, &tape.edits, tolerance).ok();
        // A client that sends positions sends no edits to other pods either.
        if here.is_some() || (tape.edits.count == 0 && tape.spots.count > 0) {
            return Ok(here);
        }
    }
    let (items, key) = (cx.items::<Recording>(), Recording::key_of(game.id, user));
    // A pod alone has no part of it to wait for.
    let late = if cx.is_alone() { cx.now() } else { cx.now() + PATIENCE };
    loop {
        let known = items.get(&key).await?.map(|kept| kept.item);
        let found = known.as_ref().map(|it| rules::checked(task, &it.edits, tolerance));
        match found {
            Some(Ok(figures)) => return Ok(Some(figures)),
            // The other pod may be storing the end of the log.
            None | Some(Err(Reason::NotWhole)) if cx.now() < late => tokio::time::sleep(LOOK).await,
            _ => return Ok(None),
        }
    }
}

/// Returns the caller's recorded races, newest first, or that of one race. Recordings are deleted after some weeks. The header
/// `link` (RFC 8288) and `next` name the next page.
#[endpoint(tags("recordings"))]
async fn own(cx: Cx, query: OwnQuery, caller: Caller) -> Result<Answer<Recordings>, Error> {
    let OwnQuery { size, game, cursor } = query;
    let user = caller.0.id;
    let items = cx.items::<Recording>();
    let shown = |it: Recording| OwnRecording::of(it, &Links(&cx));
    if let Some(game) = game {
        // The event of the result may still be under way.
        update_recording(&cx, game, &user, typing(&cx, game, &user).map(|it| it.tape()).as_ref())
            .await?;
        let known = items.get(&Recording::key_of(game, &user)).await?;
        let recordings = known.into_iter().map(|kept| shown(kept.item)).collect();
        return Ok(Answer::new(Recordings { recordings, next: None }));
    }
    let page = items.page(&Recording::by(&user), cursor.as_ref(), size).await?;
    let recordings = page.items.into_iter().map(|kept| shown(kept.item)).collect();
    let next = page.next.map(|cursor| cursor.to_text());
    let path = next.as_ref().map(|next| format!("/api/v1/recordings?size={size}&cursor={next}"));
    let answer = Answer::new(Recordings { recordings, next });
    Ok(path.iter().fold(answer, |answer, path| answer.with_next_page(path)))
}

/// Returns a recorded race: the text, and what each player typed, with times. The link is that of a player of the race; no token
/// is needed.
#[endpoint(tags("recordings"))]
async fn replay(cx: Cx, linked: LinkedReplay, req: &mut Request) -> Result<Answer<Replay>, Error> {
    let recordings = answers::of_race(&cx, linked.0).await?;
    let caller = cx.former_bearer(Cookies::of(req).access_token()).map(|it| it.user.id);
    Replay::of(recordings, caller.as_ref(), &Links(&cx))
        .map(Answer::new)
        .ok_or_else(|| Kind::GAME_NOT_FOUND.into())
}

/// Returns a result with the log from which it follows, signed by the server (RS256), so that anyone can check it without the
/// server: `typephoon-api verify FILE`. No token is needed.
#[endpoint(tags("recordings"))]
async fn result(cx: Cx, path: ResultPath) -> Result<Answer<SignedResult>, Error> {
    let found = recording_of(&cx, &path.id).await?;
    let unsigned = found.as_ref().and_then(Unsigned::of).ok_or(Kind::GAME_NOT_FOUND)?;
    let signature = cx.state::<Signatures>().of(&cx, &unsigned.claims).await?;
    Ok(Answer::new(unsigned.signed(signature)))
}

/// The recording of a result, by the id of its signed form.
async fn recording_of(cx: &Cx, id: &str) -> Result<Option<Recording>, Error> {
    let Some(game) = PublicLink::claimed_game(id) else { return Ok(None) };
    let mut recordings = answers::of_race(cx, game).await?.into_iter();
    Ok(recordings.find(|it| Links(cx).result(it).as_deref() == Some(id)))
}

/// Returns the public key by which signed results can be checked, in PEM.
#[endpoint(tags("recordings"))]
async fn public_key(cx: Cx) -> Result<Pem, Error> {
    cx.public_key().map(Pem)
}
