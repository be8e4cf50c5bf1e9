//! What every page has: its language, and the addresses that it names.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
    response::{Html, IntoResponse, Response},
};

use super::words::Words;
use crate::central::app::Shared;

/// The cookie and the parameter that keep the reader's language.
const LANG: &str = "lang";

/// A year: who once chose a language means it.
const LANG_KEPT_S: u32 = 365 * 24 * 3600;

/// What every page has.
#[derive(Clone, Debug)]
pub(in crate::central) struct Frame {
    /// The words of the reader's language.
    pub(in crate::central) words: Words,
    /// The path that central is served under, without a slash at its end; mostly empty.
    pub(in crate::central) base: String,
    /// This page's path and parameters but for the language.
    here: String,
    /// The language was chosen with this request.
    is_chosen: bool,
}

impl Frame {
    /// The language a reader may change to.
    pub(in crate::central) fn other_tag(&self) -> &'static str {
        self.words.other().tag()
    }

    /// Its own name.
    pub(in crate::central) fn other_name(&self) -> &'static str {
        self.words.other().own_name()
    }

    /// This page in that language.
    pub(in crate::central) fn other_language(&self) -> String {
        let joint = if self.here.contains('?') { '&' } else { '?' };
        format!("{}{joint}{LANG}={}", self.here, self.other_tag())
    }

    /// A page with its language, which the browser keeps if it was chosen now.
    pub(in crate::central) fn page(&self, html: String) -> Response {
        let mut response = Html(html).into_response();
        if self.is_chosen {
            let cookie = format!(
                "{LANG}={}; Path={}/; Max-Age={LANG_KEPT_S}; SameSite=Lax; HttpOnly",
                self.words.tag(),
                self.base
            );
            if let Ok(value) = cookie.parse() {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        response
    }
}

impl FromRequestParts<Shared> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Infallible> {
        let query: Vec<(String, String)> = url_parts(parts.uri.query().unwrap_or_default());
        let chosen = query.iter().find(|(name, _)| name == LANG).map(|(_, value)| value.as_str());
        let kept = cookie(&parts.headers, LANG);
        let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let accepted = accepted.map(accept_language::parse).unwrap_or_default();
        let wanted = chosen.into_iter().chain(kept.as_deref()).chain(accepted.iter().map(String::as_str));
        let base = app.settings.base_path().to_owned();
        let rest = query.iter().filter(|(name, _)| name != LANG);
        let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        // A service that is nested under the base path sees what is below it.
        let path = parts.uri.path().strip_prefix(&base).unwrap_or(parts.uri.path());
        let here = format!("{base}{path}{}{rest}", if rest.is_empty() { "" } else { "?" });
        Ok(Self { words: Words::of(wanted), base, here, is_chosen: chosen.is_some() })
    }
}

fn url_parts(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The value of a cookie.
pub(in crate::central) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}
