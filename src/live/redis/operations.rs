//! The operations of [`LiveState`], each a call of its script.

use std::sync::Arc;

use async_trait::async_trait;

use super::facts::{self, Fields, write_claim, write_progress};
use super::{KEPT_LONGER, RedisLive, failed, millis, scripts};
use crate::game::{Door, Game, GameId, Progress, SocketId, Timestamp, User, UserId};
use crate::live::{Claim, Departed, Entry, Finish, LiveState};
use crate::{Error, Kind};

#[async_trait]
impl LiveState for RedisLive {
    async fn enter(&self, entry: Entry) -> Result<Arc<Game>, Error> {
        self.take_seat(&entry).await
    }

    async fn go_absent(
        &self,
        game: GameId,
        user: &UserId,
        socket: SocketId,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        let mut call = scripts::GO_ABSENT.key(self.keys.waiting(game));
        call.arg(user.as_str()).arg(socket.0).arg(now.0);
        self.game(game, &call).await
    }

    async fn abandon(
        &self,
        user: &UserId,
        door: &Door,
        socket: SocketId,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        let mut call = scripts::ABANDON.key(self.keys.lobby());
        call.arg(user.as_str()).arg(facts::write_door(door)).arg(socket.0).arg(now.0);
        let (id, fields): (i64, Fields) = self.run(&call).await?;
        Ok(facts::read(GameId(id), &fields)?.map(Arc::new))
    }

    async fn dismiss_absent(
        &self,
        game: GameId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Departed, Error> {
        let mut call = scripts::DISMISS.key(self.keys.lobby());
        call.arg(game.0).arg(before.0).arg(now.0.saturating_sub(before.0));
        let (users, fields): (Vec<String>, Fields) = self.run_when_due(&call).await?;
        let users: Vec<UserId> = users.iter().map(|user| user.as_str().into()).collect();
        let left = facts::read(game, &fields)?.map(Arc::new);
        if !users.is_empty() && left.is_none() {
            self.note_gone(game, now);
        }
        Ok(Departed { users, game: left })
    }

    async fn seat_bots(
        &self,
        game: GameId,
        bots: Vec<User>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        let mut call = scripts::SEAT_BOTS.key(self.keys.lobby());
        call.arg(game.0).arg(now.0).arg(limit);
        for bot in &bots {
            let json = serde_json::to_string(bot).map_err(Error::internal)?;
            call.arg(bot.id.as_str()).arg(json).arg(&bot.name);
        }
        self.game(game, &call).await
    }

    async fn hasten(
        &self,
        game: GameId,
        host: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error> {
        let mut call = scripts::HASTEN.key(self.keys.waiting(game));
        call.arg(host.as_str()).arg(closes_at.0);
        let (outcome, fields): (String, Fields) = self.run(&call).await?;
        match outcome.as_str() {
            "done" => facts::read(game, &fields)?.map(Arc::new),
            "no seat" => return Err(Kind::NOT_A_PARTICIPANT.into()),
            "no host" => return Err(Kind::NOT_THE_HOST.into()),
            // Perhaps it has become a race.
            _ => self.find(game).await?.filter(|game| matches!(game.door, Door::Invited(_))),
        }
        .ok_or_else(|| Kind::GAME_NOT_FOUND.into())
        .and_then(|game| match game.player(host) {
            Some(_) => Ok(game),
            None => Err(Kind::NOT_A_PARTICIPANT.into()),
        })
    }

    async fn be_ready(
        &self,
        game: GameId,
        user: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error> {
        let mut call = scripts::BE_READY.key(self.keys.waiting(game));
        call.arg(user.as_str()).arg(closes_at.0);
        let (outcome, fields): (String, Fields) = self.run(&call).await?;
        let ready = match outcome.as_str() {
            "done" => facts::read(game, &fields)?.map(Arc::new),
            "no seat" => return Err(Kind::NOT_A_PARTICIPANT.into()),
            // Perhaps it has become a race.
            _ => self.find(game).await?,
        };
        let ready = ready.ok_or(Kind::GAME_NOT_FOUND)?;
        ready.player(user).ok_or(Kind::NOT_A_PARTICIPANT)?;
        Ok(ready)
    }

    async fn close_lobby(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error> {
        let mut call = scripts::CLOSE.key(self.keys.lobby());
        call.arg(game.0).arg(now.0);
        let (outcome, fields): (String, Fields) = self.run_when_due(&call).await?;
        if outcome == "gone" {
            self.note_gone(game, now);
        }
        let closed = facts::read(game, &fields)?.map(Arc::new);
        closed.iter().for_each(|game| self.note_saved(game));
        Ok(closed)
    }

    async fn prepare(
        &self,
        game: GameId,
        words: Arc<str>,
        starts_at: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        self.move_to_race(game, &words, starts_at).await
    }

    async fn start(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error> {
        let mut call = scripts::START.key(self.keys.racing(game));
        let fields: Option<Fields> = self.run_when_due(call.arg(now.0)).await?;
        let started = facts::read(game, &fields.unwrap_or_default())?.map(Arc::new);
        if let Some(game) = &started {
            self.free_players(game).await;
        }
        Ok(started)
    }

    async fn claim_start(
        &self,
        game: GameId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut call = scripts::CLAIM_START.key(self.keys.racing(game));
        self.run(call.arg(user.as_str()).arg(now.0)).await
    }

    async fn release_start(
        &self,
        game: GameId,
        user: &UserId,
        claimed: Timestamp,
    ) -> Result<(), Error> {
        let mut call = scripts::RELEASE_START.key(self.keys.racing(game));
        self.run(call.arg(user.as_str()).arg(claimed.0)).await
    }

    async fn track(
        &self,
        game: GameId,
        user: &UserId,
        seen: &Progress,
    ) -> Result<Option<Arc<Game>>, Error> {
        let mut call = scripts::TRACK.key(self.keys.racing(game));
        self.game(game, call.arg(user.as_str()).arg(write_progress(seen))).await
    }

    async fn finish(&self, game: GameId, user: &UserId, claim: Claim) -> Result<Finish, Error> {
        let mut call = scripts::FINISH.key(self.keys.racing(game));
        call.arg(user.as_str()).arg(write_claim(&claim)).arg(u8::from(claim.unranked.is_none()));
        let (outcome, rank, fields): (String, u32, Fields) = self.run(&call).await?;
        let finish = match outcome.as_str() {
            "taken" => Finish::Taken(rank),
            // Whoever sends it again may do so because it is not written yet: let them wait for it too.
            "before" => Finish::Before(rank),
            "no seat" => return Err(Kind::NOT_A_PARTICIPANT.into()),
            "not started" => return Err(Kind::GAME_NOT_STARTED.into()),
            _ => return Err(self.why_no_race(game, user).await?.into()),
        };
        if let Some(facts) = facts::read(game, &fields)? {
            self.keep(Arc::new(facts)).await?;
        }
        Ok(finish)
    }

    async fn end(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error> {
        self.take_away(game, now).await
    }

    async fn find(&self, game: GameId) -> Result<Option<Arc<Game>>, Error> {
        Ok(self.look_up(&[game]).await?.pop())
    }

    async fn all(&self) -> Result<Vec<Arc<Game>>, Error> {
        let ids = self.ids().await?;
        self.look_up(&ids).await
    }

    async fn played(&self, user: &UserId) -> Result<Vec<Arc<Game>>, Error> {
        let ids = self.played_by(user).await?;
        let mut games = self.look_up(&ids).await?;
        games.retain(|game| game.player(user).is_some());
        Ok(games)
    }

    async fn hand_over(&self, guest: &UserId, account: &User) -> Result<Vec<GameId>, Error> {
        let mut handed_over = Vec::new();
        for game in self.played_by(guest).await? {
            if self.hand_over_seat(game, guest, account).await? {
                handed_over.push(game);
            }
        }
        Ok(handed_over)
    }

    async fn probe(&self) -> Result<(), String> {
        let call = scripts::PROBE.key(self.keys.probe(&self.pod));
        let probed: Result<(), _> = call.invoke_async(&mut self.redis.clone()).await;
        probed.map_err(|error| error.to_string())
    }

    async fn keep_once(&self, key: String, text: String, until: Timestamp) -> Result<(), Error> {
        let key = self.keys.once(&key);
        let mut pipeline = redis::pipe();
        // How long it is good is for our clock to say; the clock of Redis only clears up.
        let gone = until + KEPT_LONGER;
        pipeline.atomic().set(&key, format!("{} {text}", until.0)).ignore();
        pipeline.pexpire_at(&key, gone.0 / 1000).ignore();
        pipeline.exec_async(&mut self.redis.clone()).await.map_err(failed)
    }

    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<String>, Error> {
        let call = scripts::TAKE_ONCE.key(self.keys.once(key));
        let kept: Option<String> = self.run(&call).await?;
        Ok(kept.and_then(|kept| {
            let (until, text) = kept.split_once(' ')?;
            (now.0 < until.parse().ok()?).then(|| text.to_owned())
        }))
    }
}

impl RedisLive {
    /// The games in which a user has, or had, a seat, oldest first.
    async fn played_by(&self, user: &UserId) -> Result<Vec<GameId>, Error> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(self.keys.played(user));
        let played: Result<Vec<i64>, _> = command.query_async(&mut self.redis.clone()).await;
        let mut played: Vec<_> = played.map_err(failed)?.into_iter().map(GameId).collect();
        played.sort_unstable();
        Ok(played)
    }

    /// Why a result is not taken in a game that is no race: perhaps it is one not yet.
    async fn why_no_race(&self, game: GameId, user: &UserId) -> Result<Kind, Error> {
        let game = self.find(game).await?;
        Ok(match game.map(|game| game.player(user).is_some()) {
            Some(true) => Kind::GAME_NOT_STARTED,
            Some(false) => Kind::NOT_A_PARTICIPANT,
            None => Kind::GAME_NOT_FOUND,
        })
    }

    /// The lobby first, as in `look_up`: a game that moves meanwhile is met in one of the slots at least, and
    /// what changes in the lobby is moved along.
    async fn hand_over_seat(
        &self,
        game: GameId,
        guest: &UserId,
        account: &User,
    ) -> Result<bool, Error> {
        let json = serde_json::to_string(account).map_err(Error::internal)?;
        let mut newest = None;
        for key in [self.keys.waiting(game), self.keys.racing(game)] {
            let mut call = scripts::HAND_OVER.key(key);
            call.arg(guest.as_str()).arg(account.id.as_str()).arg(&json).arg(&account.name);
            newest = self.game(game, &call).await?.or(newest);
        }
        let Some(game_facts) = newest else { return Ok(false) };
        let kept = game_facts.ends_at.after(game_facts.opened_at) + KEPT_LONGER;
        let mut call = scripts::MOVE_SEAT.key(self.keys.lobby());
        call.arg(guest.as_str()).arg(account.id.as_str()).arg(game.0).arg(millis(kept));
        call.arg(facts::write_door(&game_facts.door));
        self.run::<()>(&call).await?;
        // A result that is there already now belongs to somebody for whom it is kept.
        self.keep(game_facts).await?;
        Ok(true)
    }
}
