//! Events of a page: it was viewed, left, or beacons for it were refused.

use super::{
    Change,
    row::{EventRow, int4, text},
    session::{change, touched},
    state::SessionState,
};
use schemas::{BeaconRefused, Event, PageLeft, PageViewed};

pub(super) fn viewed(event: &Event, body: &PageViewed, mut row: EventRow) -> Change {
    row.session_id = Some(body.session_id);
    row.pageview_id = Some(body.pageview_id);
    row.link_id = body.link_id;
    row.path = text(body.path.as_ref());
    row.title = text(body.title.as_ref());
    row.referrer = text(body.referrer.as_ref());
    let state = SessionState {
        page_views: 1,
        ..touched(event, &row)
    };
    change(event, body.session_id, state, row)
}

pub(super) const fn left(body: &PageLeft, mut row: EventRow) -> Change {
    row.pageview_id = Some(body.pageview_id);
    row.duration_seconds = Some(body.duration_seconds);
    row.scroll_depth_percent = body.scroll_depth_percent;
    Change {
        row,
        session: None,
        leaves: Some(body.pageview_id),
    }
}

pub(super) fn refused(body: &BeaconRefused, mut row: EventRow) -> Change {
    row.page_id = Some(body.page_id);
    row.refusal_reason = Some(body.reason.name());
    row.refusal_count = Some(int4(body.count));
    Change {
        row,
        session: None,
        leaves: None,
    }
}
