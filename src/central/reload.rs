//! A changed configuration: taken into force, its quarantine tried again, or refused and shown as an incident.

use std::{path::Path, sync::Arc};

use super::{
    app::App,
    events::Event,
    in_force::InForce,
    settings::Settings,
    store::{IncidentKind, Retry, StoreError},
};
use crate::{
    config::{CentralSetup, Change, Findings, Loaded},
    model::SiteId,
    questionnaire::Hospital,
};

/// Longest text of a refused configuration that the list of incidents shows: the first findings; the log has all of them.
const SHOWN_CHARS_MAX: usize = 2_000;

/// A configuration that central does not run with, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trouble {
    /// What kind of incident that is.
    pub(super) kind: IncidentKind,
    /// When it was found.
    pub(super) at: chrono::DateTime<chrono::Utc>,
    /// What, and how to mend it.
    pub(super) detail: String,
}

/// Does what changed files ask for.
pub(super) async fn take(app: &App, change: &Change<CentralSetup>, data_dir: Option<&Path>) {
    let trouble = match change {
        Change::New(loaded) => {
            let lost = lost_sites(app, &loaded.value.hospital).await;
            if lost.is_empty() {
                take_new(app, loaded, data_dir).await
            } else {
                Some((
                    IncidentKind::ConfigRefused,
                    format!("the last good configuration stays in force; {}", without(&lost)),
                ))
            }
        }
        Change::Refused(findings) => Some(refused(findings)),
    };
    if let Some((kind, detail)) = &trouble {
        tracing::error!("{}: {detail}", kind.name());
    }
    app.set_trouble(trouble.map(|(kind, detail)| Trouble { kind, at: app.now(), detail }));
    for site in &app.hospital().sites {
        app.tell(Event::Incident { site: site.id.clone() });
        app.tell(Event::Scores { site: site.id.clone() });
    }
}

async fn take_new(
    app: &App,
    loaded: &Loaded<CentralSetup>,
    data_dir: Option<&Path>,
) -> Option<(IncidentKind, String)> {
    let Loaded { value: CentralSetup { hospital, .. }, config_hash, .. } = loaded;
    let settings = Settings::of(loaded, data_dir);
    match put_in_force(app, &settings, Arc::new(hospital.clone())).await {
        Ok(()) => tracing::info!(%config_hash, "the changed configuration is in force"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the changed configuration waits for the store"
            );
        }
    }
    restart_needed(&app.settings, &settings)
}

/// Sites of enrolled terminals that a configuration does not have.
async fn lost_sites(app: &App, hospital: &Hospital) -> Vec<SiteId> {
    let known = app.store.sites().await.unwrap_or_else(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the sites of the terminals cannot be read"
        );
        Vec::new()
    });
    known.into_iter().filter(|site| hospital.sites.iter().all(|named| named.id != *site)).collect()
}

/// Takes a configuration into force, keeps its names, and tries the quarantine again with it. What cannot be written at present, on a full
/// disk for example, is written at the next start or change: only a store that cannot be read stands in the way.
pub(super) async fn put_in_force(
    app: &App,
    settings: &Settings,
    hospital: Arc<Hospital>,
) -> Result<(), StoreError> {
    let mut remembered = Vec::new();
    for site in &hospital.sites {
        if let Err(error) = app.store.remember(&site.id, Arc::clone(&hospital), app.now()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "names of places could not be kept");
        }
        remembered.push(app.store.remembered(&site.id).await?);
    }
    app.exchange(InForce::new(settings, Arc::clone(&hospital), remembered));
    if let Err(error) = replay_quarantine(app, &hospital).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the quarantine could not be tried again");
    }
    Ok(())
}

/// Tries every site's quarantine again with the configuration in force.
async fn replay_quarantine(app: &App, hospital: &Arc<Hospital>) -> Result<(), StoreError> {
    for site in &hospital.sites {
        if app.store.quarantined(&site.id).await? == 0 {
            continue;
        }
        let done = app
            .store
            .replay_quarantine(Retry {
                site: site.id.clone(),
                zone: site.time_zone,
                hospital: Arc::clone(hospital),
            })
            .await?;
        tracing::info!(site = %site.id, understood = done.understood, remaining = done.remaining, "the quarantine was tried again");
        if done.understood > 0 {
            app.tell(Event::Scores { site: site.id.clone() });
        }
    }
    Ok(())
}

/// What is wrong with a configuration without these sites.
fn without(lost: &[SiteId]) -> String {
    let names: Vec<String> = lost.iter().map(|site| format!("`{site}`")).collect();
    format!(
        "touchpoints.toml has no site {}, to which enrolled terminals and their answers belong; put its [[site]] back, under the same id (its \
         places may be removed and stay in the totals)",
        names.join(", ")
    )
}

/// What a server begins with although sites of its terminals are missing.
pub(super) async fn say_lost_sites(app: &App) {
    let lost = lost_sites(app, &app.hospital()).await;
    if !lost.is_empty() {
        let detail = without(&lost);
        tracing::error!("site_missing: {detail}");
        app.set_trouble(Some(Trouble { kind: IncidentKind::SiteMissing, at: app.now(), detail }));
    }
}

fn refused(findings: &Findings) -> (IncidentKind, String) {
    let text = findings.to_string();
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push_str(" ...");
    }
    (IncidentKind::ConfigRefused, format!("the last good configuration stays in force; mend this:\n{shown}"))
}

/// What a running server cannot change.
fn restart_needed(running: &Settings, wanted: &Settings) -> Option<(IncidentKind, String)> {
    let (running, wanted) = (&running.config, &wanted.config);
    let parts = [
        ("[storage] dir", running.data_dir != wanted.data_dir),
        ("[tls] or behind_proxy", running.tls != wanted.tls),
        ("[limits]", running.limits != wanted.limits),
        ("listen", running.listen != wanted.listen),
    ];
    let changed: Vec<&str> =
        parts.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
    (!changed.is_empty()).then(|| {
        (
            IncidentKind::RestartNeeded,
            format!("restart central to take these parts of central.toml into force: {}", changed.join(", ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_running_server_cannot_change_is_named() {
        let running = Settings::new("data");
        let mut wanted = running.clone();
        wanted.config.scores.hide_below = 9;
        assert_eq!(restart_needed(&running, &wanted), None);
        wanted.config.data_dir = "elsewhere".into();
        wanted.config.listen = "127.0.0.1:1".parse().unwrap();
        let (kind, detail) = restart_needed(&running, &wanted).unwrap();
        assert!(kind == IncidentKind::RestartNeeded && detail.ends_with("[storage] dir, listen"), "{detail}");
    }
}
