//! Tokens that keys issue and know again, and what they assert.

use serde_json::Value;

use super::*;

fn settings(data_dir: &std::path::Path) -> Settings {
    Settings { data_dir: data_dir.into(), ..Settings::default() }
}

fn anna() -> User {
    User { id: "google-77".into(), name: "Anna".into(), user_type: UserType::Registered }
}

#[test]
fn own_keys_are_made_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::now();
    let token = TokenKeys::load(&settings(folder.path()))
        .unwrap()
        .access_token(&anna(), None, now)
        .unwrap();
    let again = TokenKeys::load(&settings(folder.path())).unwrap();
    assert_eq!(again.access(Some(&token), now).unwrap().user, anna());
}

#[test]
fn a_token_is_valid_from_its_first_to_its_last_second() {
    let folder = tempfile::tempdir().unwrap();
    let keys = TokenKeys::load(&settings(folder.path())).unwrap();
    let now = Timestamp::now();
    let token = keys.access_token(&anna(), None, now).unwrap();
    let kind_after = |seconds: u64| {
        let later = now + Duration::from_secs(seconds);
        keys.access(Some(&token), later).map(|it| it.user).map_err(|it| it.kind())
    };
    assert_eq!(kind_after(899), Ok(anna()));
    assert_eq!(kind_after(900), Err(Kind::TOKEN_EXPIRED));
    let early = keys.access(Some(&token), now - Duration::from_secs(10));
    assert_eq!(early.unwrap_err().kind(), Kind::INVALID_TOKEN);
}

#[test]
fn what_is_no_token_of_ours_is_told_without_quoting_it() {
    let folder = tempfile::tempdir().unwrap();
    let keys = TokenKeys::load(&settings(folder.path())).unwrap();
    let strangers = TokenKeys::load(&settings(tempfile::tempdir().unwrap().path())).unwrap();
    let now = Timestamp::now();
    let forged = strangers.access_token(&anna(), None, now).unwrap();
    for token in ["", "garbage", "a.b.c", forged.as_str()] {
        let error = keys.access(Some(token), now).unwrap_err();
        assert_eq!(error.kind(), Kind::INVALID_TOKEN);
        assert!(token.is_empty() || !error.message().contains(token));
    }
}

#[test]
fn after_a_change_of_keys_tokens_of_the_old_ones_are_good_while_they_are_accepted() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let now = Timestamp::now();
    let before = TokenKeys::load(&settings(old.path())).unwrap();
    let token = before.access_token(&anna(), Some(&"l1".into()), now).unwrap();
    let public = |folder: &std::path::Path| {
        std::fs::read_to_string(folder.join("token-public.pem")).unwrap()
    };
    let strangers = tempfile::tempdir().unwrap();
    TokenKeys::load(&settings(strangers.path())).unwrap();
    let pems = public(strangers.path()) + &public(old.path());

    let mut settings = settings(new.path());
    settings.token.accepted_public_keys = Some(pems.into());
    let after = TokenKeys::load(&settings).unwrap();
    let bearer = Bearer { user: anna(), login: Some("l1".into()) };
    assert_eq!(after.access(Some(&token), now).unwrap(), bearer);
    let fresh = after.access_token(&anna(), None, now).unwrap();
    assert_eq!(after.access(Some(&fresh), now).unwrap().user, anna());
    assert_eq!(before.access(Some(&fresh), now).unwrap_err().kind(), Kind::INVALID_TOKEN);

    settings.token.accepted_public_keys = Some("nonsense".into());
    let complaint = TokenKeys::load(&settings).map(drop).unwrap_err();
    assert!(complaint.starts_with("token.accepted_public_keys: key 1"), "{complaint}");
}

#[test]
fn no_two_refresh_tokens_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let keys = TokenKeys::load(&settings(folder.path())).unwrap();
    let now = Timestamp::now();
    let [one, other] = [0, 1].map(|_| keys.refresh_token(&anna(), now).unwrap());
    assert_ne!(one, other);
    assert_eq!(keys.refresh(Some(&one), now).unwrap(), anna());
    assert_eq!(keys.access(Some(&one), now).unwrap_err().kind(), Kind::INVALID_TOKEN);
}

#[tokio::test]
async fn what_is_asserted_is_no_token_and_no_token_is_asserted() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let keys = TokenKeys::load(&settings).unwrap();
    let (public, now) = (PublicKeys::load(&settings).unwrap(), Timestamp::now());
    // Even with the claims of a token.
    let claims = TokenClaims::of(&anna(), now, 900);
    let asserted = keys.attest("result.v1", &claims).await.unwrap();
    let known = public.attested::<TokenClaims>("result.v1", &asserted).unwrap();
    assert_eq!((known.claims.sub, known.key.as_str()), (anna().id, keys.0.checking.first()));
    assert_eq!(keys.access(Some(&asserted), now).unwrap_err().kind(), Kind::INVALID_TOKEN);
    assert_eq!(keys.refresh(Some(&asserted), now).unwrap_err().kind(), Kind::INVALID_TOKEN);
    assert_eq!(keys.ever_access(Some(&asserted), now), None);

    let access = keys.access_token(&anna(), None, now).unwrap();
    let refresh = keys.refresh_token(&anna(), now).unwrap();
    let other = keys.attest("result.v2", &claims).await.unwrap();
    for token in [access, refresh, other] {
        let complaint = public.attested::<TokenClaims>("result.v1", &token).map(drop).unwrap_err();
        assert!(complaint.ends_with("not \"typephoon-result.v1+jwt\""), "{complaint}");
    }
}

#[tokio::test]
async fn what_is_asserted_is_the_same_each_time_and_known_by_the_public_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let keys = TokenKeys::load(&settings(folder.path())).unwrap();
    let claims = serde_json::json!({"wpm": 92.3});
    let assert = async || keys.attest("result.v1", &claims).await.unwrap();
    let asserted = assert().await;
    assert_eq!(asserted, assert().await);
    let pem = keys.public_pem().unwrap();
    assert_eq!(pem, std::fs::read_to_string(folder.path().join("token-public.pem")).unwrap());
    let public = PublicKeys::parse(&pem).unwrap();
    assert_eq!(public.attested::<Value>("result.v1", &asserted).unwrap().claims, claims);

    let strangers = TokenKeys::load(&settings(tempfile::tempdir().unwrap().path())).unwrap();
    let strangers = PublicKeys::parse(&strangers.public_pem().unwrap()).unwrap();
    let complaint = strangers.attested::<Value>("result.v1", &asserted).unwrap_err();
    assert!(complaint.contains("which is not known"), "{complaint}");
    let (message, _) = asserted.rsplit_once('.').unwrap();
    for forged in [message.to_owned(), format!("{message}."), format!("{message}.AAAA")] {
        public.attested::<Value>("result.v1", &forged).unwrap_err();
    }
    assert!(PublicKeys::load(&settings(&folder.path().join("none"))).is_err(), "none is made");
    assert!(!folder.path().join("none").exists());
}
