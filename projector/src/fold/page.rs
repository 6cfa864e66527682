//! Events of a page: it was viewed, left, or beacons for it were refused.

use super::row::{EventRow, int4, text};
use schemas::{BeaconRefused, PageLeft, PageViewed};

pub(super) fn viewed(body: &PageViewed, row: &mut EventRow) {
    row.session_id = Some(body.session_id);
    row.pageview_id = Some(body.pageview_id);
    row.link_id = body.link_id;
    row.path = text(body.path.as_ref());
    row.title = text(body.title.as_ref());
    row.referrer = text(body.referrer.as_ref());
}

pub(super) const fn left(body: &PageLeft, row: &mut EventRow) {
    row.pageview_id = Some(body.pageview_id);
    row.duration_seconds = Some(body.duration_seconds);
    row.scroll_depth_percent = body.scroll_depth_percent;
}

pub(super) fn refused(body: &BeaconRefused, row: &mut EventRow) {
    // It names no session, so it waits for none.
    row.visible_seq = Some(row.seq);
    row.page_id = Some(body.page_id);
    row.refusal_reason = Some(body.reason.name());
    row.refusal_count = Some(int4(body.count));
}
