//! What may happen to the seats of a game, wherever it is kept: pure functions of its facts.

use super::{
    Door, Game, Passage, Player, PodName, SocketId, Stage, Timestamp, User, UserId, UserType,
};

/// A lobby socket, and the pod that holds it.
pub type OpenSocket = (SocketId, PodName);

impl Player {
    /// A seat that is just taken.
    pub fn new(user: User, socket: Option<OpenSocket>) -> Self {
        Self {
            user,
            sockets: socket.into_iter().collect(),
            absent_since: None,
            started: None,
            first_started: None,
            progress: Default::default(),
            result: None,
        }
    }

    /// The player has lost some sockets. The absence begins with the last one.
    pub fn lose_sockets(&mut self, is_lost: impl Fn(&SocketId, &PodName) -> bool, now: Timestamp) {
        self.sockets.retain(|socket, pod| !is_lost(socket, pod));
        if self.sockets.is_empty() {
            self.absent_since.get_or_insert(now);
        }
    }
}

impl Game {
    /// Seats somebody new. A name that is taken gets the next free number behind it, unless it is a registered
    /// player's, who is called the same everywhere.
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

    /// Takes the seats of some players, and notes that they left. Returns whose they were.
    pub fn take_seats(&mut self, is_gone: impl Fn(&Player) -> bool) -> Vec<UserId> {
        let gone = self.players.extract_if(.., |player| is_gone(player));
        let users: Vec<_> = gone.map(|player| player.user.id).collect();
        self.wishes.ready.retain(|user| !users.contains(user));
        users.iter().for_each(|user| self.log.push(Passage::Left(user.clone())));
        users
    }

    /// Gives the seat of a guest to the account that the guest has logged in to: in a closed lobby, a race or a result,
    /// unless the account sits there already. Returns whether it did.
    pub fn hand_over(&mut self, guest: &UserId, account: &User) -> bool {
        let moves = self.stage > Stage::Lobby && self.player(&account.id).is_none();
        let Some(player) = self.player_mut(guest).filter(|_| moves) else { return false };
        player.user = account.clone();
        if self.wishes.ready.remove(guest) {
            self.wishes.ready.insert(account.id.clone());
        }
        true
    }

    /// A pod has died, and the sockets that it held in a waiting lobby are closed. Returns whether there were any.
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

    /// The only server has been away. No lobby closes, no race starts and no player counts as absent before
    /// `resume`, so that players have time to come back. Those who are away when their lobby closes keep
    /// their seats: they may still come before START.
    pub fn resume(&mut self, resume: Timestamp) {
        self.version += 1;
        self.players.iter_mut().for_each(|player| player.sockets.clear());
        match self.stage {
            Stage::Lobby => {
                self.closes_at = self.closes_at.max(resume);
                for player in self.players.iter_mut().filter(|it| !it.user.is_bot()) {
                    player.absent_since = Some(resume);
                }
            }
            Stage::Countdown => self.starts_at = self.starts_at.map(|at| at.max(resume)),
            Stage::Closed | Stage::Running => {}
        }
    }

    /// Whether a lobby lets newcomers in at `now`.
    pub fn has_room(&self, now: Timestamp) -> bool {
        self.waits(now) && !self.full
    }

    /// Whether a user sits behind this door, and may come back there: until START.
    pub fn holds_seat(&self, user: &UserId, door: &Door) -> bool {
        self.stage < Stage::Running && self.door == *door && self.player(user).is_some()
    }
}
