//! Folds the events of a page: views, leaves and refused beacons.

use super::{
    Counted, Fold, Summary, dimensions,
    duration::micros,
    summary::Left,
    text::{int4, text},
};
use crate::rows::{HitRow, RefusalRow, Rows, ViewColumns};
use schemas::{BeaconRefused, Event, PageLeft, PageViewed, events::BIO_TRIGGER};

impl Fold for PageViewed {
    fn summarize(&self, summary: &mut Summary) {
        summary.session_id = Some(self.session_id);
        summary.pageview_id = Some(self.pageview_id);
    }

    fn add_rows(&self, event: &Event, seq: i64, counted: Counted, rows: &mut Rows) {
        let link = self.link_id.map(|id| (id, BIO_TRIGGER));
        rows.hits.push(HitRow {
            view: ViewColumns {
                seq,
                visible_seq: counted.visible_seq,
                occurred_at: event.occurred_at,
                received_at: event.received_at,
                left_at: None,
                left_micros: None,
                scroll_depth_percent: None,
                workspace_no: event.workspace_no,
                event_id: event.event_id,
                page_id: counted.page_id,
                session_id: self.session_id,
                pageview_id: self.pageview_id,
                left_by: None,
                path: text(self.path.as_ref()),
                title: text(self.title.as_ref()),
            },
            opened: dimensions::opened(link, self.referrer.as_ref()),
        });
    }
}

impl Fold for PageLeft {
    fn summarize(&self, summary: &mut Summary) {
        summary.pageview_id = Some(self.pageview_id);
        summary.left = Some(Left {
            micros: micros(self.duration_seconds),
            scroll_depth_percent: self.scroll_depth_percent,
        });
    }
}

impl Fold for BeaconRefused {
    fn summarize(&self, summary: &mut Summary) {
        summary.page_id = Some(self.page_id);
    }

    fn add_rows(&self, event: &Event, seq: i64, _counted: Counted, rows: &mut Rows) {
        rows.refusals.push(RefusalRow {
            seq,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            workspace_no: event.workspace_no,
            refusal_count: int4(self.count),
            event_id: event.event_id,
            page_id: self.page_id,
            refusal_reason: self.reason.name(),
        });
    }
}
