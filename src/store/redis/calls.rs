//! The steps, as calls of scripts.

use super::{redis_store::RedisStore, reply::Reply, script};
use crate::{
    error::StoreError,
    store::{
        Claim, Claimed, Fate, Rejection, Release, Save, Saved, Seen, Slot, Standing, Store, claim::Waits,
        steps::KEPT,
    },
};

/// The calls of the scripts.
impl RedisStore {
    pub(super) async fn ask_look(&self, slot: &Slot) -> Result<Reply, StoreError> {
        self.step(&script::LOOK, slot, &[]).await
    }

    pub(super) async fn ask_claim(&self, slot: &Slot, claim: &Claim) -> Result<Reply, StoreError> {
        let sending = claim.sending;
        let rejection = match claim.rejection {
            None => "",
            Some(Rejection::Early) => "early",
            Some(Rejection::Natural) => "natural",
        };
        let arguments = [
            claim.nonce.to_string(),
            claim.than.number().to_string(),
            claim.lasting.as_millis().to_string(),
            claim.whom.map(|whom| whom.to_string()).unwrap_or_default(),
            if claim.waits == Waits::Obeyed { "obeyed" } else { "" }.to_owned(),
            rejection.to_owned(),
            sending.map(|sending| sending.revision.number().to_string()).unwrap_or_default(),
            sending.and_then(|sending| sending.over).map(|over| over.to_string()).unwrap_or_default(),
            claim.full_at.map(|full_at| full_at.millis().to_string()).unwrap_or_default(),
            claim.lost_at.map(|lost_at| lost_at.millis().to_string()).unwrap_or_default(),
        ];
        self.step(&script::CLAIM, slot, &bytes(&arguments)).await
    }

    pub(super) async fn ask_save(&self, slot: &Slot, save: &Save) -> Result<Reply, StoreError> {
        let draft = match save {
            Save::Draft(draft) => draft,
            Save::Accepted(revision) => {
                let arguments = ["accepted".to_owned(), revision.number().to_string()];
                return self.step(&script::SAVE, slot, &bytes(&arguments)).await;
            }
        };
        let standing = match draft.standing {
            Standing::Offered => "",
            Standing::Rejected => "rejected",
            Standing::Revoked => "revoked",
        };
        let (nonce, than) = (draft.nonce.to_string(), draft.than.number().to_string());
        let revision = draft.revision.number().to_string();
        let keep = draft.keep.unwrap_or(KEPT).as_millis().to_string();
        let arguments: [&[u8]; 8] = [
            b"draft",
            nonce.as_bytes(),
            than.as_bytes(),
            revision.as_bytes(),
            standing.as_bytes(),
            draft.body.as_bytes(),
            keep.as_bytes(),
            if draft.in_doubt { b"in doubt" } else { b"" },
        ];
        self.step(&script::SAVE, slot, &arguments).await
    }

    pub(super) async fn ask_release(&self, slot: &Slot, release: &Release) -> Result<Reply, StoreError> {
        let fate = match release.fate {
            Fate::Unspent => "unspent",
            Fate::Unknown => "unknown",
            Fate::Refused => "refused",
        };
        let (text, in_a_row) = match &release.failed {
            Some(failed) => (failed.text.clone(), failed.in_a_row),
            None => (String::new(), 0),
        };
        let arguments = [
            release.nonce.to_string(),
            fate.to_owned(),
            if release.failed.is_some() { "failed" } else { "" }.to_owned(),
            release.wait.as_millis().to_string(),
            release.whom.map(|whom| whom.to_string()).unwrap_or_default(),
            in_a_row.to_string(),
            text,
        ];
        self.step(&script::RELEASE, slot, &bytes(&arguments)).await
    }
}

impl Store for RedisStore {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        Ok(self.ask_look(slot).await?.seen)
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        let claimed = self.ask_claim(slot, &claim).await?.claimed(claim.whom)?;
        if claim.sending.is_some() && matches!(claimed, Claimed::Yours { .. }) {
            self.replicate(slot).await;
        }
        Ok(claimed)
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        let saved = self.ask_save(slot, &save).await?.saved()?;
        if let (Save::Draft(_), Saved::Done) = (&save, &saved) {
            self.replicate(slot).await;
        }
        Ok(saved)
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.ask_release(slot, &release).await.map(|_| ())
    }
}

fn bytes<const N: usize>(arguments: &[String; N]) -> [&[u8]; N] {
    arguments.each_ref().map(String::as_bytes)
}
