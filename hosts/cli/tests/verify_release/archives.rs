//! Archives that are damaged or hostile are problems, within bounds.

use std::{io::Cursor, time::Instant};

use zip::{ZipArchive, ZipWriter};

use crate::{
    parts::{gzip, tar, tar_gz, zip},
    release::{GO, NPM, Release, go},
};

#[track_caller]
fn refused(path: &str, bytes: impl Into<Vec<u8>>, problem: &str) {
    Release::new()
        .put(path, bytes)
        .write()
        .is_refused_for(&[(path, problem)]);
}

#[test]
fn a_damaged_archive_is_a_problem() {
    let release = Release::new();
    for path in [NPM, &go("v0.1.0.zip")] {
        let good = &release.files[path];
        for length in [0, 1, 20, good.len() / 2, good.len() - 1] {
            refused(path, &good[..length], "cannot be unpacked");
        }
        refused(path, "not an archive", "cannot be unpacked");
    }
    let more = [&release.files[NPM][..], b"more"].concat();
    refused(NPM, more, "cannot be unpacked");
}

#[test]
fn paths_in_archives_lead_nowhere_else() {
    for path in [
        "package/../../x",
        "/x",
        "../x",
        "package//x",
        "package/./x",
        "a\\b",
    ] {
        refused(
            NPM,
            tar_gz(&vec![(path, Vec::new())]),
            "is not a plain relative one",
        );
        refused(
            &go("v0.1.0.zip"),
            zip(&vec![(path, Vec::new())]),
            "is not a plain relative one",
        );
    }
}

#[test]
fn what_two_programs_could_unpack_differently_is_refused() {
    let twice = vec![("package/x", b"1".to_vec()), ("package/x", b"2".to_vec())];
    refused(NPM, tar_gz(&twice), "has `package/x` twice");
    let mut twice = zip(&vec![("aa", b"1".to_vec()), ("ab", b"2".to_vec())]);
    for at in 0..twice.len() - 1 {
        if &twice[at..at + 2] == b"ab" {
            twice[at + 1] = b'a';
        }
    }
    refused(&go("v0.1.0.zip"), twice, "has a name twice");
    let one = tar(&vec![("package/x", b"1".to_vec())]);
    refused(
        NPM,
        gzip(&[&one[..], &one].concat()),
        "has data behind its end",
    );
    let mut link = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    link.append_link(&mut header, "package/countersign.wasm", "/etc/passwd")
        .unwrap();
    refused(
        NPM,
        gzip(&link.into_inner().unwrap()),
        "is a link or a special file",
    );
}

#[test]
fn bombs_are_not_unpacked() {
    let started = Instant::now();
    // 4 KiB each, 1 MiB unpacked: two hundred of them in one stream.
    let zeros = vec![0; 1 << 20];
    let mut header = tar::Header::new_gnu();
    header.set_path("package/x").unwrap();
    header.set_size(200 << 20);
    header.set_cksum();
    let mut bomb = gzip(header.as_bytes());
    bomb.extend(gzip(&zeros).repeat(200));
    assert!(bomb.len() < 2 << 20, "{}", bomb.len());
    refused(NPM, bomb, "more than 128 MiB");

    let one = zip(&vec![("x", zeros)]);
    let mut one = ZipArchive::new(Cursor::new(one)).unwrap();
    let mut many = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..200 {
        let file = one.by_index(0).unwrap();
        many.raw_copy_file_rename(file, format!("{GO}@v0.1.0/{number}"))
            .unwrap();
    }
    refused(
        &go("v0.1.0.zip"),
        many.finish().unwrap().into_inner(),
        "more than 128 MiB",
    );

    let names: Vec<_> = (0..10_001)
        .map(|number| format!("package/{number}"))
        .collect();
    let contents = names.iter().map(|name| (&**name, Vec::new())).collect();
    refused(NPM, tar_gz(&contents), "more than 10000 entries");
    refused(&go("v0.1.0.zip"), zip(&contents), "more than 10000 entries");
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}
