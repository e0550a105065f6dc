//! Changes to the seats of a game, whichever store keeps it: pure functions of its facts.

use super::{
    Door, Game, Parts, Player, PodName, SocketId, Stage, Timestamp, User, UserId, UserType,
};

/// A lobby socket, and the pod that holds it.
pub type OpenSocket = (SocketId, PodName);

impl Player {
    /// A seat that has just been taken.
    pub fn new(user: User, socket: Option<OpenSocket>) -> Self {
        Self {
            user,
            sockets: socket.into_iter().collect(),
            absent_since: None,
            result: None,
            parts: Parts::default(),
        }
    }

    /// Removes sockets of the player. The player is absent once the last one is gone.
    pub fn lose_sockets(&mut self, is_lost: impl Fn(&SocketId, &PodName) -> bool, now: Timestamp) {
        self.sockets.retain(|socket, pod| !is_lost(socket, pod));
        if self.sockets.is_empty() {
            self.absent_since.get_or_insert(now);
        }
    }
}

impl Game {
    /// Seats a new player. A name that is taken gets the next free number appended; registered players keep their
    /// names.
    pub fn seat(&mut self, user: User, socket: Option<OpenSocket>) {
        let name = self.free_name(&user);
        self.players.push(Player::new(User { name, ..user }, socket));
    }

    fn free_name(&self, user: &User) -> String {
        let is_taken = |name: &str| self.players.iter().any(|player| player.user.name == name);
        let mut name = user.name.clone();
        let mut number = 2_u32;
        while user.user_type != UserType::Registered && is_taken(&name) {
            name = format!("{} {number}", user.name);
            number += 1;
        }
        name
    }

    /// Gives a guest's seat to the account that the guest has logged in to, once the lobby has closed, unless the
    /// account has a seat there already. Returns whether the seat moved.
    pub fn hand_over(&mut self, guest: &UserId, account: &User) -> bool {
        let moves = self.stage > Stage::Lobby && self.player(&account.id).is_none();
        let Some(player) = self.player_mut(guest).filter(|_| moves) else { return false };
        player.user = account.clone();
        true
    }

    /// Removes the sockets that a dead pod held in a waiting lobby. Returns whether there were any.
    pub fn lose_pod(&mut self, dead: &PodName, now: Timestamp) -> bool {
        let held = |player: &Player| player.sockets.values().any(|pod| pod == dead);
        if self.stage != Stage::Lobby || !self.players.iter().any(held) {
            return false;
        }
        for player in self.players.iter_mut().filter(|player| held(player)) {
            player.lose_sockets(|_, pod| pod == dead, now);
        }
        true
    }

    /// Resumes the game after a restart of the only server. No lobby closes, no race starts and no player counts as
    /// absent before `resume`, so that players have time to reconnect. Players who are away when their lobby closes
    /// keep their seats: they may still come before START.
    pub fn resume(&mut self, resume: Timestamp) {
        self.version += 1;
        self.players.iter_mut().for_each(|player| player.sockets.clear());
        match self.stage {
            Stage::Lobby => {
                self.closes_at = self.closes_at.max(resume);
                for player in self.players.iter_mut().filter(|it| it.user.is_person()) {
                    player.absent_since = Some(resume);
                }
            }
            Stage::Countdown => self.starts_at = self.starts_at.map(|at| at.max(resume)),
            Stage::Closed | Stage::Running => {}
        }
    }

    /// Whether the lobby takes new players at `now`.
    pub fn has_room(&self, now: Timestamp) -> bool {
        self.waits(now) && !self.full
    }

    /// Whether a user has a seat in a game with this door, and may return to it: until START.
    pub fn holds_seat(&self, user: &UserId, door: &Door) -> bool {
        self.stage < Stage::Running && self.door == *door && self.player(user).is_some()
    }
}
