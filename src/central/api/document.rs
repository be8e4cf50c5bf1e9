//! Completes the OpenAPI document: refusals common to all requests of a kind, statuses that middleware answers, and headers of signed requests
//! and answers. Handlers declare only what is their own.
//!
//! Invariant: a header named here is one that `auth` reads or sets. What a handler declares itself stays as it says.

use serde_json::json;
use utoipa::openapi::{
    Content, Header, HeaderBuilder, OpenApi, RefOr, Required, Response,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::{Object, ObjectBuilder, Ref, Type},
    security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
};

use crate::wire::{PROTOCOL_VERSION, content_type, header, path};

/// The name of the security scheme.
const SIGNATURE_SCHEME: &str = "message_signature";

const SIGNATURE_WORDS: &str = "HTTP message signature (RFC 9421, Ed25519), member `sig1`, over method, path, query, `content-digest`, \
     `content-encoding`, `xinsheng-terminal` and `xinsheng-protocol`";

/// Adds what no single handler knows.
pub(in crate::central) fn complete(document: &mut OpenApi) {
    for (place, item) in &mut document.paths.paths {
        let methods = [(&mut item.get, false), (&mut item.post, true)];
        for (operation, changes) in methods {
            let Some(operation) = operation else { continue };
            let timeout = Response::new("central did not come to an answer in time");
            operation.responses.responses.insert("408".to_owned(), RefOr::T(timeout));
            let is_self = place.starts_with("/v1/terminals/self/");
            refusals(operation, place);
            if is_self || place == path::ENROLMENTS {
                signed(operation, is_self, changes);
            } else {
                problem(operation, "421", "asked under a name that is not central's");
                if changes {
                    problem(operation, "403", "sent by a page that is not central's");
                }
            }
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                if ["429", "503"].contains(&status.as_str()) {
                    put(response, "retry-after", "seconds after which to come again");
                }
            }
        }
    }
    let scheme = ApiKeyValue::with_description(header::SIGNATURE, SIGNATURE_WORDS);
    document
        .components
        .get_or_insert_default()
        .add_security_scheme(SIGNATURE_SCHEME, SecurityScheme::ApiKey(ApiKey::Header(scheme)));
}

/// What every request of its kind may be refused with.
fn refusals(operation: &mut Operation, place: &str) {
    if !place.starts_with("/v1/") {
        return;
    }
    problem(operation, "503", "the store failed");
    let of_query: Vec<&str> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
                Some(parameter.name.as_str())
            }
            RefOr::T(_) | RefOr::Ref(_) => None,
        })
        .collect();
    let (has_site, has_span) = (of_query.contains(&"site"), of_query.contains(&"from"));
    if has_site {
        problem(operation, "400", "a parameter cannot be read");
        problem(operation, "404", "no such site");
    }
    if has_span {
        let words =
            "the parameters contradict each other or ask for too much at once; `detail` says what to ask for";
        problem(operation, "422", words);
    }
}

/// What a signed request carries and what its answer carries.
fn signed(operation: &mut Operation, by_terminal: bool, has_body: bool) {
    problem(operation, "400", "unreadable");
    problem(operation, "401", "no valid signature");
    problem(operation, "413", "too large");
    problem(operation, "415", "unknown type or encoding");
    problem(operation, "426", "newer protocol");
    problem(operation, "429", "too many");
    let protocol = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .enum_values(Some([json!(PROTOCOL_VERSION)]))
        .description(Some("the protocol's major version"));
    let mut headers = vec![
        required(header::PROTOCOL, protocol.build()),
        required(
            header::SIGNATURE_INPUT,
            text("RFC 9421: what the signature covers, and `created`, `nonce`, `keyid`, `alg`"),
        ),
    ];
    if by_terminal {
        problem(operation, "403", "revoked");
        problem(operation, "425", "this very request was answered before");
        headers.push(required(header::TERMINAL, text("the terminal's name, as its enrolment was answered")));
    }
    if has_body {
        headers.push(required(header::CONTENT_DIGEST, text("RFC 9530: `sha-256` over the body as sent")));
        let gzip = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["gzip"]));
        let packed = ParameterBuilder::new().name("content-encoding").parameter_in(ParameterIn::Header);
        headers.push(packed.required(Required::False).schema(Some(gzip.build())).build());
    }
    operation.parameters.get_or_insert_default().extend(headers.into_iter().map(RefOr::T));
    let none: [&str; 0] = [];
    operation.security.get_or_insert_default().push(SecurityRequirement::new(SIGNATURE_SCHEME, none));
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let proven = "only where the request was proven";
        put(response, header::CONTENT_DIGEST, &format!("RFC 9530, of a body; {proven}"));
        put(response, header::SIGNATURE_INPUT, &format!("RFC 9421; {proven}"));
        put(
            response,
            header::SIGNATURE,
            &format!("central's signature over this answer and its request; {proven}"),
        );
    }
}

fn text(words: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).description(Some(words)).build()
}

fn required(name: &str, schema: Object) -> Parameter {
    let words = schema.description.clone();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(words)
        .schema(Some(schema))
        .build()
}

fn put(response: &mut Response, name: &str, words: &str) {
    let header: Header = HeaderBuilder::new().description(Some(words)).schema(Some(text(words))).build();
    response.headers.insert(name.to_owned(), RefOr::T(header));
}

/// Declares a refusal, unless the handler has words of its own for it.
fn problem(operation: &mut Operation, status: &str, words: &str) {
    let mut response = Response::new(words);
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    response.content.insert(content_type::PROBLEM.to_owned(), RefOr::T(content));
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}
