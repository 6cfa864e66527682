//! The cost of bad tokens for their address, and for its other callers.

use super::*;
use crate::{Clock, ManualClock, throttle::Throttles};
use axum::http::{HeaderMap, header};
use std::net::IpAddr;

struct Door {
    gate: Gate,
    verifier: Verifier,
    clock: Arc<ManualClock>,
}

/// A gate that allows three bad tokens a minute.
fn door(verifier: Verifier) -> Door {
    let clock = Arc::new(ManualClock::new(now()));
    let shared: Arc<dyn Clock> = clock.clone();
    let mut settings = Settings::from_pairs([("RATE_LIMIT_AUTH_TOKEN", "3/60")]);
    let throttles = Throttles::read(&mut settings, &[BAD_TOKENS], &shared);
    settings.finish().unwrap();
    Door {
        gate: Gate::new(verifier.clone(), throttles, shared),
        verifier,
        clock,
    }
}

impl Door {
    fn ask(&self, token: Option<&str>, client: &str) -> Result<String, Refused> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            headers.insert(header::AUTHORIZATION, value);
        }
        let client: IpAddr = client.parse().unwrap();
        self.gate.admit(&headers, client).map(|claims| claims.sub)
    }

    fn spend(&self, client: &str) {
        for token in [None, Some("no.token.at-all"), Some("")] {
            assert_eq!(self.ask(token, client), Err(Refused::Unauthorized));
        }
        let refused = self.ask(None, client);
        assert!(matches!(refused, Err(Refused::Throttled(_))), "{refused:?}");
    }
}

fn es256(sub: &str) -> String {
    let claims = json!({"sub": sub, "exp": exp() + 3_600});
    signed(Algorithm::ES256, None, EC, &claims)
}

const NAT: &str = "192.0.2.1";

#[test]
fn after_many_bad_tokens_unknown_tokens_of_the_address_are_refused_unread() {
    let door = door(read(&[("JWT_ALGORITHM", "ES256"), ("JWT_PUBLIC_KEY", EC_PUBLIC)]).unwrap());
    let known = es256("ada");
    assert_eq!(door.ask(Some(&known), NAT).as_deref(), Ok("ada"));
    door.spend(NAT);

    let fresh = es256("eve");
    let refused = door.ask(Some(&fresh), NAT).unwrap_err();
    let Refused::Throttled(standing) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((standing.limit, standing.remaining), (3, 0));
    assert!(!door.verifier.is_cheap(&fresh), "it was not read");
    // A caller that was admitted before still passes, and other addresses have their own limits.
    assert_eq!(door.ask(Some(&known), NAT).as_deref(), Ok("ada"));
    assert_eq!(
        door.ask(Some(&es256("bob")), "192.0.2.2").as_deref(),
        Ok("bob")
    );
    assert!(door.ask(Some(&fresh), "::ffff:192.0.2.1").is_err());

    let wait = standing.retry_after_seconds.into();
    door.clock.advance(SignedDuration::from_secs(wait));
    assert_eq!(door.ask(Some(&fresh), NAT).as_deref(), Ok("eve"));
}

#[test]
fn checking_by_a_secret_is_cheap_so_valid_tokens_always_pass() {
    let door = door(Verifier::hs256(SECRET));
    door.spend(NAT);
    let token = hs256(&good(), SECRET.as_bytes());
    assert_eq!(door.ask(Some(&token), NAT).as_deref(), Ok("ada"));
    let forged = hs256(&good(), b"another-secret-of-more-than-32-chars");
    assert!(matches!(
        door.ask(Some(&forged), NAT),
        Err(Refused::Throttled(_))
    ));
}

#[test]
fn a_token_that_was_checked_before_still_expires() {
    let door = door(Verifier::hs256(SECRET));
    let token = hs256(&good(), SECRET.as_bytes());
    assert!(door.ask(Some(&token), NAT).is_ok());
    door.clock
        .advance(SignedDuration::from_secs(61 + LEEWAY_SECONDS));
    assert_eq!(door.ask(Some(&token), NAT), Err(Refused::Unauthorized));
}

#[test]
fn valid_tokens_spend_nothing() {
    let door = door(read(&[("JWT_ALGORITHM", "ES256"), ("JWT_PUBLIC_KEY", EC_PUBLIC)]).unwrap());
    for number in 0..10 {
        let sub = format!("user-{number}");
        assert_eq!(door.ask(Some(&es256(&sub)), NAT), Ok(sub));
    }
}
