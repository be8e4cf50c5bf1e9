//! The button that ends calls for help.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{error, frame::Frame};
use crate::central::{
    app::Shared,
    queries::{QueryError, help::answer},
};

/// Which calls.
#[derive(Deserialize, ToSchema)]
pub(in crate::central) struct CallsAnswered {
    /// Their ids, with spaces between them.
    calls: String,
}

/// Marks calls answered, and leads back to the overview.
#[utoipa::path(
    post, path = "/help/answered", tag = "pages", request_body(content = CallsAnswered, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "done; back to the overview"),
        (status = 400, description = "no form", body = String, content_type = "text/html"),
        (status = 404, description = "no such call", body = String, content_type = "text/html"),
    )
)]
pub(in crate::central) async fn answered(
    frame: Frame,
    State(app): State<Shared>,
    form: Result<Form<CallsAnswered>, FormRejection>,
) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => return error::page(&frame, QueryError::Unreadable(rejection.body_text())),
    };
    for id in form.calls.split(' ').filter(|id| !id.is_empty()) {
        if let Err(error) = answer(&app, id).await {
            return error::page(&frame, error);
        }
    }
    Redirect::to(&format!("{}/", frame.base)).into_response()
}
