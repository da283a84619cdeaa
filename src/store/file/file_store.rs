//! [`FileStore`]: what it keeps in files, and how it takes a step.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::{directory::Directory, owner};
use crate::{
    error::{ConfigError, StoreError, StoreErrorKind},
    store::{
        Claim, Claimed, Keys, Moment, Record, Release, Save, Saved, SealedStore, Seen, SharedSlot, Slot,
        Store,
    },
};

/// The longest that a step is waited for.
const LIMIT: Duration = Duration::from_millis(500);

/// How many steps of one store may be under way, those included that nobody waits for any more.
const AT_ONCE: usize = 16;

/// A store of files, for the programs of one user on one machine.
///
/// Each slot has a file of its own in a directory that nobody else may enter, and beside it another one that is locked, for
/// milliseconds, while a step is taken. What was saved survives a crash: files are replaced whole, and written to the disk
/// before a step is answered. The claim of a process that has died ends at once, on Linux; elsewhere within 5 s.
///
/// - Without a key tokens are kept **as they are**, for whoever may read the user's files: [`slot`](Self::slot). With a
///   key, they are sealed: [`sealed`](Self::sealed).
/// - The directory has the mode 0700, and files have 0600. One that belongs to somebody else, or is open to others, is
///   refused. So is a symbolic link, as the directory itself or in it. On Windows, nothing of that is looked at: choose a
///   directory in the user's profile.
/// - File systems of other machines (NFS, SMB and so on) are refused, where that can be known: on Linux. Their locks
///   aren't to be relied upon.
/// - The clock is the machine's. When it is set back, claims and waits last no longer than they would have.
/// - A full disk is an error, and so is a limit of the length of files (`RLIMIT_FSIZE`), if the program ignores or catches SIGXFSZ; else
///   the system ends it.
///
/// Clones share it. It needs a Tokio runtime, on whose threads for blocking calls it works.
///
/// # Examples
///
/// ```no_run
/// use tower_reauth::{BoxError, SecretSource, store::{FileStore, Keys}};
///
/// # fn run() -> Result<(), BoxError> {
/// let store = FileStore::open("/home/me/.local/state/tool/tokens")?;
/// let slot = store.sealed(&Keys::new(SecretSource::env("TOKENS_KEY")))?.slot("billing")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct FileStore {
    directory: Arc<Directory>,
    places: Arc<Semaphore>,
}

impl FileStore {
    /// Opens the store in this directory, which is made if it isn't there. It looks at the disk, which may block for a
    /// moment.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the directory can't be made or used: [`StoreErrorKind::Denied`] if others may enter it, or
    /// it is somebody else's, [`StoreErrorKind::Config`] if it is on another machine, or no directory.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let directory = Directory::open(directory.into())?;
        Ok(Self { directory: Arc::new(directory), places: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Seals what is kept.
    ///
    /// # Errors
    ///
    /// Those of [`SealedStore::new`].
    pub fn sealed(self, keys: &Keys) -> Result<SealedStore, ConfigError> {
        SealedStore::new(self, keys)
    }

    /// The place of this name, for a token that is kept as it is: whoever may read the file can use it.
    ///
    /// # Errors
    ///
    /// Those of [`SharedSlot::plain`].
    pub fn slot(&self, name: &str) -> Result<SharedSlot, ConfigError> {
        SharedSlot::plain(self.clone(), name)
    }

    /// Takes one step, on a thread that may block.
    async fn step<T: Send + 'static>(
        &self,
        slot: &Slot,
        step: impl FnOnce(&mut Record, Moment) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (directory, places, slot) = (self.directory.clone(), self.places.clone(), slot.clone());
        let taken = async {
            // Held until the step ends, whether somebody waits for that or not.
            let place = places.acquire_owned().await;
            spawn_blocking(move || {
                let _place = place;
                directory.step(&slot, step)
            })
            .await
        };
        match timeout(LIMIT, taken).await {
            Ok(Ok(result)) => result,
            Ok(Err(lost)) => {
                let words = "the runtime has ended, or a step has panicked; look at what it says";
                Err(StoreError::new(StoreErrorKind::Unavailable, words).with_source(lost))
            }
            Err(_) => {
                let words = "the disk didn't answer within 500 ms; check whether it is overloaded";
                Err(StoreError::new(StoreErrorKind::TimedOut, words))
            }
        }
    }
}

impl Store for FileStore {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        self.step(slot, |record, now| record.look(now)).await
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        self.step(slot, move |record, now| {
            let claimed = record.claim(now, &claim);
            match &mut record.claim {
                Some(held) if held.by == claim.nonce() => held.owner = owner::this_process(),
                _ => {}
            }
            claimed
        })
        .await
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        self.step(slot, move |record, now| record.save(now, &save)).await
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.step(slot, move |record, now| record.release(now, &release)).await
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("directory", &self.directory.path()).finish_non_exhaustive()
    }
}
