//! The known settings, and suggestions for unknown ones.
//!
//! The known keys are derived from the defaults of [`Settings`].

use serde_json::Value;

use super::layer::at;
use super::{AmqpSettings, DbSettings, RedisSettings, Settings};

/// Largest edit distance between a name and its suggestion.
const MOST_TYPOS: usize = 3;

/// Every known key, as the shape of fully populated settings.
pub(super) struct SettingKeys {
    shape: Value,
}

impl SettingKeys {
    pub(super) fn known() -> Self {
        let every_section = Settings {
            db: Some(DbSettings::default()),
            redis: Some(RedisSettings::default()),
            amqp: Some(AmqpSettings::default()),
            ..Settings::default()
        };
        let shape = serde_json::to_value(every_section)
            .expect("the defaults hold nothing but texts, numbers and switches");
        Self { shape }
    }

    /// The default at `path`, a mapping where `path` is a section; `None` where there is no such setting.
    pub(super) fn at(&self, path: &[String]) -> Option<&Value> {
        at(&self.shape, path)
    }

    /// The paths of all settings, sections not included.
    #[cfg(test)]
    pub(super) fn settings(&self) -> Vec<String> {
        let is_setting = |path: &String| {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            self.at(&path).is_some_and(|value| !value.is_object())
        };
        self.paths().into_iter().filter(is_setting).collect()
    }

    /// The paths of all settings and sections.
    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect(&self.shape, "", &mut paths);
        paths
    }

    /// The known paths nearest to an unknown one; several when they are equally near, none when nothing is near.
    pub(super) fn nearest(&self, unknown: &[String]) -> Vec<String> {
        let unknown = unknown.join(".").to_lowercase();
        let paths = self.paths();
        let last = last_name(&unknown);
        let limit = (last.chars().count() / 3).clamp(1, MOST_TYPOS);
        let misspelt = |path: &String| Some(distance(path, &unknown)).filter(|far| *far <= limit);
        let near = closest(&paths, misspelt);
        if !near.is_empty() || self.is_in_known_section(&unknown) {
            return near;
        }
        // Right name, wrong place: `lobby_countdown` on the top level, where every section is equally far.
        let is_top_level = unknown == last;
        let misplaced = |path: &String| {
            let far = if is_top_level { 0 } else { distance(path, &unknown) };
            (last_name(path) == last).then_some(far)
        };
        closest(&paths, misplaced)
    }

    fn is_in_known_section(&self, path: &str) -> bool {
        path.rsplit_once('.')
            .is_some_and(|(section, _)| self.paths().iter().any(|known| known == section))
    }
}

fn collect(shape: &Value, prefix: &str, paths: &mut Vec<String>) {
    let Value::Object(section) = shape else {
        return;
    };
    for (name, inner) in section {
        let path = format!("{prefix}{name}");
        collect(inner, &format!("{path}."), paths);
        paths.push(path);
    }
}

fn last_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// All paths of the smallest distance, of those that have one.
fn closest(paths: &[String], far: impl Fn(&String) -> Option<usize>) -> Vec<String> {
    let Some(least) = paths.iter().filter_map(&far).min() else {
        return Vec::new();
    };
    let is_closest = |path: &&String| far(path) == Some(least);
    paths.iter().filter(is_closest).cloned().collect()
}

/// Letters to insert, drop, change or swap with their neighbour to get from one name to the other
/// (optimal string alignment distance).
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    rows[0] = (0..=other.len()).collect();
    for i in 1..=one.len() {
        rows[i][0] = i;
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let moved = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            rows[i][j] = changed.min(moved);
            let swapped =
                i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
            if swapped {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(path: &str) -> String {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        SettingKeys::known().nearest(&path).join(" ")
    }

    #[test]
    fn the_setting_that_was_meant_is_found() {
        for (written, meant) in [
            ("game.loby_countdown", "game.lobby_countdown"),
            ("db.hots", "db.host"),
            ("db_host", "db.host"),
            ("sever.port", "server.port"),
            ("sever", "server"),
            ("lobby_countdown", "game.lobby_countdown"),
            ("database.pool_size", "db.pool_size"),
            ("Game.Word_Count", "game.word_count"),
            ("host", "amqp.host db.host operations.host redis.host server.host"),
            ("database.host", "db.host"),
            ("redis.password", ""),
            ("nonsense", ""),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
    }

    #[test]
    fn neighbours_that_changed_places_are_one_slip() {
        assert_eq!(distance("hots", "host"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
