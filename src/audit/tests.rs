//! Logs that hang and disks that are full.

use std::sync::{Arc, Barrier};

use super::*;

/// Keeps what is written; hangs at the first write until told to go on.
#[derive(Clone)]
struct Sink {
    text: Arc<Mutex<Vec<u8>>>,
    gate: Arc<Barrier>,
    held: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.held, true) {
            self.gate.wait();
        }
        self.text.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn refused(reason: &'static str) -> Refused<'static> {
    Refused { door: "http", outcome: "unauthenticated", reason, ..Refused::default() }
}

#[tokio::test]
async fn a_log_that_hangs_holds_up_calls_for_a_while_and_threads_not_at_all() {
    let sink = Sink { text: Arc::default(), gate: Arc::new(Barrier::new(2)), held: false };
    let (text, gate) = (Arc::clone(&sink.text), Arc::clone(&sink.gate));
    let audit = Audit::to(sink, 1, Duration::from_millis(30)).expect("a thread");
    audit.refused(&refused("first"));
    // the writer has taken it, and hangs
    while audit.lines.as_ref().is_some_and(|lines| lines.capacity() == 0) {
        thread::yield_now();
    }
    let place = audit.place().await.expect("room for one");
    assert_eq!(audit.place().await.err(), Some(Full));
    audit.refused(&refused("third"));
    assert_eq!(audit.lost().get(), 1);
    gate.wait();
    let mut line = Line::default();
    line.tool = "second".to_owned();
    place.write(&line);
    drop(audit);
    let text = String::from_utf8(text.lock().clone()).expect("text");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("\"first\"") && text.contains("\"second\""), "{text}");
}

/// A full disk.
struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_that_a_full_disk_costs_are_counted() {
    let audit = Audit::to(FullDisk, 8, PATIENCE).expect("a thread");
    let lost = audit.lost().clone();
    audit.refused(&refused("one"));
    drop(audit);
    assert_eq!(lost.get(), 1);
}

#[test]
fn what_is_refused_is_told_in_clean_words_and_never_at_length() {
    let long = format!("group \u{1b}[31msystem:masters {}", "x".repeat(5_000));
    let refused = Refused { detail: long, token: Some("0123456789abcdef"), ..refused("system_group") };
    let line = serde_json::to_string(&line::RefusedLine::from(&refused)).expect("JSON");
    assert!(
        line.contains("system:masters") && line.contains(r#""token":{"hash":"0123456789abcdef"}"#),
        "{line}"
    );
    assert!(line.len() < 700 && !line.contains('\u{1b}') && !line.contains("u001b"), "{line}");
    assert!(
        line.contains(r#""decision":"deny","outcome":"unauthenticated","reason":"system_group""#),
        "{line}"
    );
}
