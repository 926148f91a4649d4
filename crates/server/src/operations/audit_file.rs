//! The audit log as lines of JSON, in a file that external tools rotate, or on standard output.
//!
//! Requests never wait for the file: lines go through a queue to a separate thread. Lines that cannot be written are counted,
//! logged once per outage and reported by /readyz; their events are still in the database. A file that was renamed or deleted
//! is reopened before the next line, so that a rotation loses no line.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wecom_login_store::{AuditEntry, AuditSink};

use crate::settings::AuditLog;

/// The number of lines that may be queued for a slow disk.
const QUEUE: usize = 4096;
/// How long a stopping server waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes lines synchronously; for commands.
#[derive(Debug)]
pub(crate) struct AuditLines(Mutex<Lines>);

impl AuditLines {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Lines::open(&AuditLog::File(path.to_owned())).map(|lines| Self(Mutex::new(lines)))
    }
}

impl AuditSink for AuditLines {
    fn written(&self, entry: &AuditEntry) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = lines.write(&line(entry)) {
            tracing::error!(%error, event = entry.event, "an event is in the audit table and not in the audit file");
        }
    }
}

/// Writes lines in a thread of its own; for the server.
#[derive(Debug, Clone)]
pub(crate) struct AuditFile {
    queue: SyncSender<Job>,
    health: Arc<Health>,
}

#[derive(Debug, Default)]
struct Health {
    failing: AtomicBool,
    lost: AtomicU64,
    /// Lines that are queued: neither written nor lost yet.
    waiting: Mutex<usize>,
    drained: Condvar,
}

enum Job {
    Line(Vec<u8>),
    Reopen,
}

impl AuditFile {
    /// Opens the file, so that a path that cannot be written is reported at the start.
    pub(crate) fn open(log: &AuditLog) -> io::Result<Self> {
        let lines = Lines::open(log)?;
        let (queue, jobs) = sync_channel(QUEUE);
        let health = Arc::new(Health::default());
        let seen = health.clone();
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || work(lines, &jobs, &seen))?;
        Ok(Self { queue, health })
    }

    /// Reopens the file before the next line.
    pub(crate) fn reopen(&self) {
        let _ = self.queue.try_send(Job::Reopen);
    }

    /// True while the file cannot be written.
    pub(crate) fn is_failing(&self) -> bool {
        self.health.failing.load(Ordering::Relaxed)
    }

    /// The number of lines that were lost since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.health.lost.load(Ordering::Relaxed)
    }

    /// Waits until all queued lines are written, at most two seconds; false if lines remain. Blocks the thread.
    pub(crate) fn flush(&self) -> bool {
        self.flush_within(PATIENCE)
    }

    fn flush_within(&self, patience: Duration) -> bool {
        let waiting = self.health.waiting();
        let drained = self.health.drained.wait_timeout_while(waiting, patience, |waiting| *waiting > 0);
        *drained.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

impl AuditSink for AuditFile {
    fn written(&self, entry: &AuditEntry) {
        *self.health.waiting() += 1;
        if self.queue.try_send(Job::Line(line(entry))).is_err() {
            self.health.lose("the disk is too slow");
            self.health.done(false);
        }
    }
}

impl Health {
    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a line from the queue's count. A disk that is too slow writes each queued line while others are lost, so the
    /// file counts as working only when the queue is empty.
    fn done(&self, written: bool) {
        let mut waiting = self.waiting();
        *waiting -= 1;
        if *waiting == 0 {
            if written {
                self.works();
            }
            self.drained.notify_all();
        }
    }

    fn lose(&self, why: &str) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::error!(
                why,
                "the audit file cannot be written; its events are in the table audit_events"
            );
        }
    }

    fn works(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            let lost = self.lost.load(Ordering::Relaxed);
            tracing::warn!(lost, "the audit file is written again");
        }
    }
}

fn work(mut lines: Lines, jobs: &Receiver<Job>, health: &Health) {
    // Ends when the last sender is dropped.
    while let Ok(job) = jobs.recv() {
        done(job, &mut lines, health);
    }
}

fn done(job: Job, lines: &mut Lines, health: &Health) {
    let line = match job {
        Job::Line(line) => line,
        Job::Reopen => return lines.close(),
    };
    let written = lines.write(&line);
    if let Err(error) = &written {
        health.lose(&error.to_string());
    }
    health.done(written.is_ok());
}

fn line(entry: &AuditEntry) -> Vec<u8> {
    let mut line = serde_json::to_vec(entry).unwrap_or_default();
    line.push(b'\n');
    line
}

#[derive(Debug)]
enum Lines {
    Stdout,
    File {
        path: PathBuf,
        file: Option<File>,
        /// True if the last line in the file may be incomplete.
        torn: bool,
    },
}

impl Lines {
    fn open(log: &AuditLog) -> io::Result<Self> {
        Ok(match log {
            AuditLog::Stdout => Self::Stdout,
            AuditLog::File(path) => {
                Self::File { path: path.clone(), file: Some(open(path)?), torn: is_torn(path) }
            }
        })
    }

    fn close(&mut self) {
        if let Self::File { file, .. } = self {
            *file = None;
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(line)?;
                out.flush()
            }
            Self::File { path, file, torn } => {
                let mut open = match file.take() {
                    Some(file) if is_at(&file, path) => file,
                    _ => {
                        let opened = open(path)?;
                        *torn = is_torn(path);
                        opened
                    }
                };
                let text = if *torn { [b"\n", line].concat() } else { line.to_vec() };
                // A single call, so that processes that share the file do not mix their lines.
                let written = open.write_all(&text);
                *torn = written.is_err();
                *file = Some(open);
                written
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// True if the file's last line has no line end: the process that wrote it was killed, or the disk was full.
fn is_torn(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        // Opening a pipe for reading would wait for its writer.
        if !std::fs::metadata(path)?.is_file() {
            return Ok(b'\n');
        }
        let (mut file, mut last) = (File::open(path)?, [b'\n']);
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(last[0])
    };
    last().is_ok_and(|last| last != b'\n')
}

/// True if the path still leads to the open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |metadata: &std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => place(&open) == place(&there),
        _ => false,
    }
}

/// Always true: open files cannot be renamed on this platform.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use wecom_login_model::Timestamp;
    use wecom_login_store::AuditEvent;

    fn entry(session: &str) -> AuditEntry {
        AuditEntry::new(AuditEvent::SessionEnded, Timestamp::from_millis(1)).session(session)
    }

    fn told(file: &AuditFile, session: &str) {
        file.written(&entry(session));
        assert!(file.flush());
    }

    fn lines(path: &Path) -> usize {
        std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
    }

    #[test]
    fn a_rotated_file_is_begun_anew_and_no_line_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.log"), folder.path().join("audit.log.1"));
        let file = AuditFile::open(&AuditLog::File(path.clone())).unwrap();
        told(&file, "a");
        std::fs::rename(&path, &old).unwrap();
        told(&file, "b");
        assert_eq!((lines(&old), lines(&path)), (1, 1));
        std::fs::remove_file(&path).unwrap();
        told(&file, "c");
        file.reopen();
        told(&file, "d");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "{\"at\":1,\"event\":\"session_ended\",\"outcome\":\"ok\",\"actor\":\"system\",\"session\":\"c\"}\n\
                          {\"at\":1,\"event\":\"session_ended\",\"outcome\":\"ok\",\"actor\":\"system\",\"session\":\"d\"}\n"
        );
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_goes_on_when_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        let path = logs.join("audit.log");
        let file = AuditFile::open(&AuditLog::File(path.clone())).unwrap();
        std::fs::remove_dir_all(&logs).unwrap();
        told(&file, "a");
        told(&file, "b");
        assert!(file.is_failing());
        assert_eq!(file.lost(), 2);
        std::fs::create_dir(&logs).unwrap();
        told(&file, "c");
        assert!(!file.is_failing());
        assert_eq!((file.lost(), lines(&path)), (2, 1));
    }

    /// A queue of two lines without a thread: the test takes lines from it.
    #[test]
    fn a_disk_that_is_too_slow_is_told_once_until_nothing_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let mut lines = Lines::open(&AuditLog::File(path.clone())).unwrap();
        let (queue, jobs) = sync_channel(2);
        let file = AuditFile { queue, health: Arc::default() };
        for session in ["a", "b", "c"] {
            file.written(&entry(session));
        }
        assert!(file.is_failing() && file.lost() == 1);
        assert!(!file.flush_within(Duration::ZERO), "the queue is full");
        done(jobs.try_recv().unwrap(), &mut lines, &file.health);
        assert!(file.is_failing(), "a line still waits");
        file.written(&entry("d"));
        assert_eq!(file.lost(), 1);
        for _ in 0..2 {
            done(jobs.try_recv().unwrap(), &mut lines, &file.health);
        }
        assert!(!file.is_failing());
        assert!(file.flush_within(Duration::ZERO));
        assert_eq!(self::lines(&path), 3);
    }

    #[test]
    fn a_line_that_was_torn_ends_where_it_stands_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        std::fs::write(&path, "{\"at\":1,\"eve").unwrap();
        let file = AuditFile::open(&AuditLog::File(path.clone())).unwrap();
        told(&file, "a");
        std::fs::remove_file(&path).unwrap();
        told(&file, "b");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("{\"at\":1,\"event\":"));

        std::fs::write(&path, "{\"at\":1,\"eve").unwrap();
        file.reopen();
        told(&file, "c");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("{\"at\":1,\"eve\n{") && text.ends_with("\"c\"}\n"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        AuditFile::open(&AuditLog::File(path.clone())).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(AuditFile::open(&AuditLog::File(folder.path().join("no/such"))).is_err());
    }
}
