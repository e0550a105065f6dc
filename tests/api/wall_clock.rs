//! A wall clock that a test sets while a server runs, by libfaketime (Debian: faketime). Monotonic clocks go on.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::setup::Settings;

/// The library, if it is installed.
pub fn faketime() -> Option<String> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let mut libraries = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    let library = libraries.find(|library| library.is_file());
    if library.is_none() {
        assert!(std::env::var_os("REQUIRE_SERVICES").is_none(), "libfaketime is required");
        eprintln!("skipped: no libfaketime");
    }
    Some(library?.to_str()?.to_owned())
}

/// The wall clock of one process.
pub struct WallClock {
    library: String,
    folder: TempDir,
}

impl WallClock {
    /// One that is right; `None` without the library.
    pub fn new() -> Option<Self> {
        let library = faketime()?;
        let clock = Self { library, folder: tempfile::tempdir().expect("a temporary directory") };
        clock.is_ahead(0);
        Some(clock)
    }

    /// Makes it that of a pod.
    pub fn of(&self, settings: Settings, pod: usize) -> Settings {
        settings
            .variable_on(pod, "LD_PRELOAD", &self.library)
            .variable_on(pod, "FAKETIME_TIMESTAMP_FILE", self.file().display())
            .variable_on(pod, "FAKETIME_NO_CACHE", 1)
            .variable_on(pod, "FAKETIME_DONT_FAKE_MONOTONIC", 1)
    }

    /// Sets it, so many seconds ahead of the true time.
    pub fn is_ahead(&self, seconds: i64) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, format!("{seconds:+}")).expect("a file");
        std::fs::rename(new, self.file()).expect("the same file system");
    }

    fn file(&self) -> PathBuf {
        Path::join(self.folder.path(), "offset")
    }
}
