//! `POST /v1/terminals/self/health`: hears how a terminal is.

use axum::{
    Json,
    extract::{Request, State},
};

use super::{
    auth::{self, Proven},
    body::{read_health, unreadable},
};
use crate::{
    central::{app::Shared, error::ApiError, events::Event, store::Report},
    wire::{Health, HealthReply, content_type},
};

/// Hears how a terminal is.
#[utoipa::path(
    post, path = "/v1/terminals/self/health", tag = "terminals", request_body = Health,
    responses(
        (status = 200, body = HealthReply),
    )
)]
pub(in crate::central) async fn post_health(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<HealthReply>, ApiError> {
    auth::expect_type(request.headers(), content_type::JSON)?;
    let Proven { who: terminal, body, .. } = auth::from_terminal(&app, request).await?;
    let time = app.now();
    let health = read_health(&body, time).map_err(|error| unreadable(&error))?;
    let lost_entries = health.lost_after.is_some();
    app.store
        .record_health(Report {
            zone: app.zone(&terminal.site),
            site: terminal.site.clone(),
            terminal: terminal.id.clone(),
            health,
            received_at: time,
        })
        .await?;
    app.metrics.health_reports.increment(1);
    let quarantined = app.store.quarantined_of(&terminal.site, &terminal.id).await?;
    let in_force = app.in_force();
    app.tell(Event::Terminal { site: terminal.site.clone(), terminal: terminal.id });
    if lost_entries {
        app.tell(Event::Incident { site: terminal.site });
    }
    Ok(Json(HealthReply {
        next_sync_after_s: in_force.next_sync_after_s,
        config_etag: in_force.delivered.as_ref().map(|delivered| delivered.etag.clone()),
        quarantined: Some(quarantined),
        commands: Vec::new(),
        time,
    }))
}
