//! What the command line does beside a running server, or without one.

use std::sync::Arc;

use anyhow::Context as _;
use tokio_stream::StreamExt as _;

use super::{
    clock,
    domain::code,
    export as csv,
    store::{NewCode, Store, TimeSpan},
};
use crate::{
    model::{Hash, TerminalId, TouchpointId},
    questionnaire::{Hospital, Site},
};

/// Makes a one-time enrolment code for a touchpoint, good for 24 hours. `tls_key` is the key of the certificate that central made itself, if it
/// serves with that: the code is bound to it.
pub async fn new_code(
    store: &dyn Store,
    hospital: &Hospital,
    touchpoint: &TouchpointId,
    tls_key: Option<Hash>,
) -> anyhow::Result<String> {
    let found = hospital.touchpoint(touchpoint);
    let site = &found
        .with_context(|| format!("there is no touchpoint `{touchpoint}` in the touchpoints file"))?
        .site;
    let code = code::new_code(clock::random(), tls_key);
    let made_at = clock::now();
    store
        .add_code(
            site,
            NewCode {
                code_hash: code::hash_of(&code),
                touchpoint: touchpoint.clone(),
                made_at,
                expires_at: made_at + code::LIFETIME,
            },
        )
        .await?;
    Ok(code)
}

/// Revokes a terminal's key at whichever site it belongs to; false if no site knows it.
pub async fn revoke(store: &dyn Store, hospital: &Hospital, terminal: &TerminalId) -> anyhow::Result<bool> {
    for site in &hospital.sites {
        if store.revoke(&site.id, terminal, clock::now()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes every answer of all sites as CSV.
pub async fn export(
    store: Arc<dyn Store>,
    hospital: &Hospital,
    out: &mut dyn std::io::Write,
) -> anyhow::Result<()> {
    let part = |site: &Site| csv::Part { site: site.id.clone(), zone: site.time_zone, span: TimeSpan::ALL };
    let parts = hospital.sites.iter().map(part).collect();
    let mut pages = std::pin::pin!(csv::answers_csv(store, parts, None));
    while let Some(page) = pages.next().await {
        out.write_all(page?.as_bytes()).context("cannot write the export")?;
    }
    Ok(())
}
