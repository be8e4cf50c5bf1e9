//! The load program against the real central, for a few seconds: what it prints must come from receipts that hold and a recount that agrees.

use std::{env, path::Path};

use xinsheng::load::{Options, Shape, run};

fn options(folder: &Path) -> Options {
    Options {
        central: env!("CARGO_BIN_EXE_xinsheng-central").into(),
        folder: folder.to_owned(),
        running: None,
        terminals: 6,
        stages: vec![Shape { batch: 1, connections: 6 }, Shape { batch: 100, connections: 2 }],
        seconds: 1,
        requests_per_s_max: 300,
        seed: 7,
        floors: false,
        returning: None,
    }
}

#[test]
fn every_entry_of_a_run_is_receipted_and_found_by_a_recount() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(&options(folder.path())).unwrap();
    let verified = report.verified.as_ref().unwrap();
    assert!(verified.entries > 0 && verified.answers > 0);
    assert_eq!(verified.journals, 6);
    for stage in &report.stages {
        assert!(stage.requests > 0 && stage.receipts_verified >= stage.requests);
        assert!(stage.sent_per_entry > 0.0 && stage.received_per_entry > 0.0);
    }
    assert!(report.table().contains("all whole"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn terminals_that_return_at_once_are_emptied_while_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(&Options { returning: Some(12), ..options(folder.path()) }).unwrap();
    let back = report.returning.unwrap();
    assert_eq!((back.terminals, back.equal), (12, 12));
    assert!(back.idle_requests > 0 && back.reads > 0);
    assert_eq!(report.verified.unwrap().entries, back.entries);
}
