//! `docs/faults.md` names tests that are there.

const TABLE: &str = include_str!("../../../docs/faults.md");
const TESTS: [&str; 9] = [
    include_str!("broker.rs"),
    include_str!("clock.rs"),
    include_str!("deliveries.rs"),
    include_str!("disk.rs"),
    include_str!("finishes.rs"),
    include_str!("pods.rs"),
    include_str!("records.rs"),
    include_str!("redis.rs"),
    include_str!("refusals.rs"),
];
/// Tests of other files, of which the table names a few.
const ELSEWHERE: [&str; 8] = [
    include_str!("../../../src/live/shared.rs"),
    include_str!("../attacks.rs"),
    include_str!("../drain.rs"),
    include_str!("../guests.rs"),
    include_str!("../limits.rs"),
    include_str!("../lobby.rs"),
    include_str!("../passwords.rs"),
    include_str!("../plausible.rs"),
];

#[test]
fn every_promise_is_shown_by_a_test_and_every_test_is_a_promise() {
    let declared = TESTS.iter().flat_map(|file| file.lines());
    let declared = declared.scan(false, |is_test, line| {
        let name = line.strip_prefix("async fn ").and_then(|rest| rest.split_once('('));
        let name = name.map(|(name, _)| name).filter(|_| *is_test);
        *is_test = line == "#[tokio::test]";
        Some(name)
    });
    let declared: Vec<&str> = declared.flatten().collect();
    let named = |name: &&str| TABLE.contains(&format!("`{name}`"));
    let missing: Vec<_> = declared.iter().filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "not in docs/faults.md: {missing:?}");
    let rows = TABLE.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    for row in rows {
        let names = row.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() > 3);
        let is_elsewhere =
            |name: &&str| ELSEWHERE.iter().any(|file| file.contains(&format!("fn {name}(")));
        let names = names.filter(|name| !is_elsewhere(name));
        let unknown: Vec<_> = names.filter(|name| !declared.contains(name)).collect();
        assert!(unknown.is_empty(), "no such test: {unknown:?}");
    }
}
