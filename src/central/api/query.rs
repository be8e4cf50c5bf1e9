//! Parameters that several resources have, and how they are read.

use axum::extract::{Query, rejection::QueryRejection};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::central::error::ApiError;

/// Only some answers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::central) struct SiteQuery {
    /// Only this site.
    pub(in crate::central) site: Option<String>,
}

pub(in crate::central) fn read_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|rejection| ApiError::bad_request(rejection.body_text()))
}
