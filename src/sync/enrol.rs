//! Trading a one-time code for an identity.
//!
//! The key is made before anything is sent and kept until central's answer is on disk, so that a cut at any point leaves either nothing
//! or an enrolment that is finished by asking again with the same code.

use std::path::Path;

use super::{
    hardware::hardware_id,
    keys::{Identity, IdentityError, forget_pending, pending_key},
    message::{MessageError, Reply, Request, Speaker, Stamp, send_json},
    nonce,
    outcome::Trouble,
    server_key::ServerKey,
    transport::{Deadlines, HttpTransport, Transport, TransportError},
};
use crate::{
    clock::{Clock, fresh},
    enrolment_code::EnrolmentCode,
    model::Moment,
    sign::{KeyError, KeyPair, PublicKey, SignError},
    wire::{Enrolment, EnrolmentReply, Problem, content_type, path},
};

/// Why a terminal was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Not the digits of a code.
    #[error("an enrolment code has fifteen digits, or twenty; look at it again")]
    Code,
    /// The server has another key than the central that made the code.
    #[error(
        "what answers is not the central that made this code, or a digit is mistyped; the code was not sent. Compare all twenty digits: if they \
         are right, something in between answers, or the code was made before central got another certificate (then make a new one)"
    )]
    OtherCentral,
    /// The connection cannot be set up as configured.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Central was not reached.
    #[error("central was not reached; the code stays good, try again")]
    Unreached(#[from] Trouble),
    /// Central said no.
    #[error("central refused the enrolment ({status}): {reason}")]
    Refused {
        /// The status.
        status: u16,
        /// Central's reason.
        reason: String,
    },
    /// What answered is not a central, or something in between changed the answer.
    #[error("what answered is no central ({status}, type `{content_type}`)")]
    Foreign {
        /// The status.
        status: u16,
        /// Its type.
        content_type: String,
    },
    /// Central's answer cannot be read.
    #[error("central's answer cannot be read; is it a newer version?")]
    Unreadable(#[from] serde_json::Error),
    /// Central's answer is not signed with the key it names.
    #[error("central's answer is not signed with its own key; something in between changed it")]
    Unsigned(#[from] SignError),
    /// Central's key is none.
    #[error("central sent a damaged key")]
    Key(#[from] KeyError),
    /// The request cannot be made.
    #[error("the enrolment cannot be written")]
    Message(#[from] MessageError),
    /// The identity cannot be stored.
    #[error("the identity cannot be stored")]
    Identity(#[from] IdentityError),
}

/// Enrols this machine at central and stores the identity; one that is there is replaced.
pub fn enrol(
    url: &str,
    ca_file: Option<&Path>,
    code: &str,
    identity_file: &Path,
    clock: &dyn Clock,
) -> Result<Identity, EnrolError> {
    let code = EnrolmentCode::read(code).ok_or(EnrolError::Code)?;
    let mut transport = HttpTransport::expecting(url, ca_file, expected_by(&code), Deadlines::default())?;
    enrol_through(&mut transport, &code, identity_file, &hardware_id(), &clock.now())
}

/// Which server may be told a code.
pub(crate) fn expected_by(code: &EnrolmentCode) -> ServerKey {
    if code.is_bound() { ServerKey::OfCode(code.clone()) } else { ServerKey::Authorities }
}

/// The same through any transport, as a machine of any name. The transport is one to the server that [`expected_by`] names.
pub(crate) fn enrol_through(
    transport: &mut dyn Transport,
    code: &EnrolmentCode,
    identity_file: &Path,
    hardware_id: &str,
    now: &Moment,
) -> Result<Identity, EnrolError> {
    let key = pending_key(identity_file, &fresh::key_seed())?;
    let request = ask(&key, code, hardware_id, now, &nonce())?;
    let reply = match transport.send(&request) {
        Err(Trouble::CertificateKey) => return Err(EnrolError::OtherCentral),
        answer => answer?,
    };
    // A refusal proves nothing, since nobody's key is known yet: the key stays, in case central took it with an answer that was lost.
    let answer = judge(&reply, &request.stamp())?;
    let identity = Identity {
        tls_key: transport.server_key().filter(|_| code.is_bound()),
        ..Identity::new(key, hardware_id.to_owned(), answer)?
    };
    identity.save(identity_file)?;
    forget_pending(identity_file);
    tracing::info!(terminal = %identity.terminal, site = %identity.site, store = %identity.store, "enrolled");
    Ok(identity)
}

fn ask(
    key: &KeyPair,
    code: &EnrolmentCode,
    hardware_id: &str,
    now: &Moment,
    nonce: &str,
) -> Result<Request, MessageError> {
    let enrolment = Enrolment {
        code: code.clone().unbound().to_string(),
        public_key: key.public().to_string(),
        hardware_id: hardware_id.to_owned(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        sent: *now,
    };
    let speaker = Speaker { key, terminal: None, at: now.wall, nonce };
    send_json(&speaker, path::ENROLMENTS, &enrolment)
}

/// Takes central's key on trust, this once: the code reached the right central over TLS, by its authority or by the digits that bind the code to
/// its key, and the answer must hold under the key that it brings.
fn judge(reply: &Reply, request: &Stamp) -> Result<EnrolmentReply, EnrolError> {
    let status = reply.status;
    match status {
        200..=299 if reply.content_type() == content_type::JSON => {}
        408 | 425 | 429 | 500.. => return Err(Trouble::Status(status).into()),
        400..=499 if reply.content_type() == content_type::PROBLEM => {
            let problem: Problem = serde_json::from_slice(&reply.body)?;
            return Err(EnrolError::Refused { status, reason: problem.detail.unwrap_or(problem.title) });
        }
        0..=499 => {
            return Err(EnrolError::Foreign { status, content_type: reply.content_type().to_owned() });
        }
    }
    let answer: EnrolmentReply = serde_json::from_slice(&reply.body)?;
    let central: PublicKey = answer.central_key.parse()?;
    let params = reply.verify(&central, request)?;
    let expected = answer.store.to_string();
    if params.keyid == expected {
        Ok(answer)
    } else {
        Err(SignError::KeyId { expected, found: params.keyid }.into())
    }
}
