use super::*;

fn terminal() -> KeyPair {
    KeyPair::from_seed(&[1; 32])
}

fn central() -> KeyPair {
    KeyPair::from_seed(&[2; 32])
}

const BATCH: RequestParts<'static> = RequestParts {
    method: "POST",
    path: "/v1/terminals/self/entries",
    query: None,
    terminal: Some("t-0001"),
    protocol: "1",
    content_encoding: Some("gzip"),
    body: b"entries",
};

const CURSOR: RequestParts<'static> = RequestParts {
    method: "GET",
    path: "/v1/terminals/self/cursor",
    query: Some("chain=00"),
    content_encoding: None,
    body: b"",
    ..BATCH
};

#[test]
fn digests_are_those_of_the_rfc() {
    // RFC 9530, appendix B.1: the body {"hello": "world"} and a line feed.
    let body = b"{\"hello\": \"world\"}\n";
    let header = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    assert_eq!(content_digest(body), header);
    assert_eq!(check_content_digest(header, body), Ok(()));
    let with_more = format!("sha-512=:AAAA:, {header}");
    assert_eq!(check_content_digest(&with_more, body), Ok(()));
    assert_eq!(check_content_digest(header, b"{}"), Err(SignError::DigestMismatch));
    assert!(matches!(check_content_digest("sha-512=:AAAA:", body), Err(SignError::Missing(..))));
    assert!(matches!(check_content_digest("sha-256=1", body), Err(SignError::Field(..))));
    assert!(matches!(check_content_digest("\u{1}", body), Err(SignError::Field(..))));
}

#[test]
fn a_signed_request_is_believed_and_says_who_and_when() -> Result<(), SignError> {
    for parts in [BATCH, CURSOR] {
        let headers = sign_request(&terminal(), &parts, 1_795_000_000, "n1")?;
        assert_eq!(keyid_of(&headers.signature_input)?, "t-0001");
        let params = verify_request(&terminal().public(), &parts, &headers.as_proof())?;
        assert_eq!((params.created, params.nonce.as_str()), (1_795_000_000, "n1"));
    }
    Ok(())
}

#[test]
fn an_enrolment_is_signed_with_the_key_it_offers() -> Result<(), SignError> {
    let parts = RequestParts { terminal: None, path: "/v1/enrolments", content_encoding: None, ..BATCH };
    let headers = sign_request(&terminal(), &parts, 0, "n")?;
    assert_eq!(keyid_of(&headers.signature_input)?, terminal().public().to_string());
    assert!(verify_request(&terminal().public(), &parts, &headers.as_proof()).is_ok());
    assert!(verify_request(&central().public(), &parts, &headers.as_proof()).is_err());
    Ok(())
}

#[test]
fn every_single_change_to_a_request_is_noticed() -> Result<(), SignError> {
    let key = terminal().public();
    let headers = sign_request(&terminal(), &BATCH, 1, "n")?;
    let changed = [
        RequestParts { method: "PUT", ..BATCH },
        RequestParts { path: "/v1/terminals/self/health", ..BATCH },
        RequestParts { query: Some("a=b"), ..BATCH },
        RequestParts { query: Some(""), ..BATCH },
        RequestParts { terminal: Some("t-0002"), ..BATCH },
        RequestParts { terminal: None, ..BATCH },
        RequestParts { protocol: "2", ..BATCH },
        RequestParts { content_encoding: None, ..BATCH },
        RequestParts { content_encoding: Some("zstd"), ..BATCH },
        RequestParts { body: b"Entries", ..BATCH },
        RequestParts { body: b"", ..BATCH },
    ];
    for parts in changed {
        assert!(verify_request(&key, &parts, &headers.as_proof()).is_err(), "{parts:?}");
        // Someone in between can fix the digest, but not the signature over it.
        let digest = digest_of(parts.body);
        let proof = Proof { content_digest: digest.as_deref(), ..headers.as_proof() };
        assert!(verify_request(&key, &parts, &proof).is_err(), "{parts:?}");
    }
    let cursor = sign_request(&terminal(), &CURSOR, 1, "n")?;
    let other_chain = RequestParts { query: Some("chain=01"), ..CURSOR };
    assert_eq!(verify_request(&key, &other_chain, &cursor.as_proof()), Err(SignError::Wrong));
    Ok(())
}

#[test]
fn every_single_change_to_the_signature_is_noticed() -> Result<(), SignError> {
    let key = terminal().public();
    let headers = sign_request(&terminal(), &BATCH, 1, "n")?;
    let input = &headers.signature_input;
    for (from, to) in [
        ("created=1", "created=2"),
        ("nonce=\"n\"", "nonce=\"m\""),
        ("keyid=\"t-0001\"", "keyid=\"t-0002\""),
        ("alg=\"ed25519\"", "alg=\"hmac-sha256\""),
        (";alg=\"ed25519\"", ""),
        (";created=1", ""),
        (";nonce=\"n\"", ""),
        ("sig1=", "sig2="),
        (" \"content-digest\"", ""),
        (" \"content-digest\"", " \"@authority\""),
        (" \"content-digest\"", " \"content-digest\" \"content-digest\""),
        (" \"content-digest\"", " \"content-digest\";sf"),
        (" \"xinsheng-protocol\"", ""),
        ("\"@method\" ", ""),
    ] {
        let changed = input.replacen(from, to, 1);
        assert_ne!(&changed, input, "{from}");
        let proof = Proof { signature_input: &changed, ..headers.as_proof() };
        assert!(verify_request(&key, &BATCH, &proof).is_err(), "{from} -> {to}");
    }
    let no_digest = Proof { content_digest: None, ..headers.as_proof() };
    assert_eq!(verify_request(&key, &BATCH, &no_digest), Err(SignError::NoDigest));
    assert_eq!(verify_request(&central().public(), &BATCH, &headers.as_proof()), Err(SignError::Wrong));
    for signature in ["", "sig1=:AAAA:", "sig1=1", "other=:AAAA:"] {
        let proof = Proof { signature, ..headers.as_proof() };
        assert!(verify_request(&key, &BATCH, &proof).is_err(), "{signature}");
    }
    Ok(())
}

#[test]
fn another_order_and_others_signatures_do_not_disturb() -> Result<(), SignError> {
    let parts = request_components(&CURSOR, None);
    let reversed: Vec<Component> = parts.into_iter().rev().collect();
    let params = SignatureParams { created: 5, nonce: "n".into(), keyid: "t-0001".into() };
    let (input, signature) = sign(&terminal(), &reversed, &params)?;
    let input = format!("proxy=(\"@method\");created=1, {input}");
    let signature = format!("proxy=:AAAA:, {signature}");
    let proof = Proof { content_digest: None, signature_input: &input, signature: &signature };
    assert_eq!(verify_request(&terminal().public(), &CURSOR, &proof), Ok(params));
    Ok(())
}

fn asked<'a>(parts: &RequestParts<'a>, headers: &'a SignedHeaders) -> AnsweredRequest<'a> {
    AnsweredRequest {
        method: parts.method,
        path: parts.path,
        query: parts.query,
        content_digest: headers.content_digest.as_deref(),
        signature: &headers.signature,
    }
}

#[test]
fn a_request_s_head_is_proven_without_its_body() -> Result<(), SignError> {
    let key = terminal().public();
    let headers = sign_request(&terminal(), &BATCH, 1, "n")?;
    let head = RequestParts { body: b"", ..BATCH };
    assert!(verify_request_head(&key, &head, &headers.as_proof()).is_ok());
    assert!(verify_request_head(&central().public(), &head, &headers.as_proof()).is_err());
    let other = Proof { content_digest: Some("sha-256=:AAAA:"), ..headers.as_proof() };
    assert_eq!(verify_request_head(&key, &head, &other), Err(SignError::Wrong));
    Ok(())
}

#[test]
fn an_answer_holds_for_its_own_request_only() -> Result<(), SignError> {
    let request = sign_request(&terminal(), &BATCH, 1, "n1")?;
    let later = sign_request(&terminal(), &BATCH, 1, "n2")?;
    let answer = ResponseParts {
        status: 200,
        content_type: Some("application/vnd.xinsheng.receipt+json"),
        etag: None,
        body: b"{}",
        request: asked(&BATCH, &request),
    };
    let params = SignatureParams { created: 1, nonce: "a".into(), keyid: "store".into() };
    let headers = sign_response(&central(), &answer, &params)?;
    assert_eq!(verify_response(&central().public(), &answer, &headers.as_proof()), Ok(params.clone()));
    let with = |request| ResponseParts { request, ..answer };
    for changed in [
        ResponseParts { status: 201, ..answer },
        ResponseParts { content_type: Some("text/html"), ..answer },
        ResponseParts { content_type: None, ..answer },
        ResponseParts { body: b"[]", ..answer },
        ResponseParts { body: b"", ..answer },
        ResponseParts { etag: Some("\"1\""), ..answer },
        with(AnsweredRequest { signature: &later.signature, ..answer.request }),
        with(AnsweredRequest { signature: "", ..answer.request }),
        with(AnsweredRequest { method: "GET", ..answer.request }),
        with(AnsweredRequest { path: "/v1/terminals/self/health", ..answer.request }),
        with(AnsweredRequest { query: Some("a=b"), ..answer.request }),
        with(AnsweredRequest { content_digest: None, ..answer.request }),
        with(AnsweredRequest { content_digest: Some("sha-256=:AAAA:"), ..answer.request }),
    ] {
        assert!(verify_response(&central().public(), &changed, &headers.as_proof()).is_err(), "{changed:?}");
    }
    assert_eq!(
        verify_response(&terminal().public(), &answer, &headers.as_proof()),
        Err(SignError::Wrong),
        "a terminal cannot give itself a receipt"
    );

    let cursor = sign_request(&terminal(), &CURSOR, 1, "n3")?;
    let request = asked(&CURSOR, &cursor);
    let empty = ResponseParts { status: 304, content_type: None, etag: Some("\"1\""), body: b"", request };
    let headers = sign_response(&central(), &empty, &params)?;
    assert_eq!(headers.content_digest, None);
    assert!(verify_response(&central().public(), &empty, &headers.as_proof()).is_ok());
    for changed in [
        ResponseParts { etag: Some("\"2\""), ..empty },
        ResponseParts { etag: None, ..empty },
        ResponseParts { request: AnsweredRequest { query: Some("chain=01"), ..request }, ..empty },
        ResponseParts { request: AnsweredRequest { query: None, ..request }, ..empty },
    ] {
        assert!(verify_response(&central().public(), &changed, &headers.as_proof()).is_err(), "{changed:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_stand_in_a_signature_is_said() {
    assert!(matches!(sign_request(&terminal(), &BATCH, 1, "心声"), Err(SignError::Unsignable(_))));
}
