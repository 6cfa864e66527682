//! Finds a public page by name, keeps it in memory by version, and selects its visible links.
//!
//! The one rule: every request asks the database for the current version (one look-up by index). So
//! a change is visible at once on every instance, and memory holds only the content of a version.

use super::{Public, body::Body, name::PageName};
use crate::{
    app::App,
    refusals,
    store::{
        self,
        links::BioLink,
        public::{Head, Page},
    },
};
use jiff::Timestamp;
use moka::sync::Cache;
use runtime::http::ApiError;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Most bytes of pages in memory, by an estimate that includes everything large.
const MAX_KEPT_BYTES: u64 = 64 << 20;

/// Pages that were requested.
#[derive(Debug)]
pub(super) struct Pages(Cache<Uuid, Arc<PublicPage>>);

impl Default for Pages {
    fn default() -> Self {
        let kept = Cache::builder()
            .max_capacity(MAX_KEPT_BYTES)
            .weigher(|_, page: &Arc<PublicPage>| page.weight());
        Self(kept.build())
    }
}

/// A published page with all its links, in one version.
#[derive(Debug)]
pub(super) struct PublicPage {
    pub(super) page: Page,
    links: Vec<BioLink>,
    /// The last body that was made, and the ids of its links.
    body: Mutex<Option<(Vec<Uuid>, Arc<Body>)>>,
}

impl PublicPage {
    pub(super) fn new(page: Page, links: Vec<BioLink>) -> Self {
        Self {
            page,
            links,
            body: Mutex::new(None),
        }
    }

    /// The links that are active and within their schedule, in the order of the page.
    pub(super) fn visible(&self, now: Timestamp) -> impl Iterator<Item = &BioLink> {
        self.links.iter().filter(move |link| is_visible(link, now))
    }

    /// The page's body as of now. It is made once for each version and set of visible links, so a
    /// schedule takes effect to the microsecond.
    pub(super) fn body(&self, now: Timestamp, origin: &str) -> Result<Arc<Body>, ApiError> {
        let shown: Vec<Uuid> = self.visible(now).map(|link| link.id).collect();
        // Cloned, so that the lock is not held while a body is made.
        let kept = self.lock().clone();
        if let Some((of, body)) = kept
            && of == shown
        {
            return Ok(body);
        }
        let links: Vec<&BioLink> = self.visible(now).collect();
        let body = Body::new(&self.page, &links, origin).map_err(ApiError::internal)?;
        let body = Arc::new(body);
        *self.lock() = Some((shown, Arc::clone(&body)));
        Ok(body)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Vec<Uuid>, Arc<Body>)>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An estimate of its bytes: the links' texts and markup, and the page's own texts.
    fn weight(&self) -> u32 {
        let json = |value: &Option<serde_json::Value>| {
            value.as_ref().map_or(0, |value| value.to_string().len())
        };
        let links = self
            .links
            .iter()
            .map(|link| 1000 + 3 * (link.title.len() + link.url.len()) + json(&link.embed_meta));
        let css = self.page.custom_css.as_ref().map_or(0, String::len);
        let page = 2 * (self.page.bio.len() + css) + json(&self.page.theme_override);
        u32::try_from(page + links.sum::<usize>()).unwrap_or(u32::MAX)
    }
}

/// True for an active link when `scheduledStart <= now <= scheduledEnd`; a missing end does not
/// limit.
fn is_visible(link: &BioLink, now: Timestamp) -> bool {
    link.active
        && link
            .scheduled_start
            .is_none_or(|start| start.to_jiff() <= now)
        && link.scheduled_end.is_none_or(|end| now <= end.to_jiff())
}

/// The published page with that name; 404 for any other.
pub(super) async fn find(public: &Public, name: &PageName) -> Result<Arc<PublicPage>, ApiError> {
    let app = &public.app;
    let pool = app.main.pool()?;
    let head = store::public::find_head(pool, &name.username, name.slug.as_deref()).await?;
    // An unpublished page looks like an unknown one.
    let Some(head) = head.filter(|head| head.published) else {
        return Err(refusals::page_not_found());
    };
    let Pages(pages) = &public.pages;
    let kept = pages.get(&head.id);
    if let Some(kept) = kept.filter(|kept| kept.page.content_version == head.content_version) {
        return Ok(kept);
    }
    let page = Arc::new(load(app, head).await?);
    pages.insert(head.id, Arc::clone(&page));
    Ok(page)
}

async fn load(app: &App, head: Head) -> Result<PublicPage, ApiError> {
    let pool = app.main.pool()?;
    // The version is read before the links. After a change in between, the links are newer than the
    // version says, so the page is loaded once more. In the other order, it could stay too old.
    let page = store::public::find_page(pool, head.id)
        .await?
        .ok_or_else(refusals::page_not_found)?;
    let links = store::links::list_of_page(pool, head.id).await?;
    Ok(PublicPage::new(page, links))
}
