//! Folds conversions and their changes into rows.

use super::{
    Counted, Fold, Summary,
    text::{int4, storable, storable_json},
};
use crate::rows::{ConversionChangeRow, ConversionRow, Rows};
use jiff::Timestamp;
use schemas::{
    ClickId, ConversionRecorded, ConversionStatusChanged, Event,
    events::{AttributedBy, is_attributable},
    routed::click_time,
};
use serde_json::Value;

impl Fold for ConversionRecorded {
    fn summarize(&self, _summary: &mut Summary) {}

    fn add_rows(&self, event: &Event, seq: i64, counted: Counted, rows: &mut Rows) {
        let click = click_of(self, event.occurred_at);
        let amount = self.amount.as_ref();
        rows.conversions.push(ConversionRow {
            seq,
            visible_seq: counted.visible_seq,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            clicked_at: click.map(|(_, at)| at),
            amount_minor: amount.map(|amount| amount.minor),
            usd_micros: self.usd.map(|usd| usd.micros),
            workspace_no: event.workspace_no,
            rate_day: self.usd.map(|usd| usd.rate_day),
            event_id: event.event_id,
            conversion_id: self.conversion_id,
            click_id: click.map(|(id, _)| id),
            customer_id: self.customer_id,
            class: self.class.name(),
            event_name: storable(&self.event_name),
            currency: amount.map(|amount| storable(&amount.currency)),
            status: self.status.name(),
            sale_type: self.sale_type.map(schemas::events::SaleType::name),
            source: self.source.name(),
            order_id: self.order_id.as_deref().map(storable),
            metadata: storable_json(&Value::Object(self.metadata.clone())),
        });
    }
}

/// The click that a conversion belongs to, and its time. A click that the call named belongs to it
/// only within the window.
fn click_of(
    conversion: &ConversionRecorded,
    converted_at: Timestamp,
) -> Option<(ClickId, Timestamp)> {
    let id = conversion.click_id?;
    let at = click_time(id)?;
    let belongs = match conversion.attributed_by {
        AttributedBy::Click => is_attributable(at, converted_at),
        AttributedBy::Customer => true,
    };
    belongs.then_some((id, at))
}

impl Fold for ConversionStatusChanged {
    fn summarize(&self, _summary: &mut Summary) {}

    fn add_rows(&self, event: &Event, _seq: i64, _counted: Counted, rows: &mut Rows) {
        rows.conversion_changes.push(ConversionChangeRow {
            workspace_no: event.workspace_no,
            conversion_id: self.conversion_id,
            converted_at: self.converted_at,
            version: int4(self.version),
            refunded_minor: self.refunded_minor,
            usd_micros: self.usd.map(|usd| usd.micros),
            rate_day: self.usd.map(|usd| usd.rate_day),
            status: self.status.name(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use schemas::{Body, IdMaker, Keyring, WorkspaceNo};

    fn sale() -> (Event, ConversionRecorded) {
        let example = include_bytes!("../../../schemas/examples/conversion.recorded.v1.json");
        let event = Event::from_bytes(example).unwrap();
        let Body::ConversionRecorded(sale) = event.body.clone() else {
            unreachable!()
        };
        (event, sale)
    }

    #[test]
    fn a_click_out_of_the_window_belongs_to_a_sale_only_by_its_customer() {
        let (event, mut sale) = sale();
        let ids = IdMaker::new(Keyring::parse(&"s".repeat(32)).unwrap());
        let window = SignedDuration::from_hours(720);
        for (later, by, expected) in [
            (SignedDuration::ZERO, AttributedBy::Click, true),
            (SignedDuration::from_secs(1), AttributedBy::Click, false),
            (SignedDuration::from_secs(1), AttributedBy::Customer, true),
        ] {
            let clicked_at = event.occurred_at - window - later;
            sale.click_id = Some(ids.click(WorkspaceNo(42), clicked_at, [7; 16]));
            sale.attributed_by = by;
            let click = click_of(&sale, event.occurred_at);
            assert_eq!(click.is_some(), expected, "{later} {by:?}");
        }
    }

    #[test]
    fn the_rows_are_storable_whatever_a_caller_wrote() {
        let (event, mut sale) = sale();
        sale.order_id = Some("a\0b".to_owned());
        sale.metadata.insert("k\0".to_owned(), "v\0".into());
        let counted = Counted {
            visible_seq: 7,
            page_id: None,
        };
        let mut rows = Rows::default();
        sale.add_rows(&event, 7, counted, &mut rows);
        let row = rows.conversions.first().unwrap();
        assert_eq!(row.order_id.as_deref(), Some("a\u{fffd}b"));
        assert!(!row.metadata.to_string().contains("\\u0000"));
    }
}
