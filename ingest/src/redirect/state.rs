//! What the requests for the short links of an instance share.

use super::{ClickLimits, ClickOutcomes, Passwords};
use crate::intake::Intake;
use std::sync::Arc;

/// The short links of an instance.
#[derive(Debug)]
pub struct Redirects {
    pub(super) intake: Arc<Intake>,
    pub(super) outcomes: Arc<ClickOutcomes>,
    /// The click limits of links, and visitors who came before.
    pub(super) limits: ClickLimits,
    pub(super) passwords: Passwords,
}

impl Redirects {
    /// Those of this instance.
    #[must_use]
    pub fn of(intake: Arc<Intake>) -> Arc<Self> {
        Arc::new(Self {
            intake,
            outcomes: Arc::default(),
            limits: ClickLimits::default(),
            passwords: Passwords::default(),
        })
    }

    /// The outcomes of the requests so far.
    #[must_use]
    pub fn outcomes(&self) -> &Arc<ClickOutcomes> {
        &self.outcomes
    }

    #[cfg(test)]
    pub(crate) const fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}
