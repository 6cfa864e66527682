//! The table `conversions`, and what is kept of their later changes.

use jiff::{Timestamp, civil::Date};
use schemas::{ClickId, ConversionId, CustomerId, EventId, WorkspaceNo};
use serde_json::Value;

columns! {
    /// The own columns of a row of `conversions`. The others are copies of its click's.
    ConversionRow {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// The seq at which readers see it: the higher of its own seq and its click's.
        visible_seq: i64,
        /// When it happened; decides the month's partition.
        occurred_at: Timestamp,
        /// When it was received.
        received_at: Timestamp,
        /// Time in the id of its click.
        clicked_at: Option<Timestamp>,
        /// Amount in minor units of its currency.
        amount_minor: Option<i64>,
        /// Amount in millionths of a dollar.
        usd_micros: Option<i64>,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Day of the rate.
        rate_day: Option<Date>,
        /// Identity.
        event_id: EventId,
        /// The conversion.
        conversion_id: ConversionId,
        /// The click that it belongs to.
        click_id: Option<ClickId>,
        /// The customer.
        customer_id: Option<CustomerId>,
        /// Lead, sale or custom.
        class: &'static str,
        /// The caller's name for it.
        event_name: String,
        /// Currency of the amount.
        currency: Option<String>,
        /// Judgement.
        status: &'static str,
        /// First or later sale of the customer.
        sale_type: Option<&'static str>,
        /// How it was reported.
        source: &'static str,
        /// Order.
        order_id: Option<String>,
        /// Members that the caller added.
        metadata: Value,
    }
}

columns! {
    /// A row of `conversion_changes`: the latest state of a conversion that was changed. Its own
    /// table, because a change may be folded before its conversion.
    ConversionChangeRow {
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// The conversion.
        conversion_id: ConversionId,
        /// When the conversion happened, which leads to its row.
        converted_at: Timestamp,
        /// Number of the change; the highest one decides.
        version: i32,
        /// Sum of the refunds in minor units.
        refunded_minor: i64,
        /// Amount in millionths of a dollar.
        usd_micros: Option<i64>,
        /// Day of the rate.
        rate_day: Option<Date>,
        /// Judgement.
        status: &'static str,
    }
}
