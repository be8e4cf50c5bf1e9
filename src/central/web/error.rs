//! A page that cannot be shown, in words.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::frame::Frame;
use crate::{
    central::{error::ApiError, queries::QueryError},
    lang::CentralText,
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: &'a Frame,
    title: &'a str,
    detail: String,
}

/// The page that says why another one cannot be shown.
pub(in crate::central) fn page(frame: &Frame, error: QueryError) -> Response {
    let (status, title) = match &error {
        QueryError::Unreadable(_) => (StatusCode::BAD_REQUEST, CentralText::CannotShow),
        QueryError::Span(_) => (StatusCode::UNPROCESSABLE_ENTITY, CentralText::CannotShow),
        QueryError::Unknown(_) => (StatusCode::NOT_FOUND, CentralText::NotFound),
        QueryError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, CentralText::CannotShow),
    };
    if let QueryError::Store(error) = error {
        // It is logged there, with its cause, and answered with the time to come again.
        let answer = ApiError::from(error).into_response();
        return (answer.status(), answer.headers().clone(), rendered(frame, title, String::new()))
            .into_response();
    }
    (status, rendered(frame, title, error.to_string())).into_response()
}

fn rendered(frame: &Frame, title: CentralText, detail: String) -> Response {
    show(frame, &ErrorPage { frame, title: frame.words.t(title), detail })
}

/// Renders a page. A template that fails is a fault of the program: it is logged, and the reader is told.
pub(in crate::central) fn show(frame: &Frame, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => frame.page(html),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
