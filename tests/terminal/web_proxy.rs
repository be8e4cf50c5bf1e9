//! The proxy of the environment: it gets nothing that is not encrypted, and whoever looks for a fault hears of it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect, and waits in real time")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use xinsheng::{
    clock::SystemClock,
    sync::{
        self, Diagnosis, Fault, ServerKey,
        message::{Speaker, ask_cursor},
        transport::{HttpTransport, Transport as _},
    },
};

use super::sync_end_to_end::{DEADLINES, Scene, registration};

/// Set in the child process that has a proxy in its environment.
const CHILD: &str = "XINSHENG_TEST_CHILD";

/// Notes what it gets, and lets nothing through.
fn nosy_proxy() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&heard);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut bytes = [0; 4096];
            let n = client.read(&mut bytes).unwrap_or(0);
            note.lock().unwrap().push(String::from_utf8_lossy(&bytes[..n]).into_owned());
            // It may have closed already.
            let _ = client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (address, heard)
}

#[test]
fn row_8_plain_http_never_goes_through_the_proxy_of_the_environment() {
    if let Ok(told) = std::env::var(CHILD) {
        let (url, code) = told.split_once(' ').unwrap();
        let folder = tempfile::tempdir().unwrap();
        sync::enrol(url, None, code, &folder.path().join("identity.json"), &SystemClock::new()).unwrap();
        return;
    }
    let scene = Scene::new(|_| {});
    let (proxy, heard) = nosy_proxy();
    let code = scene.central.new_code(&registration()).unwrap();
    let name = "web_proxy::row_8_plain_http_never_goes_through_the_proxy_of_the_environment";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name]).env(CHILD, format!("{} {code}", scene.central.url()));
    for variable in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(variable, format!("http://{proxy}"));
    }
    let ended = child.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(*heard.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn row_8_over_https_the_proxy_sees_a_tunnel_only_and_the_diagnosis_names_it() {
    let (proxy, heard) = nosy_proxy();
    let environment = |name: &str| (name == "https_proxy").then(|| format!("http://me:secret@{proxy}"));
    let url = "https://central.invalid";
    let mut transport =
        HttpTransport::with_environment(url, None, ServerKey::Authorities, DEADLINES, &environment).unwrap();
    let key = xinsheng::sign::KeyPair::from_seed(&[1; 32]);
    let at = chrono::DateTime::UNIX_EPOCH;
    let speaker = Speaker { key: &key, terminal: Some("t-1"), at, nonce: "n" };
    let request = ask_cursor(&speaker, xinsheng::model::ChainId([1; 16])).unwrap();
    let trouble = transport.send(&request).unwrap_err();
    let told = transport.told(Diagnosis::new(Fault::Unreached, trouble.to_string()));
    assert!(told.words.contains(&format!("through the proxy http://{proxy}")), "{told}");
    assert!(!told.words.contains("secret"), "{told}");
    let heard = heard.lock().unwrap();
    assert!(!heard.is_empty());
    for request in &*heard {
        assert!(request.starts_with("CONNECT central.invalid:443 "), "{request}");
        assert!(!request.contains("cursor") && !request.contains("t-1"), "{request}");
    }
}
