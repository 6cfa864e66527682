//! Folds a click on a short link into its row.

use super::{
    Counted, Fold, Summary, dimensions,
    text::{int4, storable, text},
};
use crate::rows::{ClickColumns, ClickRow, Rows, SourceColumns};
use schemas::{BotReason, Event, LinkClicked, Visitor};

impl Fold for LinkClicked {
    fn summarize(&self, _summary: &mut Summary) {}

    fn add_rows(&self, event: &Event, seq: i64, counted: Counted, rows: &mut Rows) {
        let untracked = Visitor::default();
        let visitor = event.visitor.as_ref().unwrap_or(&untracked);
        rows.clicks.push(ClickRow {
            click: ClickColumns {
                seq,
                visible_seq: counted.visible_seq,
                occurred_at: event.occurred_at,
                received_at: event.received_at,
                redirect_micros: int4(self.redirect_micros),
                workspace_no: event.workspace_no,
                // The store judges it, because the verdict depends on other clicks.
                is_duplicate: false,
                event_id: event.event_id,
                click_id: self.click_id,
                bot_reason: self.bot_reason.map(BotReason::name),
                short_code: storable(&self.short_code),
                host: storable(&self.host),
                destination: storable(&self.destination),
                campaign_id: self.campaign_id,
                rule_id: self.rule_id,
                rule_name: text(self.rule_name.as_ref()),
                qr_id: self.qr_id,
            },
            opened: dimensions::opened(
                Some((self.link_id, self.trigger.name())),
                self.referrer.as_ref(),
            ),
            source: SourceColumns {
                visitor_hash: visitor.hash,
                referrer_domain: storable(&self.referrer_domain),
                source_class: self.source_class.name(),
            },
            utm: dimensions::utm(&self.utm),
            place: dimensions::place(visitor),
            agent: dimensions::agent(visitor),
        });
    }
}
