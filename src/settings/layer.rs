//! A layer: the settings of one source (a file, an environment variable), with their locations.
//!
//! The settings are the layers merged over the defaults; later layers take precedence.

use serde_json::{Map, Value};

use super::environment::variable_of;

/// Where a layer comes from.
pub(super) enum Origin {
    /// A file, by its path as the operator gave it.
    File(String),
    /// A `TP_…` variable and the path of the setting it names (`["db", "host"]`).
    Variable { name: String, path: Vec<String> },
}

impl Origin {
    /// Names a setting as the operator wrote it: `db.host in setting.yaml`, `TP_DB__HOST`, `host in TP_DB`.
    pub(super) fn name(&self, path: &[String]) -> String {
        match self {
            Self::File(file) => format!("{} in {file}", path.join(".")),
            Self::Variable { name, path: own } if path.len() <= own.len() => name.clone(),
            Self::Variable { name, path: own } => {
                format!("{} in {name}", path[own.len()..].join("."))
            }
        }
    }

    /// The file or variable itself.
    pub(super) fn place(&self) -> &str {
        match self {
            Self::File(file) => file,
            Self::Variable { name, .. } => name,
        }
    }

    /// A known setting, spelt as it would be written here.
    pub(super) fn spell(&self, path: &str) -> String {
        match self {
            Self::File(_) => path.to_owned(),
            Self::Variable { .. } => variable_of(path),
        }
    }

    /// Whether this is a variable for a setting inside `path`.
    pub(super) fn reaches_below(&self, path: &[String]) -> bool {
        matches!(self, Self::Variable { path: own, .. } if own.len() > path.len())
    }

    /// `path` as the operator wrote it; for a variable, all of it.
    pub(super) fn whole_path<'a>(&'a self, path: &'a [String]) -> &'a [String] {
        match self {
            Self::Variable { path: own, .. } if own.len() > path.len() => own,
            _ => path,
        }
    }
}

/// The settings of one source, as a mapping.
pub(super) struct Layer {
    pub(super) origin: Origin,
    pub(super) tree: Value,
}

impl Layer {
    /// Whether this layer has a value at `path`.
    pub(super) fn says(&self, path: &[String]) -> bool {
        at(&self.tree, path).is_some()
    }
}

/// The value at `path` of a tree.
pub(super) fn at<'a>(tree: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |tree, name| tree.get(name))
}

/// A tree with nothing but `value` at `path`.
pub(super) fn branch(path: &[String], value: Value) -> Value {
    path.iter().rfold(value, |inner, name| Value::Object(Map::from_iter([(name.clone(), inner)])))
}

/// Merges `over` into `base`: mappings are merged, other values are replaced.
pub(super) fn overlay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                overlay(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mappings_merge_and_everything_else_is_replaced() {
        let mut base = json!({"a": {"x": 1, "y": [1, 2]}, "b": 1});
        overlay(&mut base, json!({"a": {"y": [3]}, "b": {"c": 2}}));
        assert_eq!(base, json!({"a": {"x": 1, "y": [3]}, "b": {"c": 2}}));
    }
}
