//! The link or the QR code that a report is about, as the main database has it.

use crate::{app::App, catalog::Scope, instant::iso_micros, store};
use runtime::{
    http::ApiError,
    openapi::{Schema, boolean, instant, list, object, required, text, uuid},
};
use serde_json::{Value, json};
use store::{qr_codes::QrRow, short_links::ShortLink};
use uuid::Uuid;

/// The members that a summary shows of a link, without those that its clicks tell.
pub(super) async fn read(
    app: &App,
    link: ShortLink,
    workspace_id: Uuid,
) -> Result<Value, ApiError> {
    let campaign_id = link.campaign_id.filter(|_| !link.campaign_deleted);
    let campaign = match campaign_id {
        Some(id) => store::campaigns::find_any(app.main.pool()?, id, workspace_id).await?,
        None => None,
    };
    Ok(json!({
        "id": link.id,
        "shortCode": link.short_code,
        "shortUrl": app.short_urls.of(link.host.as_deref(), &link.short_code),
        "title": link.title.or(link.page_title),
        "destinationUrl": link.destination,
        "campaignId": campaign_id,
        "campaignName": campaign.map(|campaign| campaign.name),
        "folderId": link.folder_id,
        "tags": link.tags,
        "enabled": link.enabled,
        "createdAt": iso_micros(link.created_at.to_jiff()),
    }))
}

/// The members that a report shows of a QR code, without those that its scans tell.
pub(super) fn of_qr(qr: &QrRow) -> Value {
    json!({
        "id": qr.id,
        "linkId": qr.link_id,
        "code": qr.code,
        "name": qr.name,
        "createdAt": iso_micros(qr.created_at.to_jiff()),
    })
}

/// The schema of the subject of such a report.
pub(super) fn schema(scope: Scope) -> Schema {
    match scope {
        Scope::Qr => schema_of_qr(),
        Scope::Link | Scope::Page | Scope::Campaign | Scope::Workspace => schema_of_link(),
    }
}

fn schema_of_qr() -> Schema {
    let words = || text(usize::MAX);
    object([
        required("id", uuid()),
        required("linkId", uuid()),
        required("code", words().about("Its value of the parameter `qr`.")),
        required("name", words()),
        required("createdAt", instant()),
        required(
            "lastScannedAt",
            instant()
                .or_null()
                .about("When it was last scanned, of all time."),
        ),
    ])
}

fn schema_of_link() -> Schema {
    let words = || text(usize::MAX);
    object([
        required("id", uuid()),
        required("shortCode", words()),
        required("shortUrl", words().about("What people open.")),
        required("title", words().or_null()),
        required("destinationUrl", words()),
        required("campaignId", uuid().or_null()),
        required("campaignName", words().or_null()),
        required("folderId", uuid().or_null()),
        required("tags", list(words())),
        required("enabled", boolean().about("Whether it redirects.")),
        required("createdAt", instant()),
        required(
            "lastClickedAt",
            instant()
                .or_null()
                .about("When it was last clicked, of all time."),
        ),
    ])
}
