//! Random names for guests.

const FIRST: [&str; 64] = [
    "Amber", "Azure", "Brave", "Breezy", "Bright", "Calm", "Cheerful", "Clever", "Cosmic",
    "Crimson", "Curious", "Dapper", "Daring", "Dizzy", "Eager", "Early", "Fancy", "Fearless",
    "Fluffy", "Gentle", "Golden", "Grand", "Happy", "Hasty", "Humble", "Jolly", "Keen", "Kind",
    "Lively", "Lucky", "Mellow", "Merry", "Mighty", "Misty", "Modest", "Nimble", "Noble",
    "Patient", "Plucky", "Polite", "Proud", "Quick", "Quiet", "Rapid", "Rosy", "Royal", "Rustic",
    "Silent", "Silver", "Sleepy", "Smooth", "Snowy", "Steady", "Stellar", "Sunny", "Swift", "Tidy",
    "Tiny", "Velvet", "Vivid", "Warm", "Windy", "Witty", "Zesty",
];
const SECOND: [&str; 64] = [
    "Badger", "Bear", "Beaver", "Bison", "Canary", "Cheetah", "Comet", "Crane", "Cricket",
    "Dolphin", "Dragon", "Eagle", "Falcon", "Ferret", "Finch", "Firefly", "Fox", "Gecko",
    "Giraffe", "Hamster", "Hare", "Hawk", "Hedgehog", "Heron", "Ibex", "Jaguar", "Kestrel",
    "Koala", "Lark", "Lemur", "Leopard", "Llama", "Lynx", "Magpie", "Marmot", "Meteor", "Mole",
    "Moose", "Otter", "Owl", "Panda", "Panther", "Parrot", "Pelican", "Penguin", "Pony", "Puffin",
    "Rabbit", "Raccoon", "Raven", "Robin", "Salmon", "Seal", "Sparrow", "Squirrel", "Stork",
    "Swallow", "Swan", "Tiger", "Turtle", "Walrus", "Whale", "Wolf", "Wombat",
];

/// One of 64 × 64 names, chosen by twelve random bits.
pub fn two_words(chance: u16) -> String {
    let chance = usize::from(chance);
    format!("{} {}", FIRST[chance % 64], SECOND[chance / 64 % 64])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn twelve_bits_of_chance_make_as_many_names() {
        let names: BTreeSet<_> = (0..4096).map(two_words).collect();
        assert_eq!(names.len(), 4096);
        assert!((0..=u16::MAX).all(|chance| names.contains(&two_words(chance))));
    }

    #[test]
    fn a_name_is_two_words_in_capitals() {
        for name in (0..4096).map(two_words) {
            let words: Vec<_> = name.split(' ').collect();
            assert_eq!(words.len(), 2, "{name}");
            for word in words {
                let (first, rest) = word.split_at(1);
                assert!(first.bytes().all(|it| it.is_ascii_uppercase()), "{name}");
                let lower = !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_lowercase());
                assert!(lower, "{name}");
            }
        }
    }
}
