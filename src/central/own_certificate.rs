//! The certificate that central makes for itself when it has none and is reached over a network.
//!
//! Terminals know central by the key of this certificate (see [`crate::enrolment_code`]), browsers ask once. So it lasts for decades, and only a
//! command makes another one. The key and the certificate are two files in the data folder.
//!
//! Invariants:
//! - a key is made only where neither file is, and written before the certificate, so that a start that was cut off goes on with its key;
//! - a certificate without its key is an error with the way to mend it: with another key every terminal would have to ask central anew;
//! - the key's file is readable for its owner alone.

use std::{
    collections::BTreeSet,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Datelike as _, Utc};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use super::{certificate::CertificateFacts, clock, host::host_of, settings::Settings};
use crate::{config::Tls, durable, model::Hash};

/// The certificate in the data folder.
pub(super) const CERT_FILE: &str = "central-tls.pem";

/// Its key in the data folder.
pub(super) const KEY_FILE: &str = "central-tls.key";

/// Longer than any terminal: nobody has to think of it again.
const YEARS: i32 = 30;

/// Names in a certificate; a machine with hundreds of addresses is a router of containers.
const NAMES_MAX: usize = 64;

/// Where the two files of a data folder are.
pub(super) fn files(data_dir: &Path) -> (PathBuf, PathBuf) {
    (data_dir.join(CERT_FILE), data_dir.join(KEY_FILE))
}

/// The key that enrolment codes are bound to, where central serves with a certificate of its own; made if it is not there yet.
pub(super) fn key_of(settings: &Settings) -> anyhow::Result<Option<Hash>> {
    if settings.config.tls != Tls::Own {
        return Ok(None);
    }
    let (cert, _) = make_if_missing(settings, clock::now())?;
    Ok(Some(CertificateFacts::read(&cert)?.key))
}

/// What a certificate is called by: what people and terminals may type to reach central.
fn names(settings: &Settings) -> Vec<String> {
    let config = &settings.config;
    let mut names = BTreeSet::from(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    names.extend(config.public_url.as_deref().and_then(host_in));
    names.extend(config.hosts.iter().cloned());
    let listens_on = config.listen.ip();
    if listens_on.is_unspecified() {
        names.extend(own_addresses());
    } else {
        names.insert(listens_on.to_canonical().to_string());
    }
    let host = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    names.insert(host);
    // A name that no certificate can hold, as of a machine with an underscore, is left out.
    names.into_iter().filter(|name| is_name(name)).take(NAMES_MAX).collect()
}

fn is_name(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
        || (!name.is_empty()
            && name.len() < 254
            && name.split('.').all(|part| {
                (1..64).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }))
}

fn host_in(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split('/').next()?;
    Some(host_of(authority))
}

/// The addresses of this machine that others can reach; those of one link only are left out.
fn own_addresses() -> Vec<String> {
    let found = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this machine cannot be listed; its certificate goes without them");
        Vec::new()
    });
    let of_one_link = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let reachable = found.into_iter().map(|interface| interface.ip().to_canonical());
    reachable.filter(|ip| !of_one_link(ip)).map(|ip| ip.to_string()).collect()
}

/// Makes what is missing of the two files, and gives their paths.
pub(super) fn make_if_missing(settings: &Settings, now: DateTime<Utc>) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (cert, key) = files(&settings.config.data_dir);
    let has_key = key.try_exists().with_context(|| format!("cannot look for {}", key.display()))?;
    let has_cert = cert.try_exists().with_context(|| format!("cannot look for {}", cert.display()))?;
    ensure!(
        has_key || !has_cert,
        "{} is missing, and terminals know central by it; put it back from a backup. Without one, `xinsheng-central certificate --new` \
         makes another: terminals take it over by themselves, codes that were not used yet become useless, and browsers ask again",
        key.display()
    );
    if has_key && has_cert {
        durable::make_private(&key)
            .with_context(|| format!("cannot set the mode of {}; run chmod 600 on it", key.display()))?;
        return Ok((cert, key));
    }
    let made = if has_key { read_key(&key)? } else { make_key(&key)? };
    let names = names(settings);
    let pem = certificate(&made, &names, now.year())?;
    create(&cert, pem.as_bytes())?;
    tracing::info!(cert = %cert.display(), names = names.join(" "), "central made itself a certificate");
    Ok((cert, key))
}

/// Sets the two files aside and makes others; gives the folder where the old ones lie, if there were any.
pub(super) fn replace(settings: &Settings, now: DateTime<Utc>) -> anyhow::Result<Option<PathBuf>> {
    let data_dir = &settings.config.data_dir;
    let (cert, key) = files(data_dir);
    let present: Vec<PathBuf> = [cert, key].into_iter().filter(|path| path.exists()).collect();
    let aside = data_dir.join(format!("certificate-before-{}", now.format("%Y%m%dT%H%M%S%3fZ")));
    if !present.is_empty() {
        fs::create_dir(&aside).with_context(|| format!("cannot make {}", aside.display()))?;
    }
    for path in &present {
        let to = aside.join(path.file_name().unwrap_or_default());
        fs::rename(path, &to).with_context(|| format!("cannot set {} aside", path.display()))?;
    }
    make_if_missing(settings, now)?;
    Ok((!present.is_empty()).then_some(aside))
}

/// Of two programs that start together only one makes the key; both use that one.
fn make_key(path: &Path) -> anyhow::Result<KeyPair> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("cannot make a key")?;
    create(path, key.serialize_pem().as_bytes())?;
    read_key(path)
}

fn read_key(path: &Path) -> anyhow::Result<KeyPair> {
    let pem = durable::read_file(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8(pem).ok();
    // What is wrong inside a key is not repeated.
    let key = text.and_then(|text| KeyPair::from_pem(&text).ok());
    key.with_context(|| format!("{} holds no key; put it back from a backup", path.display()))
}

fn create(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    match durable::create(path, bytes) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.with_context(|| format!("cannot write {}", path.display())),
    }
}

fn certificate(key: &KeyPair, names: &[String], year: i32) -> anyhow::Result<String> {
    let mut params = CertificateParams::new(names).context("cannot make a certificate for these names")?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Xinsheng central");
    // A browser whose clock is some days behind is not to find it in the future.
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + YEARS, 1, 1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params.self_signed(key).context("cannot make a certificate")?.pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &Path) -> Settings {
        let mut settings = Settings::new(folder);
        settings.config.tls = Tls::Own;
        settings.config.listen = "0.0.0.0:8460".parse().unwrap();
        settings.config.public_url = Some("https://Xinsheng.hospital.example:8460/feedback".into());
        settings.config.hosts = vec!["central.local".into(), "under_score".into(), "10.9.9.9".into()];
        settings
    }

    #[test]
    fn a_certificate_has_the_names_that_people_and_terminals_use() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let names = names(&settings);
        for name in ["xinsheng.hospital.example", "central.local", "10.9.9.9", "127.0.0.1", "localhost"] {
            assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains('_')), "{names:?}");
        let (cert, _) = make_if_missing(&settings, clock::now()).unwrap();
        let facts = CertificateFacts::read(&cert).unwrap();
        assert!(facts.names.contains(&"xinsheng.hospital.example".to_owned()), "{facts}");
        assert_eq!(key_of(&settings).unwrap(), Some(facts.key));
    }

    #[test]
    fn a_start_that_was_cut_off_goes_on_with_its_key_and_no_start_makes_another() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let (cert, key) = make_if_missing(&settings, clock::now()).unwrap();
        let made = CertificateFacts::read(&cert).unwrap();
        assert_eq!(make_if_missing(&settings, clock::now()).unwrap(), (cert.clone(), key.clone()));
        assert_eq!(CertificateFacts::read(&cert).unwrap(), made);
        fs::remove_file(&cert).unwrap();
        make_if_missing(&settings, clock::now()).unwrap();
        assert_eq!(CertificateFacts::read(&cert).unwrap().key, made.key);

        fs::write(&key, "damaged").unwrap();
        fs::remove_file(&cert).unwrap();
        let refused = format!("{:#}", make_if_missing(&settings, clock::now()).unwrap_err());
        assert!(refused.contains("holds no key") && !refused.contains("damaged"), "{refused}");
        assert_eq!(fs::read_to_string(&key).unwrap(), "damaged", "it is left as it is");
        let aside = replace(&settings, clock::now()).unwrap().unwrap();
        assert!(aside.join(KEY_FILE).is_file());
        assert_ne!(CertificateFacts::read(&cert).unwrap().key, made.key);
    }
}
