//! The signature base of RFC 9421 and the structured fields around it.

use sfv::{
    BareItem, Dictionary, InnerList, Item, ItemSerializer, KeyRef, ListEntry, ListSerializer, Parser,
    StringRef,
};

use super::{KeyPair, LABEL, Proof, PublicKey};

/// The one algorithm.
const ALGORITHM: &str = "ed25519";

/// Why something cannot be signed, or a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not a structured field, or not of the expected shape.
    #[error("the field `{0}` cannot be read: {1}")]
    Field(&'static str, String),
    /// Nothing of ours in the field.
    #[error("the field `{0}` has no member `{1}`")]
    Missing(&'static str, &'static str),
    /// A parameter of the signature is absent or has a wrong type.
    #[error("the signature has no usable parameter `{0}`")]
    Param(&'static str),
    /// Something that cannot stand in a signature: a line break, or a text that is not printable ASCII.
    #[error("`{0}` cannot be part of a signature")]
    Unsignable(String),
    /// It covers something else than what must be covered.
    #[error("the signature covers {found}, it must cover {expected}")]
    Covers {
        /// What must be covered.
        expected: String,
        /// What is covered.
        found: String,
    },
    /// Made by someone else than the request claims.
    #[error("the signature is by `{found}`, the request speaks for `{expected}`")]
    KeyId {
        /// Whom the request speaks for.
        expected: String,
        /// Who signed.
        found: String,
    },
    /// The arithmetic does not hold: another key, or something was changed.
    #[error("the signature does not hold for this key and content")]
    Wrong,
    /// A body without a digest.
    #[error("a body came without a content digest")]
    NoDigest,
    /// The body is not the one that was signed.
    #[error("the body does not have the digest its header claims")]
    DigestMismatch,
}

/// What a signature says about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureParams {
    /// The signer's clock, Unix seconds.
    pub created: i64,
    /// Makes two signatures of the same request differ.
    pub nonce: String,
    /// Whose key.
    pub keyid: String,
}

/// Whose key a `signature-input` header names, before anything is checked.
pub fn keyid_of(signature_input: &str) -> Result<String, SignError> {
    Ok(params_of(&our_input(signature_input)?)?.keyid)
}

/// One covered component: its identifier as written in the list, and its value.
pub(super) struct Component {
    identifier: String,
    value: String,
}

impl Component {
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self { identifier: format!("\"{name}\""), value: value.trim().to_owned() }
    }

    /// A component of the request that an answer belongs to (RFC 9421 section 2.4).
    pub(super) fn of_request(name: &str, value: &str) -> Self {
        Self { identifier: format!("\"{name}\";req"), value: value.trim().to_owned() }
    }

    /// The request's own signature, without those that others added.
    pub(super) fn of_request_signature(value: &str) -> Self {
        Self { identifier: format!("\"signature\";req;key=\"{LABEL}\""), value: value.to_owned() }
    }

    fn line(&self) -> Result<String, SignError> {
        if self.value.contains(['\r', '\n']) {
            return Err(SignError::Unsignable(self.value.clone()));
        }
        Ok(format!("{}: {}\n", self.identifier, self.value))
    }
}

/// Signs and returns the values of `signature-input` and `signature`.
pub(super) fn sign(
    key: &KeyPair,
    components: &[Component],
    params: &SignatureParams,
) -> Result<(String, String), SignError> {
    let covered = components.iter().map(|c| c.identifier.as_str()).collect::<Vec<_>>().join(" ");
    let mut input = format!("({covered});created={}", params.created);
    for (name, value) in [("nonce", params.nonce.as_str()), ("keyid", &params.keyid), ("alg", ALGORITHM)] {
        let text = StringRef::from_str(value).map_err(|_| SignError::Unsignable(value.to_owned()))?;
        let value = ItemSerializer::new().bare_item(text).finish();
        input.extend([";", name, "=", &value]);
    }
    let base = signature_base(components.iter(), &input)?;
    let signature = byte_sequence(&key.sign(base.as_bytes()));
    Ok((format!("{LABEL}={input}"), format!("{LABEL}={signature}")))
}

/// Checks that our signature covers exactly these components and holds.
pub(super) fn verify(
    key: &PublicKey,
    components: &[Component],
    proof: &Proof,
) -> Result<SignatureParams, SignError> {
    let input = our_input(proof.signature_input)?;
    let params = params_of(&input)?;
    let listed: Vec<String> = input
        .items
        .iter()
        .map(|item| ItemSerializer::new().bare_item(&item.bare_item).parameters(&item.params).finish())
        .collect();
    let in_their_order: Option<Vec<&Component>> =
        listed.iter().map(|name| components.iter().find(|c| c.identifier == *name)).collect();
    let covers = |found: &[String]| SignError::Covers {
        expected: components.iter().map(|c| c.identifier.as_str()).collect::<Vec<_>>().join(" "),
        found: found.join(" "),
    };
    let mut distinct = listed.clone();
    distinct.sort();
    distinct.dedup();
    let ordered = match in_their_order {
        Some(ordered) if distinct.len() == components.len() && ordered.len() == components.len() => ordered,
        Some(_) | None => return Err(covers(&listed)),
    };
    let base = signature_base(ordered.into_iter(), &serialize(&input))?;
    let signature = dictionary_bytes("signature", proof.signature, LABEL)?;
    if key.verify(base.as_bytes(), &signature) { Ok(params) } else { Err(SignError::Wrong) }
}

/// RFC 9421 section 2.5: one line a component, then the parameters without a line break.
pub(super) fn signature_base<'a>(
    components: impl Iterator<Item = &'a Component>,
    params: &str,
) -> Result<String, SignError> {
    let mut base = String::new();
    for component in components {
        base.push_str(&component.line()?);
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(params);
    Ok(base)
}

/// Bytes as a structured field item: `:base64:`.
pub(super) fn byte_sequence(bytes: &[u8]) -> String {
    ItemSerializer::new().bare_item(bytes).finish()
}

/// The bytes of one member of a dictionary field.
pub(super) fn dictionary_bytes(
    field: &'static str,
    text: &str,
    member: &'static str,
) -> Result<Vec<u8>, SignError> {
    match parse(field, text)?.swap_remove(key_ref(member)?) {
        Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), .. })) => Ok(bytes),
        Some(ListEntry::Item(_) | ListEntry::InnerList(_)) => {
            Err(SignError::Field(field, "not a byte sequence".into()))
        }
        None => Err(SignError::Missing(field, member)),
    }
}

fn our_input(signature_input: &str) -> Result<InnerList, SignError> {
    const FIELD: &str = "signature-input";
    match parse(FIELD, signature_input)?.swap_remove(key_ref(LABEL)?) {
        Some(ListEntry::InnerList(list)) => Ok(list),
        Some(ListEntry::Item(_)) => Err(SignError::Field(FIELD, "not an inner list".into())),
        None => Err(SignError::Missing(FIELD, LABEL)),
    }
}

fn params_of(input: &InnerList) -> Result<SignatureParams, SignError> {
    let text = |name: &'static str| {
        let value = input.params.get(key_ref(name)?).and_then(BareItem::as_string);
        value.map(|text| text.as_str().to_owned()).ok_or(SignError::Param(name))
    };
    if text("alg")? != ALGORITHM {
        return Err(SignError::Param("alg"));
    }
    let created = input.params.get(key_ref("created")?).and_then(BareItem::as_integer);
    Ok(SignatureParams {
        created: created.ok_or(SignError::Param("created"))?.into(),
        nonce: text("nonce")?,
        keyid: text("keyid")?,
    })
}

fn serialize(list: &InnerList) -> String {
    let mut serializer = ListSerializer::new();
    let mut inner = serializer.inner_list();
    inner.items(&list.items);
    inner.finish().parameters(&list.params);
    serializer.finish().unwrap_or_default()
}

fn parse(field: &'static str, text: &str) -> Result<Dictionary, SignError> {
    Parser::new(text).parse().map_err(|error| SignError::Field(field, error.to_string()))
}

fn key_ref(name: &'static str) -> Result<&'static KeyRef, SignError> {
    KeyRef::from_str(name).map_err(|_| SignError::Param(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, B.1.4 (test-key-ed25519) and B.2.6.
    #[test]
    fn the_ed25519_example_of_the_rfc_comes_out_to_the_byte() -> Result<(), Box<dyn std::error::Error>> {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        let pkcs8 =
            BASE64_STANDARD.decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF")?;
        let key = KeyPair::from_seed(pkcs8.last_chunk::<32>().ok_or("short")?);
        assert_eq!(key.public().to_string(), "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=");

        let components = [
            Component::new("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            Component::new("@method", "POST"),
            Component::new("@path", "/foo"),
            Component::new("@authority", "example.com"),
            Component::new("content-type", "application/json"),
            Component::new("content-length", "18"),
        ];
        let params = concat!(
            r#"("date" "@method" "@path" "@authority" "content-type" "content-length")"#,
            r#";created=1618884473;keyid="test-key-ed25519""#
        );
        let base = signature_base(components.iter(), params)?;
        assert!(base.ends_with(&format!("\"content-length\": 18\n\"@signature-params\": {params}")));
        assert_eq!(
            byte_sequence(&key.sign(base.as_bytes())),
            ":wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
        );
        Ok(())
    }

    #[test]
    fn a_line_break_cannot_smuggle_a_component() {
        let evil = [Component::new("@path", "/a\n\"@method\": GET")];
        assert!(matches!(signature_base(evil.iter(), "()"), Err(SignError::Unsignable(_))));
    }
}
