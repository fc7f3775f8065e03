//! Files as the downloader writes them, and files that it does not write.

#![expect(clippy::string_slice, reason = "the digits of a hash are ASCII")]

use std::fmt::Write as _;
use std::fs;

use sha1::{Digest as _, Sha1};
use tempfile::TempDir;

use super::*;
use crate::password::Password;
use crate::password::breached::Fingerprint;

/// SHA-1 hashes of `word-0`, `word-1` and so on, in their order.
fn hashes(count: u32) -> Vec<String> {
    let mut hashes: Vec<String> = (0..count)
        .map(|n| {
            Sha1::digest(format!("word-{n}"))
                .iter()
                .fold(String::new(), |mut text, byte| {
                    write!(text, "{byte:02X}").unwrap();
                    text
                })
        })
        .collect();
    hashes.sort();
    hashes
}

fn listing(hashes: &[String], end: &str) -> String {
    hashes.iter().map(|hash| format!("{hash}:3{end}")).collect()
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pwnedpasswords.txt");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn refused(text: &str) -> String {
    BreachedFile::open(file(text).1)
        .map(|_| ())
        .unwrap_err()
        .to_string()
}

async fn knows(list: &BreachedFile, word: &str) -> bool {
    let print = Fingerprint::of(&Password::from(word));
    print.is_in(&list.range(print.prefix()).await.unwrap()).unwrap()
}

#[tokio::test]
async fn every_password_of_a_sorted_file_is_found_and_no_other() {
    // PWD-2
    for (end, last) in [("\n", ""), ("\r\n", ""), ("\r\n", "cut"), ("\n", "cut")] {
        for count in [1, 2, 3, 100, 400] {
            let mut text = listing(&hashes(count), end);
            if last == "cut" {
                text.truncate(text.trim_end().len());
            }
            let (_folder, path) = file(&text);
            let list = BreachedFile::open(path).unwrap();
            for n in 0..count {
                assert!(
                    knows(&list, &format!("word-{n}")).await,
                    "{n} of {count} with {end:?}"
                );
                assert!(!knows(&list, &format!("Word-{n}")).await);
            }
        }
    }
}

#[tokio::test]
async fn a_range_is_all_lines_of_its_prefix_and_none_of_its_neighbours() {
    let tail = |n: u32| format!("{n:035X}");
    let mut text = String::new();
    for prefix in ["00000", "7FFFF", "80000", "80001", "FFFFF"] {
        for n in 0..700 {
            writeln!(text, "{prefix}{}:{n}", tail(n)).unwrap();
        }
    }
    let (_folder, path) = file(&text);
    let list = BreachedFile::open(path).unwrap();
    for (number, lines) in [
        (0, 700),
        (1, 0),
        (0x7_FFFF, 700),
        (0x8_0000, 700),
        (0x8_0002, 0),
        (0xF_FFFF, 700),
    ] {
        let range = list
            .range(HashPrefix::from_number(number).unwrap())
            .await
            .unwrap();
        assert_eq!(range.lines().count(), lines, "{number:05X}");
        assert!(
            range
                .lines()
                .zip(0..)
                .all(|(line, n)| line == format!("{}:{n}", tail(n)))
        );
    }
}

#[tokio::test]
async fn a_large_file_is_looked_at_here_and_there_and_searched_all_the_same() {
    let hashes = hashes(3_000);
    let (_folder, path) = file(&listing(&hashes, "\r\n"));
    let mut sorted = open(&path);
    sorted.check_some().unwrap();
    for hash in [&hashes[0], &hashes[1_500], &hashes[2_999]] {
        let prefix = HashPrefix::from_number(u32::from_str_radix(&hash[..5], 16).unwrap()).unwrap();
        assert!(sorted.range(prefix).unwrap().contains(&hash[5..]));
    }
    // A block of the upper half before the lower one.
    let turned: Vec<String> = hashes[1_500..].iter().chain(&hashes[..1_500]).cloned().collect();
    let (_folder, path) = file(&listing(&turned, "\n"));
    let broken = open(&path).check_some().unwrap_err();
    assert!(broken.to_string().starts_with("the line at byte "), "{broken}");
    let (_folder, path) = file(&listing(&hashes, "\n").replace(&format!("{}:3", hashes[2_999]), "the end"));
    assert!(matches!(
        open(&path).check_some(),
        Err(BreachedFileError::Form { .. })
    ));
}

fn open(path: &Path) -> Sorted {
    let file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    Sorted { file, length }
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_what_to_do() {
    // ASVS 6.2.12: told at the start, not when somebody registers
    let sorted = hashes(3);
    let good = listing(&sorted, "\n");
    let swapped = listing(&[sorted[0].clone(), sorted[2].clone(), sorted[1].clone()], "\n");
    for (text, told) in [
        (String::new(), "it is empty: download the list again"),
        (
            swapped,
            "line 3 is not in the order of the hashes: take the list that is ordered by hash, or sort it",
        ),
        (
            format!("{good}x\n"),
            "line 4 is not a hash, a colon and a count: download the list again",
        ),
        (
            format!("{good}\n"),
            "line 4 is not a hash, a colon and a count: download the list again",
        ),
        (
            "\u{feff}".to_owned() + &good,
            "line 1 is not a hash, a colon and a count: download the list again",
        ),
        (
            good.replace(":3", ""),
            "line 1 is not a hash, a colon and a count: download the list again",
        ),
        (
            "x".repeat(5_000),
            "line 1 is not a hash, a colon and a count: download the list again",
        ),
        (
            format!("{}:1\n", "A".repeat(32)),
            "its hashes have 32 digits, so it is the NTLM list: download the SHA-1 list",
        ),
    ] {
        assert_eq!(refused(&text), told);
    }
    let missing = BreachedFile::open("/nowhere/pwnedpasswords.txt").unwrap_err();
    assert_eq!(missing.to_string(), "it cannot be read");
}

#[tokio::test]
async fn what_breaks_after_the_start_is_a_fault_and_no_answer() {
    let (folder, path) = file(&listing(&hashes(100), "\n"));
    let list = BreachedFile::open(&path).unwrap();
    // The same length, so that only the content is wrong.
    let length = fs::metadata(&path).unwrap().len();
    fs::write(&path, "-".repeat(usize::try_from(length).unwrap())).unwrap();
    let fault = list
        .range(HashPrefix::from_number(0x8_0000).unwrap())
        .await
        .unwrap_err();
    assert!(fault.is_transient());
    drop(folder);
}

#[tokio::test]
async fn a_folder_of_ranges_is_read_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let print = Fingerprint::of(&Password::from("password"));
    for number in (0..64).map(|n| n * 0x4000).chain([0xF_FFFF]) {
        let prefix = HashPrefix::from_number(number).unwrap();
        fs::write(
            folder.path().join(format!("{prefix}.txt")),
            format!("{:035X}:2\r\n", 5),
        )
        .unwrap();
    }
    let list = BreachedFile::open(folder.path()).unwrap();
    assert!(
        list.range(print.prefix()).await.is_err(),
        "a range without a file is not an empty one"
    );
    let range = format!("{:035X}:2\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9\r\n", 5);
    fs::write(folder.path().join("5BAA6.txt"), range).unwrap();
    assert!(knows(&list, "password").await);

    fs::write(folder.path().join("40000.txt"), "<html>").unwrap();
    let broken = BreachedFile::open(folder.path()).unwrap_err();
    assert!(broken.to_string().starts_with("line 1 is not"), "{broken}");
    fs::remove_file(folder.path().join("40000.txt")).unwrap();
    assert!(matches!(
        BreachedFile::open(folder.path()),
        Err(BreachedFileError::Missing(_))
    ));
}
