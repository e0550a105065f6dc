//! The choice of a text: what is stored with a lobby, and the rule of its change.

use std::collections::HashMap;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::game::{Game, Part, Stage, UserId};
use crate::handlers::shared::token_of;
use crate::live::Step;
use crate::{Error, Kind};

/// A kind of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TextKind {
    /// Common words.
    #[default]
    Words,
    /// A quotation.
    Quotes,
    /// Program code, with its lines.
    Code,
    /// The text that the host has entered.
    Own,
    /// The text of an earlier race.
    Again,
}

impl TextKind {
    pub(super) const ALL: [Self; 5] =
        [Self::Words, Self::Quotes, Self::Code, Self::Own, Self::Again];

    /// Its name in queries and messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Quotes => "quotes",
            Self::Code => "code",
            Self::Own => "own",
            Self::Again => "again",
        }
    }
}

/// The choice for a lobby. The default is the text of open races.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    pub(super) kind: TextKind,
    /// `None` for the kind's default.
    pub(super) language: Option<String>,
    /// The text of its own.
    pub(super) own: Option<String>,
    /// The race whose text is typed again.
    pub(super) again: Option<i64>,
}

impl Part for Choice {
    const NAME: &'static str = "text_choice";
}

impl Choice {
    /// The choice in the query of a lobby's socket: `text`, with `language` or `of`.
    pub(super) fn asked_for(query: &HashMap<String, String>) -> Result<Self, Error> {
        let asked = |name: &str| query.get(name).map(String::as_str).filter(|it| !it.is_empty());
        let kind = match asked("text") {
            None => TextKind::Words,
            // A text of one's own is too long for a query.
            Some(name) => TextKind::ALL
                .into_iter()
                .find(|kind| kind.name() == name && *kind != TextKind::Own)
                .ok_or_else(|| {
                    Error::validation("query parameter text: must be words, quotes, code or again")
                })?,
        };
        let again = match asked("of").filter(|_| kind == TextKind::Again) {
            None => None,
            Some(race) => Some(race.parse().map_err(|_| {
                Error::validation("query parameter of: must be the number of a race")
            })?),
        };
        // A page may add the language that its player prefers.
        let language = asked("language").filter(|_| kind != TextKind::Again);
        Ok(Self { kind, language: language.map(str::to_owned), own: None, again })
    }
}

/// Sets the choice of a friends' lobby that still waits, for its host. Returns whether it has changed.
pub(super) fn choose(game: &mut Game, host: &UserId, choice: &Choice) -> Step<Result<bool, Error>> {
    let refusal = match () {
        () if token_of(&game.door).is_none() || game.stage > Stage::Lobby => {
            Some(Kind::GAME_NOT_FOUND)
        }
        () if game.player(host).is_none() => Some(Kind::NOT_A_PARTICIPANT),
        () if game.host() != Some(host) => Some(Kind::NOT_THE_HOST),
        () => None,
    };
    if let Some(kind) = refusal {
        return Step::unchanged(Err(kind.into()));
    }
    if *game.part::<Choice>() == *choice {
        return Step::unchanged(Ok(false));
    }
    game.put(choice.clone());
    Step::changed(Ok(true))
}
