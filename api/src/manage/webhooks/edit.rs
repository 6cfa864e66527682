//! A webhook in a request: read first, then checked and applied.

use super::members::{CAMPAIGN, DESCRIPTION, ENABLED, EVENTS, LINK, NEW_EVENTS, NEW_URL, URL};
use crate::{
    patch::{Change, apply},
    refusals,
    store::{self, Tx, webhooks::Webhook},
    webhooks::Targets,
};
use runtime::{
    http::{ApiError, Fields},
    members::{Body, Declared},
};
use uuid::Uuid;

/// What a request says about a webhook.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    url: Option<String>,
    events: Option<Vec<String>>,
    link: Change<Uuid>,
    campaign: Change<Uuid>,
    enabled: Option<bool>,
    description: Change<String>,
}

/// A new webhook.
#[derive(Clone, Debug)]
pub(super) struct NewWebhook(pub(super) Edit);

/// A change of a webhook.
#[derive(Clone, Debug)]
pub(super) struct WebhookChange(pub(super) Edit);

macro_rules! members {
    ($url:expr, $events:expr) => {
        &[$url, $events, &LINK, &CAMPAIGN, &ENABLED, &DESCRIPTION]
    };
}

impl Body for NewWebhook {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NEW_URL, &NEW_EVENTS);

    fn read(fields: &mut Fields<'_>) -> Self {
        let url = NEW_URL.read(fields).map(str::to_owned);
        let events = NEW_EVENTS.read(fields);
        Self(Edit::read(fields, url, events))
    }
}

impl Body for WebhookChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&URL, &EVENTS);

    fn read(fields: &mut Fields<'_>) -> Self {
        let url = URL.read(fields).map(str::to_owned);
        let events = EVENTS.read(fields);
        Self(Edit::read(fields, url, events))
    }
}

impl Edit {
    fn read(fields: &mut Fields<'_>, url: Option<String>, events: Option<Vec<String>>) -> Self {
        let description = Change::read(fields, &DESCRIPTION).map(|text| text.trim().to_owned());
        Self {
            url,
            events,
            link: Change::read(fields, &LINK),
            campaign: Change::read(fields, &CAMPAIGN),
            enabled: ENABLED.read(fields),
            description: match description {
                Change::Given(text) if text.is_empty() => Change::Null,
                given => given,
            },
        }
    }

    /// The same with the form of its address that is stored; 400 for an address that is not allowed.
    pub(super) fn checked(self, targets: Targets) -> Result<Self, ApiError> {
        let url = self.url.as_deref().map(|url| targets.url(url)).transpose();
        let url = url.map_err(|problem| ApiError::validation(vec![format!("url {problem}")]))?;
        Ok(Self { url, ..self })
    }

    /// Refuses a link or a campaign that the workspace does not have. Its row is locked.
    pub(super) async fn check_references(
        &self,
        tx: &mut Tx<'_>,
        workspace_id: Uuid,
    ) -> Result<(), ApiError> {
        if let Change::Given(id) = self.link {
            let link = store::short_links::find(&mut **tx, id, workspace_id).await?;
            let link = link.filter(|link| link.deleted_at.is_none());
            link.ok_or_else(refusals::short_link_not_found)?;
        }
        if let Change::Given(id) = self.campaign
            && !store::campaigns::exists(tx, id, workspace_id).await?
        {
            return Err(refusals::campaign_not_found());
        }
        Ok(())
    }

    /// Applies it to a webhook.
    pub(super) fn apply(self, webhook: &mut Webhook) {
        apply(self.url, &mut webhook.url);
        apply(self.events, &mut webhook.events);
        self.link.apply(&mut webhook.link_id);
        self.campaign.apply(&mut webhook.campaign_id);
        self.description.apply(&mut webhook.description);
        if let Some(enabled) = self.enabled {
            if enabled {
                webhook.disabled_at = None;
                webhook.disabled_reason = None;
            }
            webhook.enabled = enabled;
        }
    }
}
