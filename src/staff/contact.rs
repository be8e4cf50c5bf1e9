//! One contact with central, here and now, and what it says.
//!
//! It asks how far central is with this journal: that needs the name, the network, the certificate, the terminal's key and central's own,
//! and changes nothing. What the answer would mean for the journal is left to the sync thread.

use crate::{
    clock::fresh,
    model::{ChainId, Moment, StoreId},
    sign::KeyPair,
    sync::{
        Diagnosis, Fault, Identity,
        message::{Reply, Speaker, ask_cursor},
        nonce,
        outcome::{Asked, Exchange, Outcome, Trouble, Trust, classify},
        transport::Transport,
    },
    wire::content_type,
};

/// What a contact is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// Who asks; `None` before the terminal is enrolled.
    pub identity: Option<&'a Identity>,
    /// The journal.
    pub chain: ChainId,
    /// Central's address, for the diagnosis.
    pub url: &'a str,
}

/// Central answered as itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    /// How many entries of this journal it holds; `None`: this terminal is not enrolled, so central says no more.
    pub held: Option<u64>,
    /// The same in English, with central's address.
    pub words: String,
}

/// Asks central.
pub(crate) fn try_central(
    transport: &mut dyn Transport,
    about: &About<'_>,
    now: &Moment,
) -> Result<Reached, Diagnosis> {
    // A terminal that is not enrolled signs with a key of the moment: central refuses it, and has been reached.
    let key = about
        .identity
        .map_or_else(|| KeyPair::from_seed(&fresh::key_seed()), |identity| identity.key.clone());
    let trust = about.identity.map_or_else(
        || Trust { key: key.public(), store: StoreId(uuid::Uuid::nil()) },
        |identity| Trust { key: identity.central_key, store: identity.store },
    );
    let nonce = nonce();
    let terminal = about.identity.map(|identity| identity.terminal.as_str());
    let speaker = Speaker { key: &key, terminal, at: now.wall, nonce: &nonce };
    let request = ask_cursor(&speaker, about.chain)
        .map_err(|error| Diagnosis::new(Fault::Other, format!("the request cannot be made: {error}")))?;
    let answer = transport.send(&request);
    let exchange = Exchange::new(Asked::Cursor, about.chain, &request);
    let outcome = classify(&exchange, &trust, answer.as_ref());
    tracing::info!(url = about.url, ?outcome, "staff tried to reach central");
    said(&outcome, about, answer.as_ref()).map_err(|found| transport.told(found))
}

fn said(
    outcome: &Outcome,
    about: &About<'_>,
    answer: Result<&Reply, &Trouble>,
) -> Result<Reached, Diagnosis> {
    // Central signs nothing for a stranger; what refuses one in central's own form is as good as central before there is a key.
    let is_refusal =
        answer.is_ok_and(|reply| reply.status == 401 && reply.content_type() == content_type::PROBLEM);
    match outcome {
        Outcome::Cursor(cursor) => {
            let held = cursor.accepted_through;
            let words = format!("{} holds {held} entries of this journal", about.url);
            Ok(Reached { held: Some(held), words })
        }
        Outcome::Unknown(_) if about.identity.is_none() && is_refusal => {
            let words = format!("{} answers; this terminal is not enrolled yet", about.url);
            Ok(Reached { held: None, words })
        }
        Outcome::Receipt(_)
        | Outcome::Health(_)
        | Outcome::Config { .. }
        | Outcome::ConfigUnchanged
        | Outcome::Unknown(_)
        | Outcome::Wait { .. }
        | Outcome::TooLarge
        | Outcome::Refused { .. }
        | Outcome::NotAllowed { .. }
        | Outcome::Misconfigured { .. }
        | Outcome::Conflict => Err(outcome
            .diagnosis(about.url)
            .unwrap_or_else(|| Diagnosis::new(Fault::Other, "the answer fits no question of ours"))),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        model::{BootId, Hash, TimeQuality},
        sign::{ResponseParts, SignatureParams, sign_response},
        sync::message::Request,
        wire::{CursorReply, EnrolmentReply, Problem, header},
    };

    const STORE: StoreId = StoreId(uuid::Uuid::max());
    const CHAIN: ChainId = ChainId([1; 16]);

    fn central() -> KeyPair {
        KeyPair::from_seed(&[2; 32])
    }

    fn identity() -> Identity {
        let reply = EnrolmentReply {
            terminal: "t-1".parse().unwrap(),
            site: "main".parse().unwrap(),
            touchpoint: "registration".parse().unwrap(),
            store: STORE,
            central_key: central().public().to_string(),
            time: DateTime::UNIX_EPOCH,
        };
        Identity::new(KeyPair::from_seed(&[1; 32]), "serial-1".into(), reply).unwrap()
    }

    /// Answers every request alike.
    struct Line<F>(F);

    impl<F: Fn(&Request) -> Result<Reply, Trouble> + Send> Transport for Line<F> {
        fn send(&mut self, request: &Request) -> Result<Reply, Trouble> {
            (self.0)(request)
        }
    }

    fn tried(
        identity: Option<&Identity>,
        line: impl Fn(&Request) -> Result<Reply, Trouble> + Send + 'static,
    ) -> Result<Reached, Diagnosis> {
        let boot = BootId::from_parts(0, [0; 10]);
        let now = Moment { wall: DateTime::UNIX_EPOCH, boot, up_ms: 0, quality: TimeQuality::Unset };
        let about = About { identity, chain: CHAIN, url: "https://central.example" };
        try_central(&mut Line(line), &about, &now)
    }

    fn reply(status: u16, kind: &str, body: Vec<u8>) -> Reply {
        Reply { status, headers: [("content-type".to_owned(), kind.to_owned())].into(), body }
    }

    fn cursor(request: &Request) -> Reply {
        let cursor = CursorReply {
            store: STORE,
            chain: CHAIN,
            accepted_through: 42,
            head_hash: Hash([0; 32]),
            time: DateTime::UNIX_EPOCH,
        };
        let mut reply = reply(200, content_type::JSON, serde_json::to_vec(&cursor).unwrap());
        let stamp = request.stamp();
        let parts = ResponseParts {
            status: 200,
            content_type: Some(content_type::JSON),
            etag: None,
            body: &reply.body,
            request: stamp.answered(),
        };
        let params = SignatureParams { created: 0, nonce: "c".into(), keyid: STORE.to_string() };
        let signed = sign_response(&central(), &parts, &params).unwrap();
        reply.headers.insert(header::CONTENT_DIGEST.into(), signed.content_digest.unwrap_or_default());
        reply.headers.insert(header::SIGNATURE_INPUT.into(), signed.signature_input);
        reply.headers.insert(header::SIGNATURE.into(), signed.signature);
        reply
    }

    fn refusal(detail: &str) -> Vec<u8> {
        let problem =
            serde_json::json!({ "type": "about:blank", "title": "no", "status": 401, "detail": detail });
        assert!(serde_json::from_value::<Problem>(problem.clone()).is_ok());
        problem.to_string().into_bytes()
    }

    #[test]
    fn central_itself_is_told_from_whatever_else_answers() {
        let reached = tried(Some(&identity()), |request| Ok(cursor(request))).unwrap();
        assert_eq!(reached.held, Some(42));
        assert_eq!(reached.words, "https://central.example holds 42 entries of this journal");
        let unsigned = tried(Some(&identity()), |request| {
            let mut reply = cursor(request);
            reply.headers.remove(header::SIGNATURE);
            Ok(reply)
        });
        let found = unsigned.unwrap_err();
        assert!(found.words.contains("does not carry central's signature"), "{found}");
        assert_eq!(found.fault, Fault::InBetween);
        let portal = tried(Some(&identity()), |_| Ok(reply(200, "text/html", b"<html>log in".to_vec())));
        let found = portal.unwrap_err();
        assert!(found.words.contains("a login page or proxy may be in between"), "{found}");
        assert_eq!(found.fault, Fault::InBetween);
    }

    #[test]
    fn every_trouble_is_said_in_the_words_of_the_outcome_table() {
        for trouble in [Trouble::Resolve, Trouble::Connect, Trouble::CertificateExpired, Trouble::Timeout] {
            let expected = Diagnosis::new(trouble.fault(), trouble.to_string());
            assert_eq!(tried(Some(&identity()), move |_| Err(trouble.clone())), Err(expected));
        }
        let revoked = tried(Some(&identity()), |_| {
            Ok(reply(403, content_type::PROBLEM, refusal("the key is revoked")))
        });
        assert_eq!(revoked.unwrap_err().fault, Fault::InBetween, "nobody signed it");
    }

    #[test]
    fn before_the_terminal_is_enrolled_a_refusal_by_central_is_good_news() {
        let stranger = |request: &Request| {
            assert_eq!(request.header(header::TERMINAL), "", "nobody's name");
            Ok(reply(401, content_type::PROBLEM, refusal("the header is missing")))
        };
        let reached = tried(None, stranger).unwrap();
        assert!(reached.held.is_none() && reached.words.contains("not enrolled yet"), "{reached:?}");
        let portal = tried(None, |_| Ok(reply(401, "text/html", Vec::new())));
        assert!(portal.is_err(), "a login page is not central");
        assert_eq!(tried(None, |_| Err(Trouble::Connect)).unwrap_err().fault, Fault::Unreached);
    }
}
