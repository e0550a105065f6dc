//! What several modules of the game share: parts of its facts, rules that more than one of them applies, and rows that more
//! than one of them shows. It is no module: it declares nothing, and the runtime does not use it.

mod board_row;
mod contest;
mod dress;
mod finish;
mod grade;
mod invited;
mod judge;
mod latency;
mod level;
mod links;
mod log;
mod missed;
mod moved;
mod progress;
mod questions;
mod server_words;
mod standing;
mod started;
mod tape;
mod text;
mod time_limit;
mod typing;
mod verdict;
mod watched;
mod wishes;
mod word_list;

pub use board_row::{BestRun, BoardRow};
pub use contest::{Contest, Struck, enter, judge_entries};
pub use finish::{Claim, Finish};
pub use grade::{Grade, GradeWanted, OnRecord, OnRecordWanted};
pub use invited::{common_token, invited, token_of};
pub use judge::judge;
pub use latency::{GATHERED, Latency, MADE_UP};
pub use level::{Level, LevelWanted};
pub use links::PublicLink;
pub use log::{Log, Passage};
pub use missed::{again_at, raise};
pub use moved::{BotMoved, GhostMoved, MovedCaret, Mover, Moving, Stroke};
pub use progress::{FASTEST, Noted, Progress, Tracker};
pub use questions::{
    BestWanted, ClaimMade, FiguresWanted, LobbyWanted, Mode, ModeWanted, PasswordAccounts,
    Recorded, RecordingWanted, ReplayWanted, TextWanted,
};
pub use server_words::WordSource;
pub use standing::{Standing, UNRANKED};
pub use tape::{Caret, Edit, EditTape, Spot, SpotTape, Tape};
pub use text::{DrawnText, Text, TextAbout, WORDS, Words};
pub use time_limit::{CorrectWords, TimeIsUp, TimeLimit};
pub use typing::{Edited, Typing, TypingLeft, track};
pub use verdict::{
    ResultJudged, ResultWanted, Suspect, Suspects, SuspectsWanted, Verdict, VerdictWanted,
    is_struck,
};
pub use watched::{CaretTold, RaceWatched, WATCH};
pub use wishes::{TextWish, Wishes};
pub use word_list::WordList;

use crate::game::User;

/// The prefix of the ids of bots, and of no others.
pub const BOT: &str = "bot-";

/// The prefix of the ids of ghosts, and of no others.
pub const GHOST: &str = "ghost-";

impl User {
    /// Whether it is a bot.
    pub fn is_bot(&self) -> bool {
        self.id.as_str().starts_with(BOT)
    }

    /// Whether it is a ghost.
    pub fn is_ghost(&self) -> bool {
        self.id.as_str().starts_with(GHOST)
    }
}
